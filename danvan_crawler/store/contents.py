"""The texts of known articles, by the addresses that a listing names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, select

from danvan_crawler.store.captures import CHUNK, HAS_KEY
from danvan_crawler.store.schema import articles, captures

_TEXTS = select(articles.c.title, articles.c.body_text, articles.c.published_at).where(
    articles.c.id.in_(select(captures.c.article_id).where(HAS_KEY))
)


@dataclass(frozen=True, slots=True)
class ArticleText:
    """The text of an article and its date, ISO 8601 with an offset."""

    title: str
    body_text: str
    published_at: str | None


class Contents:
    """The current texts of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    def of(self, site: str, keys: Collection[str]) -> list[ArticleText]:
        """The articles that were captured under these link keys, in no order."""
        ordered = sorted(keys)
        found: list[ArticleText] = []
        with self._begin() as connection:
            for start in range(0, len(ordered), CHUNK):
                asked = {"of_site": site, "keys": ordered[start : start + CHUNK]}
                found += (ArticleText(*row) for row in connection.execute(_TEXTS, asked))
        return found
