"""Stage 600: what a careful reader would notice, kept as warnings on the item.

Nothing is compared with the clock on the wall, only with the time of capture: a rebuild has to find the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from scrapy.exceptions import DropItem

from danvan_crawler.items import Article

FUTURE_TOLERANCE = timedelta(days=7)
"""Portals announce ahead and clocks differ; a stamp further in the future than this is a mistake of somebody's."""


class ValidatePipeline:
    """Adds warnings; drops an article that has no title, since that is none."""

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article):
            if not item.title:
                raise DropItem(f"{item.url}: an article without a title")
            item.warnings.extend(warnings_of(item))
        return item


def warnings_of(article: Article) -> Iterator[str]:
    """What is missing or implausible in an article, one short phrase each."""
    if article.published_raw is None:
        yield "no date line"
    elif article.published_at is None:
        yield "unreadable date line"
    elif datetime.fromisoformat(article.published_at) - datetime.fromisoformat(article.captured_at) > FUTURE_TOLERANCE:
        yield "published in the future"
    if not article.lead:
        yield "empty lead"
    if not article.body_text:
        yield "empty body"
