"""Stage 600: warnings about missing or implausible fields.

Dates are compared with the time of capture, never with the current time, so that a rebuild gives the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese.dating import doubts


class ValidatePipeline:
    """Adds warnings; drops an article without a title."""

    def __init__(self, site: Site | None = None) -> None:
        self.first_year = site.first_year if site is not None else None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(getattr(crawler.spider, "site", None))

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article):
            if not item.title:
                raise DropItem(f"{item.url}: an article without a title")
            # A family that compared several dates may have added the same warning.
            item.warnings.extend(found for found in warnings_of(item, self.first_year) if found not in item.warnings)
        return item


def warnings_of(article: Article, first_year: int | None = None) -> Iterator[str]:
    """Yield a short warning for each missing or implausible field of an article. `first_year` is the site's."""
    if article.published_raw is None:
        yield "no date line"
    elif article.published_at is None:
        yield "unreadable date line"
    else:
        at, captured = datetime.fromisoformat(article.published_at), datetime.fromisoformat(article.captured_at)
        yield from doubts(at, article.published_precision, captured, first_year)
    if not article.lead:
        yield "empty lead"
    if not article.body_text:
        yield "empty body"
