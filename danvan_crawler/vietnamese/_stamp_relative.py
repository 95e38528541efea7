"""Relative dates: "5 phút trước", "2 giờ trước", "hôm qua", "Hôm qua, 08:05".

The moment at which the page was fetched has to be known. Minutes and hours give a minute, days and "hôm qua" a day.
Weeks, months and years are too coarse, and "hôm nay" alone is more often the label of a visit counter than a stamp. A
sentence that mentions such an age ("80 ngày trước ngày bầu cử") is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from danvan_crawler.vietnamese import _stamp_clock
from danvan_crawler.vietnamese._stamp_context import labelled
from danvan_crawler.vietnamese._stamp_view import View

_AGO = re.compile(
    r"(?<![\w.,:/-])(?:(?P<days>[0-9]{1,4}) ?(?:ngày|days?)"
    r"|(?P<hours>[0-9]{1,4}) ?(?:giờ|tiếng|hours?)(?: (?P<and>[0-9]{1,2}) ?(?:phút|minutes?))?"
    r"|(?P<minutes>[0-9]{1,4}) ?(?:phút|minutes?|mins?)|(?P<seconds>[0-9]{1,4}) ?(?:giây|seconds?)) (?:trước|ago)(?!\w)"
)
_DAY = re.compile(r"(?<!\w)(?:(?P<yesterday>hôm qua|yesterday)|(?P<before>hôm kia)|(?P<today>hôm nay|today))(?!\w)")
# An age has to stand alone: after a label or separator, before a stop.
_OPENS = re.compile(r"(?:\A|[\n|•·(\[–-])[ ]{0,4}(?:cách đây |khoảng )?\Z")
# A number on the next line is a visit counter ("Hôm qua", then 0).
_STOPS = re.compile(r"[ .]{0,4}(?:\Z|\n(?![ \n]*[0-9.,]+ *(?:\n|\Z))|[|•·\])–-](?! ?[0-9]{1,2}[/.-]))")
_WINDOW = 80


@dataclass(frozen=True, slots=True)
class FoundAge:
    """The moment of an age at view[start:end]."""

    start: int
    end: int
    at: datetime
    precision: Literal["minute", "second", "day"]


def find(seen: View, now: datetime) -> FoundAge | None:
    """The age in a view, subtracted from `now` in its zone; None if there is no age or several disagree."""
    ages = [_ago(match, now) for match in _AGO.finditer(seen.lower)]
    ages += [_named_day(seen, match, now) for match in _DAY.finditer(seen.lower)]
    alone = [age for age in ages if age is not None and _stands_alone(seen, age)]
    if not alone or any(age.at != alone[0].at for age in alone):
        return None
    return alone[0]


def _ago(match: re.Match[str], now: datetime) -> FoundAge | None:
    try:
        if match["days"]:
            at = datetime.combine(now.date() - timedelta(days=int(match["days"])), time(), now.tzinfo)
            return FoundAge(*match.span(), at, "day")
        back = timedelta(
            hours=int(match["hours"] or 0),
            minutes=int(match["minutes"] or match["and"] or 0),
            seconds=int(match["seconds"] or 0),
        )
        return FoundAge(*match.span(), (now - back).replace(second=0, microsecond=0), "minute")
    except OverflowError:
        return None


def _named_day(seen: View, match: re.Match[str], now: datetime) -> FoundAge | None:
    before = _stamp_clock.time_before(seen, match.start())
    after = _stamp_clock.time_after(seen, match.end())
    if before and after:
        return None
    clock = before or after
    if isinstance(clock, _stamp_clock.Refusal) or (clock is None and match["today"]):
        return None
    try:
        day = now.date() - timedelta(days=2 if match["before"] else 0 if match["today"] else 1)
    except OverflowError:
        return None
    if clock is None:
        return FoundAge(*match.span(), datetime.combine(day, time(), now.tzinfo), "day")
    at = datetime.combine(day, clock.at, now.tzinfo)
    start, end = min(match.start(), clock.start), max(match.end(), clock.end)
    if clock.at == time():
        return FoundAge(start, end, at, "day")
    return FoundAge(start, end, at, "second" if clock.seconds else "minute")


def _stands_alone(seen: View, age: FoundAge) -> bool:
    if not _STOPS.match(seen.lower, age.end):
        return False
    first = max(0, age.start - _WINDOW)
    lead = seen.lower[first : age.start]
    # The start of a cut window is not the start of a text.
    if (first == 0 or lead.strip(" ")) and _OPENS.search(lead):
        return True
    return labelled(lead, seen.shown[first : age.start]) is not None
