"""Stage 900: write the article to the database, in one transaction."""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from danvan_crawler.items import Article
from danvan_crawler.stages import store_of
from danvan_crawler.store.writes import Store


class StorePipeline:
    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(store_of(crawler))

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article):
            self.store.write_article(item)
        return item
