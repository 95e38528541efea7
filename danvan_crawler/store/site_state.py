"""Named values that one run of a site stores for the next.

A rebuild derives them again, except those in KEPT_ON_REBUILD, which it copies from the old database.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from danvan_crawler.store.schema import site_state

NOT_BEFORE = "not_before"
"""The time before which the site's server is not contacted, ISO 8601."""
OVERLOADS = "rests"
"""Number of runs in a row that ended with an overloaded server."""
FEEDS = "feeds"
"""Reliability of the site's feeds, JSON of `walk.feed_trust`."""
ROBOTS = "robots"
"""JSON: since when which host's robots.txt cannot be read (`politeness.robots`)."""
RIGHTS = "rights"
"""The rights note of the site's articles; missing if they have none."""
POSITION = "position"
"""The last stored record in the site's WARC files: name of the file, space, offset."""
KEPT_ON_REBUILD = (NOT_BEFORE, OVERLOADS, ROBOTS)
"""Values that do not depend on the database and are in no WARC file."""


class SiteState:
    """The values of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    def get(self, site: str, name: str) -> str | None:
        """A value, or None if it is not set."""
        with self._begin() as connection:
            return value_of(connection, site, name)

    def set(self, site: str, name: str, value: str | None) -> None:
        """Sets a value; None removes it."""
        with self._begin() as connection:
            if value is None:
                connection.execute(delete(site_state).where(site_state.c.site == site, site_state.c.name == name))
                return
            statement = insert(site_state).values(site=site, name=name, value=value)
            connection.execute(statement.on_conflict_do_update(index_elements=["site", "name"], set_={"value": value}))


def value_of(connection: Connection, site: str, name: str) -> str | None:
    """A value, or None if it is not set."""
    wanted = select(site_state.c.value).where(site_state.c.site == site, site_state.c.name == name)
    return connection.execute(wanted).scalar_one_or_none()


def kept_on_rebuild(connection: Connection) -> list[tuple[str, str, str]]:
    """The values that a rebuild copies, of all sites: site, name, value."""
    wanted = select(site_state.c.site, site_state.c.name, site_state.c.value).where(
        site_state.c.name.in_(KEPT_ON_REBUILD)
    )
    return [(row.site, row.name, row.value) for row in connection.execute(wanted)]
