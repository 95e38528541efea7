"""Stage 200: parse the date line, in the site's zone and with its clock correction. None if it cannot be read."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import dating
from danvan_crawler.vietnamese.dating import PublishedFrom

# A date from metadata or an address is read by other rules than a date line.
_PLACES: dict[str | None, PublishedFrom] = {"metadata": "metadata", "url": "url"}


class TimestampsPipeline:
    def __init__(self, site: Site | None) -> None:
        self.site = site

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(getattr(crawler.spider, "site", None))

    def process_item(self, item: Any) -> Any:
        site = self.site
        if not isinstance(item, Article) or site is None or item.published_raw is None:
            return item
        place = _PLACES.get(item.published_from, "visible")
        stamp = dating.read(item.published_raw, place, timezone=site.timezone, month_first=site.month_first)
        if stamp is None:
            item.published_from = None
            return item
        item.published_at = dating.moment(stamp, site.zone, site.clock_correction).isoformat(timespec="seconds")
        # A family may have evidence on the page that a displayed midnight is a time of day.
        item.published_precision = item.published_precision or stamp.precision
        return item
