"""Scrapy's statistics; an unknown name of ours is an error.

A misspelled statistic counts as zero, and zero can decide whether a site is healthy. A live crawl cannot raise
the error: all names are in `statistics`, a test finds names that are written elsewhere, and no data of a site becomes
part of a name. A section's name can, but it comes from the profile and follows a known prefix.
"""

from __future__ import annotations

from typing import Any

from scrapy import Spider
from scrapy.statscollectors import MemoryStatsCollector

from danvan_crawler.statistics import require_known


class KnownStatistics(MemoryStatsCollector):
    """Raises ValueError for a name that begins with `danvan/` and is not in `statistics`, written or read.

    Names of Scrapy and of other extensions are not checked. `spider` is part of Scrapy's interface and is not used.
    """

    def get_value(self, key: str, default: Any = None, spider: Spider | None = None) -> Any:
        return super().get_value(require_known(key), default)

    def set_value(self, key: str, value: Any, spider: Spider | None = None) -> None:
        super().set_value(require_known(key), value)

    def set_stats(self, stats: dict[str, Any], spider: Spider | None = None) -> None:
        super().set_stats({require_known(key): value for key, value in stats.items()})

    def inc_value(self, key: str, count: int = 1, start: int = 0, spider: Spider | None = None) -> None:
        super().inc_value(require_known(key), count, start)

    def max_value(self, key: str, value: Any, spider: Spider | None = None) -> None:
        super().max_value(require_known(key), value)

    def min_value(self, key: str, value: Any, spider: Spider | None = None) -> None:
        super().min_value(require_known(key), value)
