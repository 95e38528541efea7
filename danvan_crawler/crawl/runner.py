"""Runs a spider to its end and reports the result, for `danvan crawl` and `scrapy crawl`."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from typing import Any

from scrapy import Spider
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from danvan_crawler.crawl.run import RunExtension
from danvan_crawler.exceptions import DanvanError, ExitCode, in_words
from danvan_crawler.health.problems import Problem
from danvan_crawler.health.reports import kind_of
from danvan_crawler.memory import tune_garbage_collector
from danvan_crawler.settings_check import check_settings

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Result:
    """How one crawl ended."""

    code: ExitCode
    problems: list[Problem] = field(default_factory=list)
    """What is wrong, worst first."""
    stats: dict[str, Any] = field(default_factory=dict)
    spider: Spider | None = None
    began: bool = True
    """False if an error kept it from beginning."""


def project_settings(overrides: dict[str, Any]) -> Settings:
    """The project's settings, with overrides of command line priority. Raises UsageError for an invalid setting."""
    settings = Settings()
    settings.setmodule("danvan_crawler.settings", priority="project")
    settings.setdict(overrides, priority="cmdline")
    check_settings(settings)
    return settings


def new_process(overrides: dict[str, Any]) -> AsyncCrawlerProcess:
    """A process that can run one crawl; installs the reactor and logging."""
    return AsyncCrawlerProcess(project_settings(overrides))


def run(process: AsyncCrawlerProcess, crawler: Crawler, **arguments: Any) -> Result:
    """Runs one crawler in this process and returns when it has ended. A process can do this only once.

    Never raises a DanvanError: it becomes the result. SIGINT and SIGTERM stop the crawl cleanly, a second one at once.
    """
    task = process.crawl(crawler, **arguments)
    tune_garbage_collector()
    process.start()
    spider = crawler.spider
    stats = dict(crawler.stats.get_stats()) if spider is not None and crawler.stats is not None else {}
    error = task.exception() if task.done() and not task.cancelled() else None
    if isinstance(error, DanvanError):
        problem = Problem(kind_of(error.exit_code, error), str(error), error.exit_code)
        return Result(error.exit_code, [problem], stats, spider, began=False)
    if error is not None:
        logger.error("The crawl ended by an error", exc_info=error)
        return Result(ExitCode.ERROR, [Problem("crashed", in_words(error), ExitCode.ERROR)], stats, spider)
    extension = crawler.get_extension(RunExtension)
    if extension is not None and task.done():
        extension.finish()  # for an engine that stopped before it ran
    if extension is None or extension.outcome is None:
        stopped = Problem("interrupted", "stopped at once; the next run continues", ExitCode.INTERRUPTED)
        return Result(ExitCode.INTERRUPTED, [stopped], stats, spider)
    return Result(extension.outcome, extension.problems, stats, spider)


def report(result: Result, slug: str) -> None:
    """Prints to stderr what is wrong with a crawl, and what to do."""
    for problem in result.problems:
        print(f"danvan: {slug}: {problem.in_full}", file=sys.stderr)
