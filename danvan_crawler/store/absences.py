"""Captures that show that an article is not where it was, and what follows from them for its row.

Such a capture (`captures.absent`) is tied to the address that was asked for and not to an article's row: it may come
into the database before the article does, when an old file is read late, and both orders give the same rows.

A portal whose database is down answers 404, or its front page, to every article. So an article is only noted as absent
where a listing or feed of the site has shown entries not long before, in the same night's run (`Signs`). That is kept
in memory beside what `listing_links` tells, since a feed leaves nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from danvan_crawler.captures import CaptureRecord
from danvan_crawler.store.captures import HAS_KEY
from danvan_crawler.store.lifecycle import absent_since, gone_at, next_visit
from danvan_crawler.store.schema import articles, captures, listing_links
from danvan_crawler.urls import canonical, item_id, path_key

_MARK = (
    update(captures)
    .where(captures.c.warc_file == bindparam("file"), captures.c.warc_offset == bindparam("offset"))
    .values(absent=1)
)
_OF_KEYS = select(captures.c.warc_date).where(
    captures.c.site == bindparam("of_site"),
    captures.c.absent == 1,
    captures.c.link_key.in_(bindparam("keys", expanding=True)),
)
_KNOWN_THERE = select(
    articles.c.id, articles.c.canonical_url, articles.c.published_at, articles.c.first_seen, articles.c.last_seen
).where(articles.c.id.in_(select(captures.c.article_id).where(HAS_KEY)) | (articles.c.item_id == bindparam("item")))
_GONE = (
    select(captures.c.link_key, captures.c.url_key, articles.c.gone_at)
    .join(articles, articles.c.id == captures.c.article_id)
    .where(HAS_KEY, articles.c.gone_at.is_not(None))
)
# The small index of absences first: whether an article is gone stands behind its body.
_MISSED = (
    select(captures.c.link_key)
    .where(
        captures.c.site == bindparam("of_site"),
        captures.c.absent == 1,
        captures.c.link_key.in_(bindparam("keys", expanding=True)),
    )
    .distinct()
)
_KEYS_OF = select(captures.c.link_key, captures.c.url_key).where(captures.c.article_id == bindparam("article"))
_SET_GONE = update(articles).where(articles.c.id == bindparam("article")).values(gone_at=bindparam("gone"))

_SPAN = timedelta(hours=20)
"""Less than from one night to the next, more than a run takes from its listings to its last visit."""


@dataclass(frozen=True, slots=True)
class Missed:
    """An article that was not where it was, with when it is to be visited again."""

    article_id: int
    due_at: str | None
    is_first: bool
    """It was there the last time."""


def dates(connection: Connection, site: str, keys: Collection[str]) -> list[str]:
    """WARC-Dates of the captures under these link keys that show no article, oldest first."""
    return sorted(connection.execute(_OF_KEYS, {"of_site": site, "keys": sorted(keys)}).scalars())


def gone_since(connection: Connection, site: str, keys: Collection[str]) -> dict[str, str]:
    """Of articles under these link keys that are gone, since when, by key."""
    missed = sorted(connection.execute(_MISSED, {"of_site": site, "keys": sorted(keys)}).scalars())
    found = connection.execute(_GONE, {"of_site": site, "keys": missed}).all() if missed else ()
    return {key: row.gone_at for row in found for key in (row.link_key, row.url_key) if key in keys}


def note(connection: Connection, site: str, capture: CaptureRecord, link: str, days: Sequence[float]) -> Missed | None:
    """Marks a capture as one that shows no article at `link`, and says so in the row of the article that was there.

    None, and nothing marked, when no article is known there.
    """
    key = path_key(link)
    asked = {"of_site": site, "keys": [key], "item": item_id(site, canonical(link))}
    found = connection.execute(_KNOWN_THERE, asked).all()
    if not found:
        return None
    connection.execute(_MARK, {"file": capture.warc_file, "offset": capture.warc_offset})
    missed = []
    for row in found:
        keys = {key, path_key(row.canonical_url)}
        for held in connection.execute(_KEYS_OF, {"article": row.id}):
            keys |= {held.link_key, held.url_key}
        absent = dates(connection, site, keys)
        connection.execute(_SET_GONE, {"article": row.id, "gone": gone_at(row.last_seen, absent)})
        due = next_visit(row.published_at, row.first_seen, row.last_seen, absent, days)
        missed.append(Missed(row.id, due, absent_since(row.last_seen, absent) == capture.date))
    return missed[0]


class Signs:
    """Signs of life of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._last: dict[str, str] = {}

    def forget(self, site: str) -> None:
        """A run begins, which knows what the database knows."""
        self._last.pop(site, None)

    def note(self, site: str, date: str) -> None:
        """A page with entries was captured at this WARC-Date."""
        self._last[site] = max(self._known(site), date)

    def are_fresh(self, site: str, date: str) -> bool:
        """Whether the site has shown entries in the hours before this WARC-Date."""
        last = self._known(site)
        return bool(last) and datetime.fromisoformat(date) - datetime.fromisoformat(last) < _SPAN

    def _known(self, site: str) -> str:
        if site not in self._last:
            wanted = select(func.max(listing_links.c.entry_seen_at)).where(listing_links.c.site == site)
            with self._begin() as connection:
                self._last[site] = (connection.execute(wanted).scalar() or "").split(" ")[0]
        return self._last[site]
