"""Captures that show that an article is missing from its address, and their effect on its row.

Such a capture (`captures.absent`) belongs to the requested address, not to an article's row. It may be stored before
the article if an old file is read later; both orders give the same rows.

A portal whose database is down answers 404, or its front page, for every article. So an article is marked as absent
only if a listing or feed of the site showed entries shortly before, in the same night's run (`LastEntries`). This time
is kept in memory in addition to `listing_links`, because feeds have no rows there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from danvan_crawler.captures import CaptureRecord
from danvan_crawler.store.captures import HAS_KEY
from danvan_crawler.store.lifecycle import absent_since, gone_at, last_visit, next_visit
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
# The small index of absences first: SQLite would read each article's body to get `gone_at`.
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
"""Shorter than the time between two nightly runs, longer than a run takes from its listings to its last visit."""


@dataclass(frozen=True, slots=True)
class Absence:
    """An article that is missing from its address, and the times of its next and its last visit."""

    article_id: int
    due_at: str | None
    visited_at: str
    is_first: bool
    """The article was present at the previous visit."""


def dates(connection: Connection, site: str, keys: Collection[str]) -> list[str]:
    """WARC-Dates of the captures under these link keys that show that the article is missing, oldest first."""
    return sorted(connection.execute(_OF_KEYS, {"of_site": site, "keys": sorted(keys)}).scalars())


def gone_since(connection: Connection, site: str, keys: Collection[str]) -> dict[str, str]:
    """`gone_at` of the articles under these link keys that are gone, by key."""
    missed = sorted(connection.execute(_MISSED, {"of_site": site, "keys": sorted(keys)}).scalars())
    found = connection.execute(_GONE, {"of_site": site, "keys": missed}).all() if missed else ()
    return {key: row.gone_at for row in found for key in (row.link_key, row.url_key) if key in keys}


def note(connection: Connection, site: str, capture: CaptureRecord, link: str, days: Sequence[float]) -> Absence | None:
    """Marks a capture as showing no article at `link`, and updates the row of the article that was there.

    Returns None and marks nothing if no article is known at `link`.
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
        visited = last_visit(row.last_seen, absent)
        missed.append(Absence(row.id, due, visited, absent_since(row.last_seen, absent) == capture.date))
    return missed[0]


class LastEntries:
    """When each site last showed entries. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._last: dict[str, str] = {}

    def reset(self, site: str) -> None:
        """Forgets the time in memory when a run begins; the database has the last one."""
        self._last.pop(site, None)

    def note(self, site: str, date: str) -> None:
        """Notes that a page with entries was captured at this WARC-Date."""
        self._last[site] = max(self._known(site), date)

    def are_recent(self, site: str, date: str) -> bool:
        """Whether the site showed entries in the hours before this WARC-Date."""
        last = self._known(site)
        return bool(last) and datetime.fromisoformat(date) - datetime.fromisoformat(last) < _SPAN

    def _known(self, site: str) -> str:
        if site not in self._last:
            wanted = select(func.max(listing_links.c.entry_seen_at)).where(listing_links.c.site == site)
            with self._begin() as connection:
                self._last[site] = (connection.execute(wanted).scalar() or "").split(" ")[0]
        return self._last[site]
