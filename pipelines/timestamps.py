"""Stage 200: the date line read, in the site's zone, corrected by its clock. What cannot be read stays None."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites import Site
from danvan_crawler.vietnamese import timestamps


class TimestampsPipeline:
    def __init__(self, site: Site | None) -> None:
        self.site = site

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(getattr(crawler.spider, "site", None))

    def process_item(self, item: Any) -> Any:
        if not isinstance(item, Article) or self.site is None or item.published_raw is None:
            return item
        stamp = timestamps.parse(item.published_raw, timezone=self.site.timezone, month_first=self.site.month_first)
        if stamp is None:
            item.published_from = None
            return item
        # A clock that is off moves a time of day; a stamp that shows only the day says nothing about the clock.
        moment = stamp.at if stamp.precision == "day" else stamp.at - self.site.clock_correction
        item.published_at = moment.astimezone(self.site.zone).isoformat(timespec="seconds")
        # A family may know from the page that a displayed midnight is a time of day.
        item.published_precision = item.published_precision or stamp.precision
        return item
