"""The publication date of an article, chosen from all dates on its page.

The displayed stamp is one of several sources. JSON-LD, OpenGraph, <time> elements, the address and the feed also have
a publication date, and each is wrong on some platform. NukeViet's metadata has the time of the last edit; some systems
print the present moment if they have no date; a number in an address may look like a day. So a family lists the sources
that it trusts, in order. `choose` takes the first plausible date, and reports contradictions as warnings.

An implausible displayed stamp is kept, with a warning, because readers see it. Metadata and addresses only replace a
missing stamp, so they are not used in doubt: a wrong date is worse than a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from dateutil import tz

from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.timestamps import Timestamp

Source = Literal["visible", "json-ld", "opengraph", "time", "url", "feed"]
PublishedFrom = Literal["visible", "metadata", "url"]

PUBLISHED_FROM: Mapping[Source, PublishedFrom] = {
    "visible": "visible",
    "json-ld": "metadata",
    "opengraph": "metadata",
    "time": "metadata",
    "feed": "metadata",
    "url": "url",
}
"""Value of an item's `published_from` for each source."""
DISPLAY_FIRST: tuple[Source, ...] = ("visible", "json-ld", "opengraph", "time", "feed", "url")
"""The default order of trust."""

FUTURE = "published in the future"
EARLY = "published before the site's first year"
CLOCK = "published at the moment of capture, perhaps the page's clock"
CLOCK_ONLY = "no date but the page's clock"
FUTURE_TOLERANCE = timedelta(days=7)
"""Portals publish in advance and clocks differ; a stamp further in the future than this is an error."""
ZONE_TOLERANCE = timedelta(days=1)
"""The same for dates that are not displayed; only allows for a wrong zone."""
CLOCK_TOLERANCE = timedelta(minutes=10)
"""A stamp this close to the moment of capture may be the page's clock; servers' clocks differ by as much."""

