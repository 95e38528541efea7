"""Back off from an overloaded server across runs.

The server asks for it (Retry-After of a 429 or 503 that is longer than a run waits), or most of its answers were 429
or 503. In the second case it is not contacted for an hour, twice as long after each further such run, half a day at
most. The end of the wait is stored in the item database for the site and for its hosts, since another site may be on
one of them. A run before that time does not contact them; a good run removes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from danvan_crawler import statistics
from danvan_crawler.exceptions import LeftAloneError
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.site_state import NOT_BEFORE, RESTS, SiteState

LONGEST = timedelta(days=7)
"""Longest wait that is obeyed: some servers ask for more by mistake."""
_FIRST, _AT_MOST = timedelta(hours=1), timedelta(hours=12)
_MANY = 5
"""Fewer answers 429 and 503 than this may be an accident."""


def overloaded(stats: Mapping[str, Any]) -> bool:
    """Whether most answers of a run were 429 or 503, or its last ones were and ended it."""
    refused: int = sum(stats.get(f"downloader/response_status_count/{status}", 0) for status in (429, 503))
    most = refused >= _MANY and refused * 2 > int(stats.get("downloader/response_count", 0))
    return most or bool(stats.get(statistics.OVERLOADED))


def rest_after(stats: Mapping[str, Any], now: datetime, rests: int) -> datetime | None:
    """Until when not to contact the server; None if there is no need. `rests`: earlier runs that backed off."""
    if asked := stats.get(statistics.NOT_BEFORE):
        return min(datetime.fromisoformat(asked), now + LONGEST)
    if overloaded(stats):
        return now + min(_FIRST * int(2 ** min(rests, 10)), _AT_MOST)
    waits_until = stats.get(statistics.WAITS_UNTIL)  # a wait that had not ended when the run ended
    until = datetime.fromisoformat(waits_until) if waits_until else now
    return until if until > now else None


def keep(
    state: SiteState, names: Iterable[str], stats: Mapping[str, Any], now: datetime, *, reason: str = "finished"
) -> datetime | None:
    """Stores until when not to contact the server after a run with these statistics, and returns it.

    `names` are those of the site and its hosts (`names_of`). A run that was cut short, or that got no page, does not
    reset an earlier overload.
    """
    kept = list(names)
    rests = max((int(state.get(name, RESTS) or "0") for name in kept), default=0)
    until = rest_after(stats, now, rests)
    went_well = reason == "finished" and stats.get("downloader/response_status_count/200", 0)
    if until is None and not (rests and went_well):
        return None
    for name in kept:
        state.set(name, NOT_BEFORE, until.isoformat(timespec="seconds") if until is not None else None)
        state.set(name, RESTS, str(rests + 1) if until is not None else None)
    return until


def rests_until(state: SiteState, names: Iterable[str], now: datetime) -> datetime | None:
    """The time before which a run is too early; None if it may run now.

    A time further away than LONGEST came from a wrong clock and is ignored.
    """
    moments = (datetime.fromisoformat(moment) for name in names if (moment := state.get(name, NOT_BEFORE)))
    return max((moment for moment in moments if now < moment <= now + LONGEST), default=None)


def require_rested(site: Site, state: SiteState, now: datetime) -> None:
    """Raises LeftAloneError before the moment until which a site's server is to be left alone."""
    until = rests_until(state, names_of(site), now)
    if until is not None:
        moment = f"{until.astimezone(site.zone):%Y-%m-%d %H:%M} ({site.timezone})"
        raise LeftAloneError(f"its server asked to be left alone until {moment}: not contacted")


def names_of(site: Site) -> list[str]:
    """Under which names a rest is kept: the site's, and those of its hosts, which no site can have."""
    return [site.slug, *(f".host-{host}" for host in sorted(site.contacted_hosts()))]
