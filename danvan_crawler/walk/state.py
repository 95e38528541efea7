"""The crawl state that a walk reads and writes: the store of a crawl or rebuild, and what feeds name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

from scrapy.crawler import Crawler

from danvan_crawler.families import FEED, ArticleLink
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import path_key

_STORES: WeakKeyDictionary[Crawler, Store] = WeakKeyDictionary()

CHANGED = "changed"
"""State that `Store.write_listing` gives a link whose entry reads differently than before."""
_AT_ONCE = 1000
"""Addresses in one statement: a sitemap may name 50,000, SQLite takes 32,766 values."""


def attach_store(crawler: Crawler, store: Store) -> None:
    """Makes `store` the one that the spider and the stages of this crawler write to."""
    _STORES[crawler] = store


def store_of(crawler: Crawler) -> Store:
    """The store of a crawl or rebuild. Raises KeyError when neither RunExtension nor a rebuild has attached one."""
    return _STORES[crawler]


def discover_named(store: Store, slug: str, links: Sequence[ArticleLink]) -> Iterator[tuple[str, str]]:
    """Remembers what a feed names. Gives each address with the state that it had; the feed is no section of theirs."""
    for start in range(0, len(links), _AT_ONCE):
        addresses = {path_key(link.url): link.url for link in links[start : start + _AT_ONCE]}
        states = store.frontier.discover(slug, addresses, FEED)
        yield from ((url, states[key]) for key, url in addresses.items())
