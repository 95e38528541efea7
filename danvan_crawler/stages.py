"""The stages of `pipelines/`, which every article passes in the order of settings.py, in a crawl and in a rebuild.

An article passes them as soon as its exchange is processed, so that it is stored before the next exchange. Scrapy gets
the finished article for other item listeners.
"""

from __future__ import annotations

from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.pipelines import ItemPipelineManager
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import build_from_crawler, load_object

from danvan_crawler.capture.context import attached
from danvan_crawler.items import Article
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.context import RejectedItemError, Stages

_STORING = "pipelines.store."
"""Prefix of the name of the stage that stores."""


def store_of(crawler: Crawler) -> Store:
    """The store that the stages of this crawler write to. Raises LookupError if no run is attached."""
    store = getattr(attached(crawler), "store", None)
    if not isinstance(store, Store):
        raise LookupError("this crawler has no store: check that RunExtension is in EXTENSIONS")
    return store


def stages_of(crawler: Crawler, *, storing: bool = True) -> Stages:
    """The stages as one function; without the stage that stores if `storing` is false.

    Their `process_item` must be a plain method, not a coroutine.
    """
    names = build_component_list(crawler.settings.get_component_priority_dict_with_base("ITEM_PIPELINES"))
    if not storing:
        names = [name for name in names if not str(name).startswith(_STORING)]
    stages = [build_from_crawler(load_object(name), crawler) for name in names]

    def through(item: Article) -> Article:
        try:
            for stage in stages:
                item = stage.process_item(item)
        except DropItem as error:
            raise RejectedItemError(str(error)) from error
        return item

    return through


class FinishedItems(ItemPipelineManager):
    """Scrapy's ITEM_PROCESSOR: items of other spiders pass the stages here; articles of a site already have."""

    async def process_item_async(self, item: Any) -> Any:
        if isinstance(item, Article) and item.item_id:
            return item
        return await super().process_item_async(item)
