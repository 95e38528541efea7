"""`scrapy runspider FILE`: runs any spider, archived under its own name, with the exit code of the run."""

from __future__ import annotations

import argparse
from typing import Any

from scrapy.commands import runspider
from scrapy.crawler import AsyncCrawlerProcess, Crawler

from danvan_crawler.cli.scrapy import check
from danvan_crawler.crawl.runner import report, run


class Command(runspider.Command):
    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        assert self.settings is not None
        check(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert isinstance(self.crawler_process, AsyncCrawlerProcess)
        process: AsyncCrawlerProcess = self.crawler_process
        command = self

        class _Runner:
            """Replaces the process while Scrapy's command finds the spider in the file."""

            bootstrap_failed = False

            def create_crawler(self, spider: Any) -> Crawler:
                return process.create_crawler(spider)

            def crawl(self, crawler: Crawler, **arguments: Any) -> None:
                result = run(process, crawler, **arguments)
                report(result, crawler.spidercls.name)
                command.exitcode = int(result.code)

            def start(self) -> None:
                pass  # `crawl` has run it to its end

        self.crawler_process = _Runner()  # type: ignore[assignment]
        super().run(args, opts)
