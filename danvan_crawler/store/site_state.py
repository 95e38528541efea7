"""Small facts that one run of a site leaves to the next, by name.

A rebuild derives them again, but for those in LASTING, which it takes over from the database that it replaces.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from danvan_crawler.store.schema import site_state

NOT_BEFORE = "not_before"
"""The moment until which the site's server wants to be left alone, ISO 8601."""
RESTS = "rests"
"""How many runs one after the other have ended with a server that was asked too much."""
FEEDS = "feeds"
"""What feeds have proved to be good for, JSON of `spiders.feed_trust`."""
ROBOTS = "robots"
"""JSON: since when which host's robots.txt cannot be read (`politeness.robots`)."""
RIGHTS = "rights"
"""The note that the articles of the site have; without one they have none."""
POSITION = "position"
"""How far the database has come in the site's WARC files: name of the file, space, offset of the last record taken."""
LASTING = (NOT_BEFORE, RESTS, ROBOTS)
"""What says something of the site and not of the database, and stands in no WARC file."""


class SiteState:
    """The facts of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    def get(self, site: str, name: str) -> str | None:
        """A fact, or None."""
        with self._begin() as connection:
            return value_of(connection, site, name)

    def set(self, site: str, name: str, value: str | None) -> None:
        """Writes a fact in the place of what it was; None removes it."""
        with self._begin() as connection:
            if value is None:
                connection.execute(delete(site_state).where(site_state.c.site == site, site_state.c.name == name))
                return
            statement = insert(site_state).values(site=site, name=name, value=value)
            connection.execute(statement.on_conflict_do_update(index_elements=["site", "name"], set_={"value": value}))


def value_of(connection: Connection, site: str, name: str) -> str | None:
    """A fact as a reader of the database sees it."""
    wanted = select(site_state.c.value).where(site_state.c.site == site, site_state.c.name == name)
    return connection.execute(wanted).scalar_one_or_none()


def lasting(connection: Connection) -> list[tuple[str, str, str]]:
    """The facts that outlive a database, of all sites: site, name, value."""
    wanted = select(site_state.c.site, site_state.c.name, site_state.c.value).where(site_state.c.name.in_(LASTING))
    return [(row.site, row.name, row.value) for row in connection.execute(wanted)]
