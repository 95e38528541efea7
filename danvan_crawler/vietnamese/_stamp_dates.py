"""Full dates as Party sites print them: position in a line, and the day.

Four kinds, all with day, month and year. `_stamp_context` decides whether a date is a publication stamp.

    numbers     23/05/2017, 8-6-2023, 23.05.2017, 17 - 05 - 2024, 23/05/17 (day first), 2017-05-23 (year first)
    Vietnamese  23 tháng 5 năm 2017, 23 Tháng 5, 2017 (Joomla, Blogger), 23 Th5 2017, Tháng Năm 23, 2017 (WordPress)
    English     May 23, 2017 and 23 May 2017
    machine     2017-05-23T08:05:00+07:00 (ISO 8601, read by dateutil) and NukeViet's 2017-05-23+0708:05:00

One separator per date: `14 - 16.10.2020` is the end of a range, not the 14th. `9 tháng năm 2017` is nine months of
2017, so a month in words needs its capital there. Numbers attached to digits, paths and document codes are not dates.
But the text of adjacent elements may be joined without a space, so a time may follow directly: 23/05/201708:05.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from danvan_crawler.vietnamese._stamp_view import View

_MONTH_WORDS = {
    "mười một": 11,
    "mười hai": 12,
    "mười": 10,
    "một": 1,
    "hai": 2,
    "ba": 3,
    "tư": 4,
    "bốn": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "bẩy": 7,
    "tám": 8,
    "chín": 9,
}
_ENGLISH_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ENGLISH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WORDS = "|".join(_MONTH_WORDS).replace(" ", "[ ]")
# Boundaries of a date: its digits are not part of a longer number, an address, a file name or a document code
# (12/3/2017/NQ-HĐND).
_ALONE = r"(?:(?<![0-9/_=\\])(?<![0-9][.:])|(?<=[0-9]:[0-5][0-9]))"
_ENDS = r"(?![0-9_]|[/.][0-9]|/\w|\.[a-z])"

# 23/05/2012:30 is either the year 2012 or the year 20 and 12:30.
_YEAR = (
    rf"(?:[0-9]{{4}}|[0-9]{{2}}){_ENDS}(?!:[0-9]{{2}}(?![:0-9]))"
    "|(?:19|20)[0-9]{2}(?=(?:[01]?[0-9]|2[0-3]):[0-5][0-9])"
)

_DIGITS_FIRST = re.compile(
    rf"""{_ALONE}(?:
    (?P<iso>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}t[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.,][0-9]{{1,9}})?)?
        (?:z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)(?![\w:+])
    | (?P<nuke>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?P<abbreviation>\+[0-9]{{2}}|ict)
        (?P<clock>[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})(?![\w:])
    | (?P<y1>[0-9]{{4}})(?P<s1>[-/.])(?P<m1>[0-9]{{1,2}})(?P=s1)(?P<d1>[0-9]{{1,2}}){_ENDS}(?!t[0-9]|[+][0-9]|ict)
    | (?P<d2>[0-9]{{1,2}})[ ]?(?P<s2>[-–/.])[ ]?(?P<m2>[0-9]{{1,2}})[ ]?(?P=s2)[ ]?(?P<y2>{_YEAR})
    | (?P<d3>[0-9]{{1,2}})[ \n/-]{{0,4}}(?:tháng|thang|thg\.?|th\.?)[ \n.-]{{0,4}}
        (?:(?P<m3>[0-9]{{1,2}})|(?P<w3>{_WORDS}))
        (?P<t3>[ \n]?[,/.-]?[ \n]{{0,4}}(?:(?:năm|nam)[ ]{{0,4}})?)(?<![0-9])(?P<y3>[0-9]{{4}}){_ENDS}
    | (?P<d4>[0-9]{{1,2}})(?:st|nd|rd|th)?[ -]{{1,2}}(?P<w4>{_ENGLISH}),?[ -]{{1,2}}(?P<y4>[0-9]{{4}}){_ENDS}
    )""",
    re.VERBOSE,
)
_MONTH_FIRST = re.compile(
    rf"""(?<!\w)(?:
    (?:tháng|thg\.?|th\.?)[ ]{{0,2}}(?:(?P<m5>[0-9]{{1,2}})|(?P<w5>{_WORDS}))[ ](?P<d5>[0-9]{{1,2}}),[
    ]?(?P<y5>[0-9]{{4}}){_ENDS} | (?P<w6>{_ENGLISH})[ ](?P<d6>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[
    ](?P<y6>[0-9]{{4}}){_ENDS}
    )""",
    re.VERBOSE,
)
_MAY_BE_MONTH_FIRST = re.compile(f"(?<!\\w)(?:th[ág.0-9]|{_ENGLISH}[ ])")


@dataclass(frozen=True, slots=True)
class FoundDate:
    """One full date at view[start:end]; `day` is None if there is no such day (31/02, or month 13)."""

    start: int
    end: int
    day: date | None
    # Separator of a numeric date, "" for others. Two-digit years are weak evidence and judged more strictly.
    separator: str = ""
    short_year: bool = False
    # ISO 8601 text of the moment, if date, time and zone are one token.
    moment: str | None = None


def find(seen: View, *, month_first: bool = False) -> Iterator[FoundDate]:
    """Yield the full dates of a view, including impossible ones, ordered by kind and position.

    `month_first` reads numeric dates as month/day/year (12/23/2018), except those with the year first.
    """
    for match in _DIGITS_FIRST.finditer(seen.lower):
        found = _digits_first(seen, match, month_first)
        if found is not None:
            yield found
    if _MAY_BE_MONTH_FIRST.search(seen.lower):
        for match in _MONTH_FIRST.finditer(seen.lower):
            if match["w6"]:
                month = _english_month(match["w6"])
                yield FoundDate(*match.span(), _day(match["y6"], month, match["d6"]))
            else:
                month = int(match["m5"]) if match["m5"] else _MONTH_WORDS[match["w5"]]
                yield FoundDate(*match.span(), _day(match["y5"], month, match["d5"]))


def _digits_first(seen: View, match: re.Match[str], month_first: bool) -> FoundDate | None:
    start, end = match.span()
    if match["y2"]:
        first, second = match["d2"], match["m2"]
        day, month = (second, first) if month_first else (first, second)
        short = len(match["y2"]) == 2
        year = "20" + match["y2"] if short else match["y2"]
        return FoundDate(start, end, _day(year, month, day), match["s2"], short)
    if match["iso"]:
        return FoundDate(start, end, _iso_day(match["iso"][:10]), moment=match["iso"].upper())
    if match["nuke"]:
        # PHP's zone abbreviation is "+07" if the zone has no name, and NukeViet prints it between date and time.
        offset = "+07" if match["abbreviation"] == "ict" else match["abbreviation"]
        moment = f"{match['nuke']}T{match['clock']}{offset}"
        return FoundDate(start, end, _iso_day(match["nuke"]), moment=moment)
    if match["y1"]:
        return FoundDate(start, end, _day(match["y1"], match["m1"], match["d1"]), match["s1"])
    if match["y4"]:
        return FoundDate(start, end, _day(match["y4"], _english_month(match["w4"]), match["d4"]))
    # "Tháng Năm 2017" names May; "tháng năm 2017" and "THÁNG NĂM 2017" may be months of the year 2017.
    may_be_year = match["w3"] == "năm" and not match["t3"].strip()
    if may_be_year and seen.shown[slice(*match.span("w3"))] != "Năm":
        return None
    month3 = int(match["m3"]) if match["m3"] else _MONTH_WORDS[match["w3"]]
    return FoundDate(start, end, _day(match["y3"], month3, match["d3"]))


def _english_month(word: str) -> int:
    return _ENGLISH_MONTHS.index(word[:3]) + 1


def _iso_day(text: str) -> date | None:
    return _day(text[:4], text[5:7], text[8:10])


def _day(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
