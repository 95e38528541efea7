"""A server that was asked too much is left alone, also by the next runs.

It says so itself (Retry-After of a 429 or 503 that is longer than a run waits), or it shows it: when most of what it
answered was 429 or 503, it rests for an hour, twice as long after each further run that ends so, half a day at most.
The moment is kept in the item database for the site and for its hosts, since another site may be on one of them; a run
before it does not contact them, and one that goes well forgets it.
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
"""A server that asks for more is asked again all the same: some say so by mistake."""
_FIRST, _AT_MOST = timedelta(hours=1), timedelta(hours=12)
_MANY = 5
"""Answers 429 and 503 that are no accident."""


def overloaded(stats: Mapping[str, Any]) -> bool:
    """Whether most answers of a run were 429 or 503, or its last ones were and ended it."""
    refused: int = sum(stats.get(f"downloader/response_status_count/{status}", 0) for status in (429, 503))
    most = refused >= _MANY and refused * 2 > int(stats.get("downloader/response_count", 0))
    return most or bool(stats.get(statistics.OVERLOADED))


def rest_after(stats: Mapping[str, Any], now: datetime, rests: int) -> datetime | None:
    """Until when the server is to be left alone; None when there is no need. `rests`: runs before that said so."""
    if asked := stats.get(statistics.NOT_BEFORE):
        return min(datetime.fromisoformat(asked), now + LONGEST)
    if overloaded(stats):
        return now + min(_FIRST * int(2 ** min(rests, 10)), _AT_MOST)
    waits_until = stats.get(statistics.WAITS_UNTIL)  # a wait that the run did not sit out to its end
    until = datetime.fromisoformat(waits_until) if waits_until else now
    return until if until > now else None


def keep(
    state: SiteState, names: Iterable[str], stats: Mapping[str, Any], now: datetime, *, reason: str = "finished"
) -> datetime | None:
    """Notes until when nobody is to be asked after a run with these statistics, and returns it.

    `names` are those of the site and its hosts (`names_of`). A run that was cut short, or that got no page, says
    nothing of a server that was asked too much before.
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
    """The moment that a run now would be too early for; None when it is not.

    One further away than anybody is left alone was noted by a clock that was wrong.
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
    return [site.slug, *(f".host-{host}" for host in sorted(site.hosts_asked()))]
