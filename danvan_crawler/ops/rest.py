"""A server that was asked too much is left alone, also by the next runs.

It says so itself (Retry-After of a 429 or 503 that is longer than a run waits), or it shows it: when most of what it
answered was 429 or 503, it rests for an hour, twice as long after each further run that ends so, half a day at most.
The moment is kept in the item database; a run before it does not contact the site, and one that goes well forgets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from danvan_crawler.store.site_state import NOT_BEFORE, RESTS, SiteState

LONGEST = timedelta(days=7)
"""A server that asks for more is asked again all the same: some say so by mistake."""
_FIRST, _AT_MOST = timedelta(hours=1), timedelta(hours=12)
_MANY = 5
"""Answers 429 and 503 that are no accident."""


def overloaded(stats: Mapping[str, Any]) -> bool:
    """Whether most answers of a run were 429 or 503."""
    refused: int = sum(stats.get(f"downloader/response_status_count/{status}", 0) for status in (429, 503))
    return refused >= _MANY and refused * 2 > int(stats.get("downloader/response_count", 0))


def rest_after(stats: Mapping[str, Any], now: datetime, rests: int) -> datetime | None:
    """Until when the server is to be left alone; None when there is no need. `rests`: runs before that said so."""
    if asked := stats.get("danvan/not_before"):
        return min(datetime.fromisoformat(asked), now + LONGEST)
    if overloaded(stats):
        return now + min(_FIRST * int(2 ** min(rests, 10)), _AT_MOST)
    return None


def keep(state: SiteState, site: str, stats: Mapping[str, Any], now: datetime) -> datetime | None:
    """Notes until when the site is to be left alone after a run with these statistics, and returns it."""
    rests = int(state.get(site, RESTS) or "0")
    until = rest_after(stats, now, rests)
    if until is not None or rests:
        state.set(site, NOT_BEFORE, until.isoformat(timespec="seconds") if until is not None else None)
        state.set(site, RESTS, str(rests + 1) if until is not None else None)
    return until


def rests_until(state: SiteState, site: str, now: datetime) -> datetime | None:
    """The moment that a run now would be too early for; None when it is not."""
    known = state.get(site, NOT_BEFORE)
    until = datetime.fromisoformat(known) if known is not None else None
    return until if until is not None and now < until else None
