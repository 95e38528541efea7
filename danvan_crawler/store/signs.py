"""When a site last showed entries: what absences are believed by.

A portal whose database is down answers 404, or its front page, to every article. So an article is only noted as absent
where a listing or feed of the site has shown entries not long before, in the same night's run. Kept in memory beside
what `listing_links` tells, since a feed leaves nothing there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from danvan_crawler.store.schema import listing_links

_SPAN = timedelta(hours=20)
"""Less than from one night to the next, more than a run takes from its listings to its last visit."""


class Signs:
    """Signs of life of all sites. `begin` opens a transaction of the store."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._last: dict[str, str] = {}

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
