"""How much a run spends on what its pages show beside their text: the profile's `requisites_budget`, in bytes.

A request that says in its `meta` that it is a requisite is counted with every byte of body that arrives, whatever
becomes of it. When the budget is spent, further ones are dropped before they reach the network: they stay pending in
the crawl state and the next run asks for them first. What is under way then still comes to its end, so a budget is
exceeded by one file for each connection at most.

Statistics: REQUISITE_BYTES spent, REQUISITES_LEFT requests dropped for want of budget.
"""

from __future__ import annotations

from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.statscollectors import StatsCollector

from danvan_crawler import statistics

REQUISITE_KEY = "requisite"
"""Where in `request.meta` a requisite's key in the crawl state is found; other requests have none."""


class BudgetSpent(IgnoreRequest):
    """This run asks for no further requisites. Goes to the errback, which leaves the requisite pending."""


class BudgetMiddleware:
    """Downloader middleware; before robots.txt, so that a request which is dropped asks for nothing else.

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
