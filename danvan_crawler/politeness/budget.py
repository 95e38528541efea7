"""Limits the bytes of requisites (files other than pages) that a run downloads: the profile's `requisites_budget`.

All body bytes of requests with the requisite key in `meta` are counted, whatever happens to them later. When the budget
is spent, further requisites are dropped before they reach the network. They stay pending in the crawl state, and the
next run asks for them first. Running downloads still finish, so the budget is exceeded by at most one file per
connection.

Statistics: REQUISITE_BYTES spent, REQUISITES_LEFT requests dropped because the budget was spent.
"""

from __future__ import annotations

from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.statscollectors import StatsCollector

from danvan_crawler import statistics

REQUISITE_KEY = "requisite"
"""Key in `request.meta` for a requisite's key in the crawl state; other requests do not have it."""


class BudgetSpent(IgnoreRequest):
    """This run asks for no further requisites. Goes to the errback, which leaves the requisite pending."""


class BudgetMiddleware:
    """Downloader middleware; before robots.txt, so that a dropped request causes no other request.

    `budget` is in bytes.
    """

    def __init__(self, budget: int, stats: StatsCollector) -> None:
        self._budget = budget
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a site: it has no budget."""
        site = getattr(crawler.spider, "site", None)
        if site is None:
            raise NotConfigured
        assert crawler.stats is not None  # made by the crawler before any component
        budget = cls(site.requisites_budget, crawler.stats)
        crawler.signals.connect(budget.bytes_received, signals.bytes_received)
        return budget

    def bytes_received(self, data: bytes, request: Request) -> None:
        if REQUISITE_KEY in request.meta:
            self._stats.inc_value(statistics.REQUISITE_BYTES, len(data))

    def process_request(self, request: Request) -> None:
        if REQUISITE_KEY in request.meta and self._stats.get_value(statistics.REQUISITE_BYTES, 0) >= self._budget:
            self._stats.inc_value(statistics.REQUISITES_LEFT)
            raise BudgetSpent(f"{request.url} is left to the next run: the profile's requisites_budget is spent")
