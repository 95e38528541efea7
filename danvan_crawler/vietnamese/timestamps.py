"""The publication stamp in a date line of a Party site, read strictly.

A stamp is a full date with day, month and year, perhaps with time and zone, that the line presents as the moment of
publication. Day first unless the site is known to write the month first; explicit forms only, nothing fuzzy, and
never the present moment. What cannot be told is None: a date that is missing is looked for elsewhere, a wrong one is
believed.

The work is in four private modules: `_stamp_view` (the line as patterns see it), `_stamp_dates` (full dates),
`_stamp_clock` (times, zones, weekdays) and `_stamp_context` (is it a publication stamp?); `_stamp_relative` reads "5
phút trước" for callers that know when the page was fetched. Zones and ISO 8601 are python-dateutil's; its own reading
of "GMT+7" is seven hours *behind* Greenwich, so that is done here.

Seen on the seed portal: 00:00:00 is printed where no time of day is known, so a displayed midnight means the day.
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

    at: aware moment, in the printed zone, else in the site's; midnight when only the day is known.
    precision: the finest unit that was printed; "day" also for a printed 00:00 or 00:00:00.
    raw: the characters of the input from the first to the last of date, time and zone, untouched.
    """

    at: datetime
    precision: Precision
    raw: str


def parse(
    text: str, *, timezone: str = "Asia/Ho_Chi_Minh", now: datetime | None = None, month_first: bool = False
) -> Timestamp | None:
    """Return the publication stamp that `text`, a date line as displayed, holds, or None.

    `timezone` is the IANA name of the zone that the site's clock shows; a printed zone wins. `now`, aware, is the
    moment at which the page was fetched: relative forms ("2 giờ trước") need it. `month_first` reads 12/23/2018, and
    only dates in numbers. Of several full dates the labelled one is the stamp, a publication label before an update
    label; candidates that disagree are None, like spans, dates of documents and impossible dates. Years 1990 to 2100;
    17 means 2017.

    No text raises. ValueError for an unknown `timezone` and for a naive `now`.

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
    """The stamp around one full date with its rank; None when the date is no candidate at all."""
    if found.day is not None and found.day.year < FIRST_YEAR:
        # Founding days and births: real dates, and certainly not when a web page was published.
        return None
    if found.moment is not None:
        return _read_moment(seen, found, zone)
    before, after = _stamp_clock.time_before(seen, found.start), _stamp_clock.time_after(seen, found.end)
    clock = before or after
    start, end, finder = found.start, found.end, None
    if isinstance(clock, FoundTime):
        start, end, finder = min(start, clock.start), max(end, clock.end), clock
    # The zone stands behind the whole stamp or behind a time that comes first: "08:05 GMT+7, 23/05/2017".
    zones = [_stamp_clock.zone_at(seen.lower, end, finder)]
    if isinstance(zones[0], tuple):
        end = zones[0][1]
    if finder and finder.end < found.start:
        zones.append(_stamp_clock.zone_at(seen.lower, finder.end, finder))
    look = Look(
        start,
        end,
        mechanical=finder is not None and finder.colons and not finder.spoken,
        spoken=finder is not None and finder.spoken,
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
    at = datetime.combine(found.day, finder.at if finder else time(), zone)
    precision: Precision = "minute" if finder and finder.at != time() else "day"
    if finder and finder.seconds and precision == "minute":
        precision = "second"
    return rank, _stamp(seen, look, at, precision)


def _read_moment(seen: View, found: FoundDate, zone: tzinfo) -> tuple[Rank, Timestamp | Refusal] | None:
    """The same for a date that came with its time, and mostly its zone, in one ISO 8601 token."""
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
        # A second zone behind the token; behind a token without one this is no form that any platform prints.
        return rank, IMPOSSIBLE
    at = at.replace(microsecond=0, tzinfo=at.tzinfo or zone)
    if at.time() == time():
        return rank, _stamp(seen, look, at, "day")
    return rank, _stamp(seen, look, at, "second" if found.moment[16:17] == ":" else "minute")


def _stamp(seen: View, look: Look, at: datetime, precision: Precision) -> Timestamp | Refusal:
    """The finished stamp, unless its year or a weekday printed with it says that the date was misread or misprinted."""
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
    # gettz would read "" as this machine's zone, "GMT+7" as a POSIX rule, and a path as a file.
    found: tzinfo | None = tz.gettz(name) if _ZONE_NAME.fullmatch(name) else None
    if found is None or isinstance(found, tz.tzstr):
        raise ValueError(f"unknown timezone {name!r}: give an IANA name like 'Asia/Ho_Chi_Minh'")
    return found
