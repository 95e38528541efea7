"""Stage 200: the date line read, in the site's zone, corrected by its clock. What cannot be read stays None."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import dating
from danvan_crawler.vietnamese.dating import PublishedFrom

# A date that a family found elsewhere is read by the rules of that place.
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
        # A family may know from the page that a displayed midnight is a time of day.
        item.published_precision = item.published_precision or stamp.precision
        return item
