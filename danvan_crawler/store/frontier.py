"""Crawl state: known article addresses and their states.

It is in the item database and written in the same transactions as the items, because Scrapy's JOBDIR survives only
clean stops: after kill -9 it lost 47 to 87 % of its URLs in 12 of 12 runs; a table like this one lost none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, select, update
from sqlalchemy.dialects.sqlite import insert

from danvan_crawler.store.captures import CHUNK
from danvan_crawler.store.lifecycle import retry_at, visit_again_at
from danvan_crawler.store.schema import frontier, walks

NEW = "new"
CHANGED = "changed"
"""An archived article whose listing entry has changed. Not a state in the table."""
PENDING = "pending"
ARCHIVED = "archived"
FAILED = "failed"
REJECTED = "rejected"
"""Fetched, but not an article: the link led to a listing or to a page without an article."""

LEADS_HOME = "leads to the front page"
LEADS_TO_SECTION = "leads to a section"
"""Reasons to reject an address that redirects to such a page: portals do this instead of a 404."""

MAX_ATTEMPTS = 5
"""Number of runs that try a failing address, with waits between the later ones (`lifecycle.RETRY_DAYS`)."""

_STATES = select(frontier.c.link_key, frontier.c.state).where(
    frontier.c.site == bindparam("s"), frontier.c.link_key.in_(bindparam("keys", expanding=True))
)
_STATE = select(frontier.c.state, frontier.c.attempts, frontier.c.due_at).where(
    frontier.c.site == bindparam("s"), frontier.c.link_key == bindparam("k")
)
_REDIRECTED_AWAY = select(frontier.c.link_key, frontier.c.last_error).where(
    frontier.c.site == bindparam("s"),
    frontier.c.link_key.in_(bindparam("keys", expanding=True)),
    frontier.c.state == REJECTED,
    frontier.c.last_error.in_((LEADS_HOME, LEADS_TO_SECTION)),
)
_DISCOVER = insert(frontier)
_MARK = (
    update(frontier)
    .where(frontier.c.site == bindparam("s"), frontier.c.link_key == bindparam("k"))
    .values(
        state=bindparam("to"),
        last_error=bindparam("reason"),
        due_at=bindparam("due"),
        visited_at=bindparam("visited"),
        attempts=case(
            (bindparam("to") == FAILED, frontier.c.attempts + 1),
            # A failure after a success is counted from 1 again.
            (bindparam("to") == ARCHIVED, 0),
            else_=frontier.c.attempts,
        ),
    )
)
_RETRY_LATER = (
    update(frontier)
    .where(frontier.c.site == bindparam("s"), frontier.c.link_key == bindparam("k"))
    .values(due_at=bindparam("due"), last_error=bindparam("reason"), attempts=frontier.c.attempts + 1)
)

_DUE_NOW = (
    update(frontier)
    .where(
        frontier.c.site == bindparam("s"),
        frontier.c.link_key.in_(bindparam("keys", expanding=True)),
        frontier.c.state == ARCHIVED,
    )
    .values(due_at=bindparam("due"))
)
_POSTPONE = (
    update(frontier)
    .where(frontier.c.site == bindparam("s"), frontier.c.link_key == bindparam("k"))
    .values(state=bindparam("to"), due_at=bindparam("due"), last_error=bindparam("reason"))
)


@dataclass(frozen=True, slots=True)
class FrontierEntry:
    """A known address that a run should request."""

    url: str
    section: str


@dataclass(frozen=True, slots=True)
class WalkProgress:
    """Progress of the walks of a section; times are WARC-Dates of listing pages."""

    began_at: str | None
    """When the first page was last read."""
    completed_at: str | None
    """Last page of the last walk that ended by itself: at the last page or at known articles."""
    swept_at: str | None
    """Last page of the last walk through all pages."""
    cursor: str | None
    """The page at which an interrupted walk continues."""
    pages: int
    """Number of pages that the interrupted walk had read."""
    last_page: str | None = None
    """The page before the cursor."""
    for_news: bool = False
    """Whether the interrupted walk would have ended at known articles."""


class Frontier:
    """Crawl state of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    def _in(self, connection: Connection | None) -> AbstractContextManager[Connection]:
        return nullcontext(connection) if connection is not None else self._begin()

    def discover(
        self, site: str, addresses: Mapping[str, str], section: str, *, connection: Connection | None = None
    ) -> dict[str, str]:
        """Adds unknown addresses (key -> URL) as pending. Returns by key `new` or the earlier state."""
        with self._in(connection) as inside:
            found = inside.execute(_STATES, {"s": site, "keys": list(addresses)})
            states: dict[str, str] = {row.link_key: row.state for row in found}
            rows = [
                {"site": site, "link_key": key, "url": url, "section": section, "state": PENDING, "attempts": 0}
                for key, url in addresses.items()
                if key not in states
            ]
            if rows:
                inside.execute(_DISCOVER, rows)
            return {key: states.get(key, NEW) for key in addresses}

    def mark(
        self,
        site: str,
        key: str,
        state: str,
        reason: str | None = None,
        *,
        due: str | None = None,
        visited: str | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Sets the state of a known address; an unknown one is not added. A failure counts as one attempt.

        `due` is the time of the next visit to an archived address, `visited` that of the last one; both are None for
        an address that is not visited.
        """
        self.mark_all(site, (key,), state, reason, due={key: due}, visited={key: visited}, connection=connection)

    def fail(self, site: str, key: str, reason: str, at: str) -> int:
        """Notes that a request failed at this WARC-Date; the next runs try again, each after a longer wait.

        An archived article stays archived and is visited again a day later, with longer waits after further failures.
        Returns the number of failed runs in a row, 0 if the address is unknown.
        """
        return self._without(site, key, FAILED, reason, at)

    def postpone(self, site: str, key: str, reason: str, until: str) -> None:
        """Makes an address that was not requested due at this WARC-Date. This does not count as an attempt."""
        with self._begin() as connection:
            known = connection.execute(_STATE, {"s": site, "k": key}).one_or_none()
            if known is not None:
                state = known.state if known.state == ARCHIVED else FAILED
                later = {"s": site, "k": key, "due": until, "reason": reason, "to": state}
                connection.execute(_POSTPONE, later)

    def reject(self, site: str, key: str, reason: str, at: str) -> None:
        """Notes that there is no article at an address. An archived one stays archived, as in `fail`."""
        self._without(site, key, REJECTED, reason, at)

    def _without(self, site: str, key: str, state: str, reason: str, at: str) -> int:
        with self._begin() as connection:
            known = connection.execute(_STATE, {"s": site, "k": key}).one_or_none()
            if known is None:
                return 0
            attempts = int(known.attempts) + 1
            if known.state == ARCHIVED:
                later = {"s": site, "k": key, "due": visit_again_at(attempts, at), "reason": reason}
                connection.execute(_RETRY_LATER, later)
            else:
                due = retry_at(attempts, at) if state == FAILED else None
                self.mark(site, key, state, reason, due=due, connection=connection)
            return attempts

    def mark_all(
        self,
        site: str,
        keys: Iterable[str],
        state: str,
        reason: str | None = None,
        *,
        due: Mapping[str, str | None] = {},
        visited: Mapping[str, str | None] = {},
        connection: Connection | None = None,
    ) -> None:
        """Sets the state of several addresses, as `mark` does; `due` and `visited` are by key."""
        rows = [
            {"s": site, "k": key, "to": state, "reason": reason, "due": due.get(key), "visited": visited.get(key)}
            for key in keys
        ]
        with self._in(connection) as inside:
            inside.execute(_MARK, rows)

    def make_due(self, site: str, keys: Iterable[str], at: str, *, connection: Connection | None = None) -> None:
        """Makes archived addresses due at this WARC-Date."""
        with self._in(connection) as inside:
            inside.execute(_DUE_NOW, {"s": site, "keys": sorted(keys), "due": at})

    def waiting(self, site: str, now: str) -> list[FrontierEntry]:
        """Addresses that earlier runs left: pending ones, and those that failed fewer than MAX_ATTEMPTS times and are
        due at this WARC-Date."""
        in_time = frontier.c.due_at.is_(None) | (frontier.c.due_at <= now)
        again = (frontier.c.state == FAILED) & (frontier.c.attempts < MAX_ATTEMPTS) & in_time
        return self._rows((frontier.c.site == site) & ((frontier.c.state == PENDING) | again), frontier.c.link_key)

    def due(self, site: str, now: str) -> list[FrontierEntry]:
        """Archived articles whose next visit is due at this WARC-Date, oldest due time first."""
        is_due = (frontier.c.site == site) & (frontier.c.due_at <= now) & (frontier.c.state == ARCHIVED)
        return self._rows(is_due, frontier.c.due_at, frontier.c.link_key)

    def settled(self, site: str) -> list[tuple[str, str]]:
        """Archived articles after the last visit of their schedule: link key and WARC-Date of the last visit, the one
        that was not visited for the longest time first."""
        statement = (
            select(frontier.c.link_key, frontier.c.visited_at)
            .where(frontier.c.site == site, frontier.c.due_at.is_(None), frontier.c.visited_at.is_not(None))
            .where(frontier.c.state == ARCHIVED)
            .order_by(frontier.c.visited_at, frontier.c.link_key)
        )
        with self._begin() as connection:
            return [(row.link_key, row.visited_at) for row in connection.execute(statement)]

    def entries(self, site: str, keys: Iterable[str]) -> list[FrontierEntry]:
        """The addresses with these link keys, in order of the keys; at most CHUNK keys."""
        return self._rows((frontier.c.site == site) & frontier.c.link_key.in_(list(keys)), frontier.c.link_key)

    def known_keys(self, site: str, after: str, most: int, *, besides: str) -> list[str]:
        """The next link keys after one, in their order, of archived articles and of addresses that failed, without
        those of the section `besides`."""
        is_visited = (frontier.c.state == ARCHIVED) & frontier.c.visited_at.is_not(None)
        statement = (
            select(frontier.c.link_key)
            .where(frontier.c.site == site, frontier.c.link_key > after, frontier.c.section != besides)
            .where(is_visited | (frontier.c.state == FAILED))
            .order_by(frontier.c.link_key)
            .limit(most)
        )
        with self._begin() as connection:
            return list(connection.execute(statement).scalars())

    def _rows(self, condition: ColumnElement[bool], *order: ColumnElement[Any]) -> list[FrontierEntry]:
        statement = select(frontier.c.url, frontier.c.section).where(condition).order_by(*order)
        with self._begin() as connection:
            return [FrontierEntry(row.url, row.section) for row in connection.execute(statement)]

    def walk_of(self, site: str, section_url: str) -> WalkProgress | None:
        """Progress of the walks of this section; None if no walk has read a page."""
        statement = select(walks).where(walks.c.site == site, walks.c.section_url == section_url)
        with self._begin() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        return WalkProgress(
            row.began_at,
            row.completed_at or None,
            row.swept_at,
            row.cursor,
            row.pages or 0,
            row.last_page,
            bool(row.for_news),
        )

    def begin_walk(self, site: str, section_url: str, at: str) -> None:
        """Notes that the first page of a section was read; `at` is its WARC-Date."""
        self._write_walk(site, section_url, {"began_at": at})

    def note_cursor(
        self, site: str, section_url: str, cursor: str, pages: int, *, last_page: str, for_news: bool = False
    ) -> None:
        """Stores the next page of a walk that has read `pages` pages: if the run dies, the next one continues there.

        `last_page` is the page just read; with `for_news`, known articles end the walk.
        """
        values = {"cursor": cursor, "pages": pages, "last_page": last_page, "for_news": int(for_news)}
        self._write_walk(site, section_url, values)

    def complete_walk(
        self, site: str, section_url: str, at: str, *, swept: bool = False, cursor: str | None = None
    ) -> None:
        """Notes that a walk of this section ended by itself: from now on, walks may end at known articles.

        `at` is the WARC-Date of its last page. `swept`: the walk read all pages. `cursor` is the page at which an older
        walk continues.
        """
        values: dict[str, Any] = {"completed_at": at, "cursor": cursor, "last_page": None}
        self._write_walk(site, section_url, {**values, "swept_at": at} if swept else values)

    def _write_walk(self, site: str, section_url: str, values: Mapping[str, Any]) -> None:
        statement = insert(walks).values(**{"site": site, "section_url": section_url, "completed_at": "", **values})
        with self._begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["site", "section_url"], set_=dict(values))
            )


def redirected_away(connection: Connection, site: str, keys: Iterable[str]) -> dict[str, str]:
    """Of these keys, those that redirect to the front page or a section, with the reason."""
    found: dict[str, str] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), CHUNK):
        chunk = {"s": site, "keys": ordered[start : start + CHUNK]}
        found.update((row.link_key, row.last_error) for row in connection.execute(_REDIRECTED_AWAY, chunk))
    return found
