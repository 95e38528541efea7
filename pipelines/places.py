"""Stage 300: province and body on the day of publication.

A profile names the province and body at the time it was written. They may change later: the articles of a Hà Nam
portal from before 1 July 2025 belong to Hà Nam, later ones to Ninh Bình. An article without a date keeps the values of
the profile: the date of capture is no evidence, because old pages are captured for years.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import bodies, provinces


class PlacesPipeline:
    """Fills province and body. Codes and kinds without a known history stay as in the profile."""

    def __init__(self, site: Site | None) -> None:
        self.site = site

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(getattr(crawler.spider, "site", None))

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article) and self.site is not None and item.published_at is not None:
            day = datetime.fromisoformat(item.published_at).astimezone(self.site.zone).date()
            item.province = _province(self.site.province, day)
            item.body = _body(self.site.body, day, self.site.province)
        return item


def _province(code: str, day: date) -> str:
    try:
        return provinces.lookup(code, on=day).code
    except KeyError:
        return code


def _body(slug: str, day: date, province: str) -> str:
    try:
        return bodies.lookup(slug, on=day, province=province).slug
    except KeyError:
        return slug
