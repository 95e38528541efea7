"""`scrapy crawl SLUG`: Scrapy's command, ending with the exit code of the run."""

from __future__ import annotations

import argparse

from scrapy.commands import crawl
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import UsageError

from danvan_crawler.cli.scrapy import profiles
from danvan_crawler.crawl.runner import report, run


class Command(crawl.Command):
    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        assert self.settings is not None
        broken = profiles(self.settings).broken
        for slug in args:
            if slug in broken:
                raise UsageError(str(broken[slug]), print_help=False)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("give one spider; `scrapy list` lists them")
        assert isinstance(self.crawler_process, AsyncCrawlerProcess)
        try:
            crawler = self._create_crawler(args[0])
        except KeyError as error:
            raise UsageError(
                f"no site has the slug {args[0]!r}; `scrapy list` lists the sites", print_help=False
            ) from error
        result = run(self.crawler_process, crawler, **opts.spargs)
        report(result, args[0])
        self.exitcode = int(result.code)
