"""Times of day, zones and weekdays beside a date.

A time is 18:52, 08:05:51, 8h05, 7h5, 8 giờ 30 phút, with AM/PM, SA/CH (sáng/chiều) or the word itself, shortly before
or after its date. A zone is printed as GMT+7, which is seven hours *ahead* of Greenwich (POSIX and dateutil read the
sign the other way), also as UTC+07:00, +0700, ICT, or as G8T+7 if "GMT" was used as a date format and M became the
month.

Each function returns None if there is no time or zone, and `IMPOSSIBLE` if there is an invalid one: 25:10 beside a
date makes the whole stamp invalid, it does not make it a date without a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta, timezone
from enum import Enum
from typing import Final

from danvan_crawler.vietnamese._stamp_view import View


class Refusal(Enum):
    """Type of `IMPOSSIBLE`."""

    IMPOSSIBLE = "impossible"


IMPOSSIBLE: Final = Refusal.IMPOSSIBLE


@dataclass(frozen=True, slots=True)
class FoundTime:
    """A time of day at view[start:end], without its zone."""

    start: int
    end: int
    at: time
    seconds: bool
    # Written with colons, as programs print it; people write 8h30.
    colons: bool
    # "ngày" between time and date: written by a person rather than printed by a program.
    spoken: bool = False


# "Th 3," is the abbreviation of browsers for Vietnamese (CLDR); WordPress writes May as "Th5".
WEEKDAY = (
    r"(?:th[ứu] {0,2}(?:hai|ba|tư|năm|sáu|bảy|bẩy|[2-7])|ch(?:ủ|úa) {1,2}nhật|t\.?[2-7]|cn"
    r"|(?<![0-9])(?<![0-9] )th ?[2-7](?=,)"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?)(?!\w)"
)
_WEEKDAY_STARTS = (
    r"th[ứu] *(?:hai|2)|t(?:\.|h ?)?2|mon",
    r"th[ứu] *(?:ba|3)|t(?:\.|h ?)?3|tue",
    r"th[ứu] *(?:tư|4)|t(?:\.|h ?)?4|wed",
    r"th[ứu] *(?:năm|5)|t(?:\.|h ?)?5|thu",
    r"th[ứu] *(?:sáu|6)|t(?:\.|h ?)?6|fri",
    r"th[ứu] *(?:b[ảẩ]y|7)|t(?:\.|h ?)?7|sat",
    r"ch|cn|sun",
)
_WEEKDAYS = tuple(map(re.compile, _WEEKDAY_STARTS))
_SMALL = r"[ ,;.|/·•∙»@()\[\]'–—-]{0,8}"
_ZONE = (
    r"(?:[ '’,;|–-]{0,3}[(\[]? ?(?:gmt|utc|g[0-9]{1,2}t)"
    r"(?:(?P<offset> ?[+–-] ?[0-9]{1,2}(?::?[0-9]{2})?)(?![0-9:])|(?![\w+]| ?[+–-] ?[0-9])) ?[)\]]?"
    r"| ?[(\[]?(?P<name>z|ict|giờ (?:hà nội|việt nam))(?!\w)[)\]]?"
    r"| ?[(\[]?(?P<bare>\+[0-9]{2}(?::?[0-9]{2})?|-[0-9]{4})(?![0-9:])[)\]]?)"
)
_ZONE_HERE = re.compile(_ZONE)
# Ambiguous zone abbreviations, and offsets that `_ZONE` could not match in full.
_FOREIGN_ZONE = re.compile(r" ?[(\[]?(?:(?:[ecmp][sd]t|cest|cet|bst|ist|jst|kst|sgt|msk)(?!\w)|(?:gmt|utc) ?[+–-])")

_HALF = r"(?: ?(?P<half>am|pm|a\.m\.?|p\.m\.?|(?:sa|ch)(?!\w)))?"
_PART = r"(?: ?(?P<part>sáng|trưa|chiều|tối)(?!\w))?"
_COLONS = r"(?P<h1>[0-9]{1,2}) ?: ?(?P<m1>[0-9]{1,2})(?: ?: ?(?P<s1>[0-9]{1,2})(?:\.[0-9]{1,9})?)?"
_SPOKEN = (
    r"(?P<h2>[0-9]{1,2}) ?(?:h|g|giờ|gio)(?![a-zà-ỹ]):?"
    r"(?:(?P<m2>[0-9]{1,2})(?: ?(?:phút|ph|p|')(?!\w))?| (?P<m3>[0-9]{1,2}) ?(?:phút|ph|p|'))?"
)
_BOUNDARY = r"(?<![0-9:/])(?<![0-9][.,])"
_BEFORE = re.compile(
    rf"{_BOUNDARY}(?:{_COLONS}{_HALF}|{_SPOKEN}(?: (?P<m4>[0-9]{{1,2}}))?){_PART}(?P<zone>{_ZONE})?"
    rf"(?P<between>{_SMALL}[ \n]?(?:{WEEKDAY}{_SMALL})?"
    rf"(?:(?P<said>ngày(?P<colon> ?:)?|hôm) {{0,2}})?(?:{WEEKDAY}{_SMALL})?)\Z"
)
_AFTER = re.compile(
    rf"(?P<between>(?: ?\n ?|t(?=[0-9])|{_SMALL})(?:{WEEKDAY}{_SMALL})?"
    r"(?:(?:vào )?(?:lúc|hồi)|vào|giờ(?: đăng)?(?=[ :])|time|at)?[ :]{0,2})"
    rf"(?:{_COLONS}{_HALF}|{_SPOKEN})(?![0-9]|:[0-9])(?P<tail>{_PART})"
)
# A number with a colon or an hour sign shortly after a date that `_AFTER` could not match: 08:0512345, 8:05:99.9.
_MANGLED = re.compile(r"[^\w\n]{0,10}[0-9]{1,3} ?(?:: ?[0-9]|h[0-9])")
# 8:05:09 CHLượt xem: the next element follows without a space, with a capital and a small letter; CHIỀU is not CH.
_ATTACHED_HALF = re.compile(r" ?(SA|CH)(?=\w{2})")
# Elapsed and total time of an audio player.
_PLAYER = re.compile(r" ?/ ?[0-9]")
_LINE_ENDS = re.compile(rf"(?:{_ZONE})? ?(?:\n|\Z)")
_STOPS = re.compile(r"[ '.]{0,2}(?:\Z|[\n|()\[\],;·•–-])")
_WINDOW = 64


def time_before(seen: View, start: int) -> FoundTime | Refusal | None:
    """The time directly before a date that starts at `start`; None without one."""
    lower = seen.lower
    first = max(0, start - _WINDOW)
    match = _BEFORE.search(lower[first:start])
    if match is None:
        return None
    begin = first + match.start()
    if "\n" in match["between"] and lower[lower.rfind("\n", 0, begin) + 1 : begin].strip():
        # On the line above, a time belongs to the date only if it begins that line.
        return None
    end = first + match.start("zone" if match["zone"] else "between")
    half = match["half"] or match["part"]
    return _found(match, begin, end, half, spaced=match["m4"], spoken=bool(match["said"] and not match["colon"]))


def time_after(seen: View, end: int) -> FoundTime | Refusal | None:
    """The time directly after a date that ends at `end`; None without one."""
    lower = seen.lower
    match = _AFTER.match(lower, end)
    if match is None:
        return IMPOSSIBLE if _MANGLED.match(lower, end) else None
    last = match.end()
    stops = _STOPS.match(lower, last) is not None
    half = match["half"] or match["part"]
    if match["part"] and not stops:
        # "08:05 Sáng nay, …": the lead follows the stamp without a separator; not the half of the day.
        half, last = match["half"], match.start("tail")
    attached = None if half else _ATTACHED_HALF.match(seen.shown, last)
    if attached and seen.shown[attached.end()].isupper() and seen.shown[attached.end() + 1].islower():
        half, last = attached[1].lower(), attached.end()
    if "\n" in match["between"] and not _LINE_ENDS.match(lower, last):
        # On the line below, a time belongs to the date only if it fills that line.
        return None
    if _PLAYER.match(lower, last):
        return None
    minutes = match["m1"] or match["m2"] or match["m3"]
    if minutes is None and not stops:
        return None
    return _found(match, match.end("between"), last, half)


def _found(
    match: re.Match[str], start: int, end: int, half: str | None, *, spaced: str | None = None, spoken: bool = False
) -> FoundTime | Refusal:
    hour = int(match["h1"] or match["h2"])
    minute = int(match["m1"] or match["m2"] or match["m3"] or spaced or 0)
    second = int(match["s1"] or 0)
    if half:
        turned = _twenty_four(hour, half)
        if turned is None:
            return IMPOSSIBLE
        hour = turned
    if hour > 23 or minute > 59 or second > 59:
        return IMPOSSIBLE
    return FoundTime(start, end, time(hour, minute, second), bool(match["s1"]), match["h1"] is not None, spoken)


def _twenty_four(hour: int, half: str) -> int | None:
    """Hour of the 24-hour clock, or None if hour and half of the day contradict each other.

    Programs that print 14:05 PM mean 14:05; 14:05 AM and 0:30 PM are invalid.
    """
    if half[0] == "a" or half in ("sa", "sáng"):
        if hour > 12:
            return None
        return 0 if hour == 12 else hour
    if half == "trưa":
        return {10: 10, 11: 11, 12: 12, 1: 13, 13: 13}.get(hour)
    if hour == 0:
        return None
    return hour if hour >= 12 else hour + 12


def zone_at(lower: str, position: int, clock: FoundTime | None) -> tuple[timezone, int] | Refusal | None:
    """The zone directly after a stamp that ends at `position`, and the end of the zone with its bracket.

    `clock` is the time in the stamp. After a date without a time only GMT and UTC are zones. A bare -0300 is a zone
    only after seconds, because it could otherwise be the end of a span of hours.
    """
    match = _ZONE_HERE.match(lower, position)
    if match is None:
        return IMPOSSIBLE if _FOREIGN_ZONE.match(lower, position) else None
    bare = match["bare"]
    if (bare or match["name"]) and clock is None:
        return None
    if bare and bare[0] == "-" and not (clock and clock.seconds):
        return None
    if match["name"]:
        printed = "+0" if match["name"] == "z" else "+7"
    else:
        printed = (match["offset"] or bare or "+0").replace(" ", "").replace(":", "")
    digits = printed[1:]
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        return IMPOSSIBLE
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(ahead if printed[0] == "+" else -ahead), match.end()


def weekday_number(text: str) -> int:
    """Number of a weekday that `WEEKDAY` matched, Monday 0 to Sunday 6; "thứ" takes precedence over English "thu"."""
    numbers = [number for number, pattern in enumerate(_WEEKDAYS) if pattern.match(text)]
    return next((number for number in numbers if number != 3), 3)
