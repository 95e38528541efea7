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
from danvan_crawler.exceptions import CooldownError
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.site_state import NOT_BEFORE, OVERLOADS, SiteState

LONGEST = timedelta(days=7)
"""Longest accepted wait: some servers ask for more by mistake."""
_FIRST, _AT_MOST = timedelta(hours=1), timedelta(hours=12)
_MANY = 5
"""Fewer responses 429 and 503 than this are ignored."""


def overloaded(stats: Mapping[str, Any]) -> bool:
    """Whether most answers of a run were 429 or 503, or its last ones were and ended it."""
    refused: int = sum(stats.get(f"downloader/response_status_count/{status}", 0) for status in (429, 503))
    most = refused >= _MANY and refused * 2 > int(stats.get("downloader/response_count", 0))
    return most or bool(stats.get(statistics.OVERLOADED))


def cooldown_after(stats: Mapping[str, Any], now: datetime, overloads: int) -> datetime | None:
    """Until when not to contact the server; None if it may be contacted. `overloads`: runs before that backed off."""
    if asked := stats.get(statistics.NOT_BEFORE):
        return min(datetime.fromisoformat(asked), now + LONGEST)
    if overloaded(stats):
        return now + min(_FIRST * int(2 ** min(overloads, 10)), _AT_MOST)
    waits_until = stats.get(statistics.WAITS_UNTIL)  # a wait that had not ended when the run ended
    until = datetime.fromisoformat(waits_until) if waits_until else now
    return until if until > now else None


def store_cooldown(
    state: SiteState, names: Iterable[str], stats: Mapping[str, Any], now: datetime, *, reason: str = "finished"
) -> datetime | None:
    """Stores until when not to contact the server after a run with these statistics, and returns it.

    `names` are those of the site and its hosts (`cooldown_names`). An interrupted run and a run without any page do not
    reset an earlier overload.
    """
    kept = list(names)
    overloads = max((int(state.get(name, OVERLOADS) or "0") for name in kept), default=0)
    until = cooldown_after(stats, now, overloads)
    went_well = reason == "finished" and stats.get("downloader/response_status_count/200", 0)
    if until is None and not (overloads and went_well):
        return None
    for name in kept:
        state.set(name, NOT_BEFORE, until.isoformat(timespec="seconds") if until is not None else None)
        state.set(name, OVERLOADS, str(overloads + 1) if until is not None else None)
    return until


def cooldown_until(state: SiteState, names: Iterable[str], now: datetime) -> datetime | None:
    """The time before which a run is too early; None if it may run now.

    A time further away than LONGEST came from a wrong clock and is ignored.
    """
    moments = (datetime.fromisoformat(moment) for name in names if (moment := state.get(name, NOT_BEFORE)))
    return max((moment for moment in moments if now < moment <= now + LONGEST), default=None)


def require_cooldown_over(site: Site, state: SiteState, now: datetime) -> None:
    """Raises CooldownError if a site's server must not be contacted yet."""
    until = cooldown_until(state, cooldown_names(site), now)
    if until is not None:
        moment = f"{until.astimezone(site.zone):%Y-%m-%d %H:%M} ({site.timezone})"
        raise CooldownError(f"its server must not be contacted until {moment}: not contacted")


def cooldown_names(site: Site) -> list[str]:
    """The names under which a cooldown is stored: the site's slug, and names for its hosts, which no slug can equal."""
    return [site.slug, *(f".host-{host}" for host in sorted(site.contacted_hosts()))]
