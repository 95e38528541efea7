"""`scrapy list`: the slugs of all sites."""

from __future__ import annotations

import argparse

from scrapy.commands import list as scrapy_list

from danvan_crawler.cli.scrapy import check_profiles


class Command(scrapy_list.Command):
    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        assert self.settings is not None
        check_profiles(self.settings)
