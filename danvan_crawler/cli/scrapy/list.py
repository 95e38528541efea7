"""`scrapy list`: lists the slugs of all sites. If a profile cannot be used, stderr names it and the exit code is 2."""

from __future__ import annotations

import argparse
import sys

from scrapy.commands import list as scrapy_list

from danvan_crawler.cli.scrapy import profiles
from danvan_crawler.exceptions import ExitCode


class Command(scrapy_list.Command):
    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        assert self.settings is not None
        self._broken = profiles(self.settings).broken

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        super().run(args, opts)
        for error in self._broken.values():
            print(error, file=sys.stderr)
        if self._broken:
            self.exitcode = int(ExitCode.USAGE)
