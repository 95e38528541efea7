"""Counts the fields that the articles of a run have. A changed layout first shows as a missing field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy.statscollectors import StatsCollector

from danvan_crawler import statistics
from danvan_crawler.items import Article
from danvan_crawler.sites.rules import COVERED_FIELDS
from danvan_crawler.vietnamese.dating import EARLY, FUTURE

_DOUBTFUL = frozenset({FUTURE, EARLY, "unreadable date line"})


def having(article: Article) -> Iterator[str]:
    """The watched fields that an article has; `doubtful_dates` if its date is implausible or unreadable."""
    for name in COVERED_FIELDS:
        if getattr(article, name):
            yield name
    if not _DOUBTFUL.isdisjoint(article.warnings):
        yield "doubtful_dates"


def count(stats: StatsCollector, item: Any) -> None:
    """Adds one item to the statistics `articles_with(…)`."""
    if isinstance(item, Article):
        stats.inc_value(statistics.articles_with("articles"))
        for name in having(item):
            stats.inc_value(statistics.articles_with(name))
