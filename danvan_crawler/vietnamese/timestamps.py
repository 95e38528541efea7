"""The publication stamp in a date line of a Party site, read strictly.

A stamp is a full date with day, month and year, perhaps with time and zone, that the line presents as the moment of
publication. Day first, unless the profile sets month first; explicit forms only, nothing fuzzy, and never the present
moment. In doubt the result is None: a missing date can be found elsewhere, a wrong one would not be noticed.

The work is in four private modules: `_stamp_view` (normalises the line), `_stamp_dates` (full dates), `_stamp_clock`
(times, zones, weekdays) and `_stamp_context` (decides whether a date is a publication stamp). `_stamp_relative` reads
"5 phút trước" if the caller passes the time of the fetch. Zones and ISO 8601 are read with python-dateutil, except
"GMT+7", which it reads as seven hours *behind* Greenwich.

The first known portal prints 00:00:00 if no time of day is known, so a displayed midnight means the day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from dateutil import tz
from dateutil.parser import isoparse

from danvan_crawler.vietnamese import _stamp_clock, _stamp_context, _stamp_dates, _stamp_relative
from danvan_crawler.vietnamese._stamp_clock import IMPOSSIBLE, FoundTime, Refusal
from danvan_crawler.vietnamese._stamp_context import Look, Rank
from danvan_crawler.vietnamese._stamp_dates import FoundDate
from danvan_crawler.vietnamese._stamp_view import View, view

Precision = Literal["second", "minute", "day"]

FIRST_YEAR = 1990
LAST_YEAR = 2100

_DIGIT = re.compile(r"[0-9]")
_ZONE_NAME = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*")
_FARTHEST = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One publication stamp.

    at: aware moment, in the printed zone, else in the site's; midnight if only the day is known.
    precision: the finest unit that was printed; "day" also for a printed 00:00 or 00:00:00.
    raw: the characters of the input from the first to the last of date, time and zone, unchanged.
    """

    at: datetime
    precision: Precision
    raw: str


def parse(
    text: str, *, timezone: str = "Asia/Ho_Chi_Minh", now: datetime | None = None, month_first: bool = False
) -> Timestamp | None:
    """Return the publication stamp in `text`, a displayed date line, or None.

    `timezone` is the IANA name of the site's zone; a printed zone takes precedence. `now` (aware) is the time of the
    fetch, needed for relative forms ("2 giờ trước"). `month_first` reads 12/23/2018; it applies to numeric dates only.
    Of several full dates the labelled one is the stamp, and a publication label takes precedence over an update label.
    The result is None for candidates that disagree, spans, dates of documents and impossible dates. Years 1990 to 2100;
    17 means 2017.

    No text raises an error. Raises ValueError for an unknown `timezone` and for a naive `now`.

    >>> parse("Đăng lúc: 23/05/2017 00:00:00 (GMT+7)")
    Timestamp(at=datetime.datetime(2017, 5, 23, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=25200))), \
precision='day', raw='23/05/2017 00:00:00 (GMT+7)')
    >>> parse("Thứ ba - 23/04/2019 17:16   Đã xem: 254").at.isoformat()
    '2019-04-23T17:16:00+07:00'
    >>> parse("12/13/2018") is None
    True
    """
    zone = _zone(timezone)
    if now is not None and now.utcoffset() is None:
        raise ValueError("now has no zone: give an aware datetime")
    seen = view(text)
    if _DIGIT.search(seen.lower):
        dates = _stamp_dates.find(seen, month_first=month_first)
        stamps = [read for found in dates if (read := _read(seen, found, zone)) is not None]
        if stamps:
            return _chosen(stamps)
    return None if now is None else _relative_stamp(seen, now.astimezone(zone))


def _chosen(stamps: list[tuple[Rank, Timestamp | Refusal]]) -> Timestamp | None:
    best = max(rank for rank, _ in stamps)
    agreed: Timestamp | None = None
    for rank, stamp in stamps:
        if rank < best:
            continue
        if isinstance(stamp, Refusal) or (
            agreed is not None and (agreed.at, agreed.precision) != (stamp.at, stamp.precision)
        ):
            return None
        agreed = agreed or stamp
    return agreed