_YEAR_FIRST = re.compile(r"\s*\d{4}[-/]\d\d?[-/]\d\d?")
_MONTH_IN_WORDS = re.compile(r"\s*(?:[A-Za-z]{3,9},?\s+)?(?:\d\d?\s+[A-Za-z]{3,9}|[A-Za-z]{3,9}\s+\d\d?)\b")
_STEPS = re.compile(r"(?<=/)((?:19|20)\d\d)([/-])(\d\d)\2(\d\d)(?=/)")
_COMPACT = re.compile(r"(?<![0-9A-Za-z%])((?:19|20)\d\d)(\d\d)(\d\d)(?:\d{6}(?:\d{3})?)?(?![0-9A-Za-z])")
_IN_ADDRESS = re.compile(rf"{_STEPS.pattern}|{_COMPACT.pattern}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible publication date of an article.

    raw: the text of the source; for an address the whole address or its path. in_header: printed outside the article,
    where a portal has its clock ("Thứ hai, 23/11/2026").
    """

    source: Source
    raw: str
    in_header: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Result of `choose`. All fields but `warnings` are None if no candidate is usable.

    raw: the candidate's text; for an address only the date in it, with its separators.
    """

    stamp: Timestamp | None = None
    source: Source | None = None
    raw: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def published_from(self) -> PublishedFrom | None:
        """The source as a value of an item's `published_from`."""
        return PUBLISHED_FROM[self.source] if self.source is not None else None


def choose(
    candidates: Iterable[Candidate],
    *,
    trust: Sequence[Source] = DISPLAY_FIRST,
    captured_at: str = "",
    first_year: int | None = None,
    timezone: str = "Asia/Ho_Chi_Minh",
    clock_offset: timedelta = timedelta(),
    month_first: bool = False,
) -> Choice:
    """The stamp of the most trusted candidate that is readable and plausible, with warnings.

    `trust` lists sources in falling order; candidates of other sources are ignored, also for comparison.
    `captured_at`: WARC-Date of the page; if empty, nothing is compared with the time of capture. `first_year`: the
    site's. `timezone` and `month_first` as for `timestamps.parse`; `clock_offset`: how far the site's clock is ahead.

    A source that is not displayed is ignored if it has several days (those of related news).

    >>> both = [Candidate("visible", "Ngày 23/05/2017"), Candidate("json-ld", "2017-06-09T09:41:12+07:00")]
    >>> choose(both).stamp.raw, choose(both).warnings
    ('23/05/2017', ('dates disagree: visible 2017-05-23, json-ld 2017-06-09',))
    >>> choose([Candidate("visible", "Thứ hai, 23/11/2026", in_header=True)], captured_at="2026-11-23T08:00:00Z")
    Choice(stamp=None, source=None, raw=None, warnings=("no date but the page's clock",))
    """
    zone = tz.gettz(timezone)
    captured = datetime.fromisoformat(captured_at) if captured_at else None
    usable: list[tuple[Candidate, Timestamp]] = []
    refused: list[str] = []
    has_clock = False
    trusted = [candidate for candidate in candidates if candidate.source in trust]
    for candidate in sorted(trusted, key=lambda known: trust.index(known.source)):
        stamp = read(candidate.raw, PUBLISHED_FROM[candidate.source], timezone=timezone, month_first=month_first)
        if stamp is None:
            continue
        at = moment(stamp, zone, clock_offset)
        if candidate.in_header and _is_clock(at, captured):
            has_clock = True
            continue
        odd = []
        if candidate.source != "visible":
            odd = list(doubts(at, stamp.precision, captured, first_year, ahead=ZONE_TOLERANCE))
            refused += [f"{candidate.source} date not used: {doubt}" for doubt in odd]
        if not odd:
            usable.append((candidate, stamp))
    usable = _consistent(usable, zone)
    if not usable:
        return Choice(warnings=tuple(dict.fromkeys([CLOCK_ONLY] * has_clock + refused)))
    chosen, stamp = usable[0]
    warnings = [*doubts(moment(stamp, zone, clock_offset), stamp.precision, captured, first_year), *refused]
    others = [(known, other) for known, other in usable[1:] if not _days(stamp, zone) & _days(other, zone)]
    if others:
        named = (f"{known.source} {found.at.date()}" for known, found in (usable[0], *others))
        warnings.append(f"dates disagree: {', '.join(dict.fromkeys(named))}")
    raw = stamp.raw if chosen.source == "url" else chosen.raw
    return Choice(stamp, chosen.source, raw, tuple(dict.fromkeys(warnings)))


@lru_cache(maxsize=1024)  # the pipeline stage reads the same text again after the family
def read(
    raw: str, published_from: PublishedFrom, *, timezone: str = "Asia/Ho_Chi_Minh", month_first: bool = False
) -> Timestamp | None:
    """The stamp in the text of one kind of source; None if in doubt.

    Displayed: as `timestamps.parse` does. Metadata: only with the year first or the month in words, because servers
    with American settings print "5/6/2017 8:05:00 AM" there; midnight in the site's zone or in the printed zone is not
    a time of day. Address: see `in_address`.

    >>> read("2017-05-22T17:00:00Z", "metadata").at.isoformat(), read("2017-05-22T17:00:00Z", "metadata").precision
    ('2017-05-23T00:00:00+07:00', 'day')
    >>> read("5/6/2017 8:05:00 AM", "metadata") is None
    True
    >>> read("https://example.vn/2017/05/23/hoi-nghi.html", "url").raw
    '2017/05/23'
    """
    if published_from == "visible":
        return timestamps.parse(raw, timezone=timezone, month_first=month_first)
    zone = tz.gettz(timezone)
    if published_from == "url":
        # A date that was extracted from an address before has no slashes around it.
        found = in_address(raw if "/" in raw[:-1] and ":" in raw else f"/{raw}/")
        return Timestamp(datetime.combine(found[0], time(), zone), "day", found[1]) if found is not None else None
    if not (_YEAR_FIRST.match(raw) or _MONTH_IN_WORDS.match(raw)):
        return None
    stamp = timestamps.parse(raw, timezone=timezone)
    if stamp is None:
        return None
    local = stamp.at.astimezone(zone)
    if stamp.precision == "day":
        return replace(stamp, at=stamp.at.replace(tzinfo=zone))
    return replace(stamp, at=local, precision="day") if local.time() == time() else stamp


def in_address(url: str) -> tuple[date, str] | None:
    """The day in an address, and its characters there; None if there is no day, or several.

    Year, month and day as segments of the path (`/2017/05/23/`, `/2017-05-23/`), or as eight digits alone or before a
    time (`-20170523.html`, `/20170523081530`). The query is ignored, because filters have dates.

    >>> in_address("https://example.vn/tin-tuc/hoi-nghi-20170523.html")
    (datetime.date(2017, 5, 23), '20170523')
    >>> in_address("https://example.vn/2017/05/hoi-nghi-20171345.html") is None
    True
    """
    found = set(_days_in(url.split("?", 1)[0].split("#", 1)[0]))
    return found.pop() if len({day for day, _ in found}) == 1 else None


def _days_in(path: str) -> Iterator[tuple[date, str]]:
    for match in _IN_ADDRESS.finditer(path):
        year, month, day = (match[number] or match[number + offset] for number, offset in ((1, 4), (3, 3), (4, 3)))
        try:
            named = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if named.year >= timestamps.FIRST_YEAR:
            yield named, match[0]


def moment(stamp: Timestamp, zone: tzinfo | None, clock_offset: timedelta) -> datetime:
    """A stamp in the site's zone, with the site's clock offset subtracted.

    A stamp with only a day is not corrected, because it does not depend on the clock.
    """
    at = stamp.at if stamp.precision == "day" else stamp.at - clock_offset
    return at.astimezone(zone)


def doubts(
    at: datetime,
    precision: str | None,
    captured: datetime | None,
    first_year: int | None,
    *,
    ahead: timedelta = FUTURE_TOLERANCE,
) -> Iterator[str]:
    """Yield a warning for each implausible aspect of a publication date.

    `precision` is the stamp's; None means the same as "day". Dates are compared with the time of capture, never with
    the current time, so that a rebuild gives the same result.
    """
    if captured is not None and at - captured > ahead:
        yield FUTURE
    elif captured is not None and precision not in ("day", None) and abs(at - captured) <= CLOCK_TOLERANCE:
        yield CLOCK
    if first_year is not None and at.year < first_year:
        yield EARLY


def _is_clock(at: datetime, captured: datetime | None) -> bool:
    """Whether a date in the page's header is within a day of the capture: server clocks may be some hours off."""
    return captured is None or abs((at.date() - captured.astimezone(at.tzinfo).date()).days) <= 1


def _days(stamp: Timestamp, zone: tzinfo | None) -> set[date]:
    """The printed day and the day in the site's zone, because servers confuse local time and UTC."""
    return {stamp.at.date(), stamp.at.astimezone(zone).date()}


def _consistent(
    usable: Iterable[tuple[Candidate, Timestamp]], zone: tzinfo | None
) -> list[tuple[Candidate, Timestamp]]:
    """`usable` without the sources that are not displayed and contradict themselves."""
    known = list(usable)
    common: dict[Source, set[date]] = {}
    for candidate, stamp in known:
        common[candidate.source] = common.get(candidate.source, _days(stamp, zone)) & _days(stamp, zone)
    return [entry for entry in known if entry[0].source == "visible" or common[entry[0].source]]
