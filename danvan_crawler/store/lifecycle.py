"""The revisit schedule and history of an article, as pure functions of its captures.

Portals correct an article in its first days and rarely later, so visits become less frequent: 1, 3, 7, 30 and 180 days
after publication by default. An article that is absent is visited a day later to confirm it. One that is gone is
visited as if it had been published on the day it was gone, because portals restore pages after a move. After the last
of these days, and for an article that was older when it was first captured, `next_visit` gives none: `walk.visits`
spreads the visits to these articles over the nights of a year.

A capture is *absent* if it shows that the article is missing from its address: 404, 410, their soft forms, a redirect
to the front page. The article is *gone* if it was absent twice, at least a day apart, and never present in between;
`gone_at` is the WARC-Date of the capture that confirmed it. A later capture with the article revives it.

Times are WARC-Dates (UTC, microseconds, Z), which sort as text.

The current content of an article is also a function of all its captures (`timeline`). A crawl stores captures in the
order in which responses arrive, a rebuild in the order of WARC-Date. The database is equal after both only if nothing
depends on that order. So each write passes all captures of the article to `timeline` and stores the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import UsageError

DEFAULT_DAYS = (1, 3, 7, 30, 180)
_A_DAY = timedelta(hours=23)
"""A day between two nightly runs, with a margin: each run reaches an article at a slightly different time."""
CONFIRM_AFTER = _A_DAY
"""Least time between two absences that confirm that an article is gone: outages and redesigns last for hours."""
RETRY_DAYS = (0, 0, 1, 3)
"""Days until a failing address is requested again after its first, second, … failed run."""
VISIT_AGAIN_DAYS = (1, 1, 3, 7, 30)
"""The same for an archived article, for which attempts are not limited."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an article, shown by the capture made at `date`."""

    date: str
    kind: str
    """`new`, `edited`, `gone` or `revived`."""
    before: str | None = None
    """Content hash before an edit; `after` is the one after it."""
    after: str | None = None


def _moment(date: str) -> datetime:
    return datetime.fromisoformat(date)


def days_of(text: str) -> tuple[float, ...]:
    """The days in a setting such as "1,3,7,30,180", ascending; "" means never. Raises UsageError for anything else.

    >>> days_of("7, 1, 0.5")
    (0.5, 1.0, 7.0)
    """
    try:
        days = sorted(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        days = [-1.0]
    if any(not 0 < day < 36525 for day in days):
        raise UsageError(f"DANVAN_REVISIT_DAYS must be days after publication such as 1,3,7,30,180, got {text!r}")
    return tuple(days)


def history(present: Iterable[tuple[str, str]], absent: Iterable[str]) -> list[Change]:
    """Changes of an article, oldest first. `present` has (WARC-Date, content hash) of the captures that show it.

    >>> [change.kind for change in history([("2026-01-01T00:00:00.000000Z", "a")], ["2026-01-02T00:00:00.000000Z"])]
    ['new']
    """
    changes: list[Change] = []
    content: str | None = None
    missed_since: str | None = None
    gone = False
    for date, found in sorted([*present, *((date, "") for date in absent)]):
        if found:
            if content is None:
                changes.append(Change(date, "new", after=found))
            elif gone:
                changes.append(Change(date, "revived"))
            if content is not None and found != content:
                changes.append(Change(date, "edited", content, found))
            content, missed_since, gone = found, None, False
        elif content is not None and not gone:
            missed_since = missed_since or date
            if _moment(date) - _moment(missed_since) >= CONFIRM_AFTER:
                changes.append(Change(date, "gone"))
                gone = True
    return changes


def absent_since(last_seen: str, absent: Iterable[str]) -> str | None:
    """WARC-Date of the first absence after the last capture that shows the article."""
    return min((date for date in absent if date > last_seen), default=None)


def gone_at(last_seen: str, absent: Sequence[str]) -> str | None:
    """WARC-Date of the capture that confirmed that the article is gone; None if it is not gone."""
    since = absent_since(last_seen, absent)
    if since is None:
        return None
    sure = warc_date(_moment(since) + CONFIRM_AFTER)
    return min((date for date in absent if date >= sure), default=None)


def next_visit(
    published_at: str | None, first_seen: str, last_seen: str, absent: Sequence[str], days: Sequence[float]
) -> str | None:
    """Time of the next visit; None if there is none. `published_at` is ISO with offset, `days` is ascending.

    >>> seen = "2026-01-02T00:00:00.000000Z"
    >>> next_visit("2026-01-01T08:00:00+07:00", seen, seen, (), (1, 3))
    '2026-01-02T01:00:00.000000Z'
    """
    since, gone = absent_since(last_seen, absent), gone_at(last_seen, absent)
    if since is not None and gone is None:
        return warc_date(_moment(since) + CONFIRM_AFTER)
    visited = last_visit(last_seen, absent)
    begun = _moment(gone) if gone is not None else _begun(published_at, first_seen)
    due = (warc_date(begun + timedelta(days=day)) for day in days)
    return next((moment for moment in due if moment > visited), None)


def last_visit(last_seen: str, absent: Sequence[str]) -> str:
    """WARC-Date of the last capture that shows an article or its absence."""
    return max(last_seen, *absent) if absent else last_seen


def _begun(published_at: str | None, first_seen: str) -> datetime:
    """When the schedule begins: at publication, or at the first capture if the date is later and therefore wrong."""
    seen = _moment(first_seen)
    published = datetime.fromisoformat(published_at) if published_at is not None else seen
    return published if published < seen + timedelta(days=1) else seen


def retry_at(attempts: int, at: str) -> str:
    """When to try an address again that failed at this WARC-Date in its `attempts`-th failed run, counted from 1."""
    return _after(RETRY_DAYS, attempts, at)


def visit_again_at(attempts: int, at: str) -> str:
    """The same as `retry_at` for an archived article."""
    return _after(VISIT_AGAIN_DAYS, attempts, at)


def _after(waits: Sequence[int], attempts: int, at: str) -> str:
    days = waits[min(attempts, len(waits)) - 1]
    return warc_date(_moment(at) + (timedelta(days=days - 1) + _A_DAY if days else timedelta()))


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """One capture (200 or revisit) of an article; sorts by WARC-Date, file, offset."""

    warc_date: str
    warc_file: str
    warc_offset: int
    content_hash: str
    is_canonical: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """The history of an article, from all its captures."""

    first_seen: str
    last_seen: str
    current: str
    """Content hash of the latest capture."""
    numbers: dict[str, int]
    """Revision number of each content hash, counted from 1 in the order of first appearance."""
    representatives: dict[str, Sighting]
    """The capture that represents each revision: the earliest of the canonical address, else of its variants."""


def timeline(sightings: Iterable[Sighting]) -> Timeline:
    """Orders the captures and numbers the revisions. If A becomes B and then A again, A is current and keeps number 1.

    Raises ValueError if there are no captures.
    """
    ordered = sorted(sightings)
    if not ordered:
        raise ValueError("an article has at least one capture")
    numbers: dict[str, int] = {}
    representatives: dict[str, Sighting] = {}
    for sighting in ordered:
        numbers.setdefault(sighting.content_hash, len(numbers) + 1)
        known = representatives.get(sighting.content_hash)
        if known is None or (sighting.is_canonical and not known.is_canonical):
            representatives[sighting.content_hash] = sighting
    return Timeline(ordered[0].warc_date, ordered[-1].warc_date, ordered[-1].content_hash, numbers, representatives)