def _read(seen: View, found: FoundDate, zone: tzinfo) -> tuple[Rank, Timestamp | Refusal] | None:
    """Rank and stamp for one full date; None if the date is not a candidate."""
    if found.day is not None and found.day.year < FIRST_YEAR:
        # Founding days and births: too early for a web page.
        return None
    if found.moment is not None:
        return _read_moment(seen, found, zone)
    before, after = _stamp_clock.time_before(seen, found.start), _stamp_clock.time_after(seen, found.end)
    clock = before or after
    start, end, found_time = found.start, found.end, None
    if isinstance(clock, FoundTime):
        start, end, found_time = min(start, clock.start), max(end, clock.end), clock
    # The zone is after the whole stamp, or after a time that comes first: "08:05 GMT+7, 23/05/2017".
    zones = [_stamp_clock.zone_at(seen.lower, end, found_time)]
    if isinstance(zones[0], tuple):
        end = zones[0][1]
    if found_time and found_time.end < found.start:
        zones.append(_stamp_clock.zone_at(seen.lower, found_time.end, found_time))
    look = Look(
        start,
        end,
        mechanical=found_time is not None and found_time.colons and not found_time.spoken,
        spoken=found_time is not None and found_time.spoken,
        short_year=found.short_year,
        separator=found.separator,
    )
    rank = _stamp_context.rank(seen, look)
    if rank is None:
        return None
    offsets = {place[0] for place in zones if isinstance(place, tuple)}
    if found.day is None or IMPOSSIBLE in (before, after, *zones) or (before and after) or len(offsets) > 1:
        return rank, IMPOSSIBLE
    zone = offsets.pop() if offsets else zone
    at = datetime.combine(found.day, found_time.at if found_time else time(), zone)
    precision: Precision = "minute" if found_time and found_time.at != time() else "day"
    if found_time and found_time.seconds and precision == "minute":
        precision = "second"
    return rank, _stamp(seen, look, at, precision)


def _read_moment(seen: View, found: FoundDate, zone: tzinfo) -> tuple[Rank, Timestamp | Refusal] | None:
    """The same for a date with its time, and usually its zone, in one ISO 8601 token."""
    assert found.moment is not None
    look = Look(found.start, found.end, mechanical=True, spoken=False, short_year=False, separator="")
    rank = _stamp_context.rank(seen, look)
    if rank is None:
        return None
    # isoparse reads 24:00 as the next day's midnight; no site means that.
    try:
        at = isoparse(found.moment)
        if found.moment[11:13] == "24" or abs(at.utcoffset() or timedelta()) > _FARTHEST:
            return rank, IMPOSSIBLE
    except ValueError:
        return rank, IMPOSSIBLE
    if _stamp_clock.zone_at(seen.lower, found.end, None) is not None:
        # A second zone after the token; if the token has no zone, no known platform prints this form.
        return rank, IMPOSSIBLE
    at = at.replace(microsecond=0, tzinfo=at.tzinfo or zone)
    if at.time() == time():
        return rank, _stamp(seen, look, at, "day")
    return rank, _stamp(seen, look, at, "second" if found.moment[16:17] == ":" else "minute")


def _stamp(seen: View, look: Look, at: datetime, precision: Precision) -> Timestamp | Refusal:
    """The finished stamp; IMPOSSIBLE if its year is out of range or a weekday printed with it does not match."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR or any(
        day != at.weekday() for day in _stamp_context.weekdays_beside(seen, look)
    ):
        return IMPOSSIBLE
    return Timestamp(at, precision, seen.raw(look.start, look.end))


def _relative_stamp(seen: View, now: datetime) -> Timestamp | None:
    found = _stamp_relative.find(seen, now)
    if found is None or not FIRST_YEAR <= found.at.year <= LAST_YEAR:
        return None
    return Timestamp(found.at, found.precision, seen.raw(found.start, found.end))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    # gettz would read "" as the local zone of this machine, "GMT+7" as a POSIX rule, and a path as a file.
    found: tzinfo | None = tz.gettz(name) if _ZONE_NAME.fullmatch(name) else None
    if found is None or isinstance(found, tz.tzstr):
        raise ValueError(f"unknown timezone {name!r}: give an IANA name like 'Asia/Ho_Chi_Minh'")
    return found
