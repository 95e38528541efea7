"""Provinces and centrally run cities: 63 until 30 June 2025, 34 since, and which of them held on a day.

The key is the ISO 3166-2:VN code. ISO still lists the 63; a unit of 2025 has the code of the province whose name it
keeps, which is well defined because no new name was invented. The two-digit codes of the General Statistics Office are
no keys: since July 2025 seven of them stand for another province than before (24 was Bắc Giang and is Bắc Ninh), so no
function here takes one.

provinces.tsv was compiled from data sets that agree with each other: the Statistics Office's units before and after the
merger (PyPI vietnam-provinces 0.6.0 and 2025.10.1; thanglequoc/vietnamese-provinces-database), two independent maps of
Resolution 202/2025/QH15, and two independent lists of ISO codes. 52 units took part in 23 mergers, 11 did not. The
new authorities work since 1 July 2025. Thừa Thiên Huế became the city of Huế on 1 January 2025 (Resolution
175/2024/QH15), Đồng Nai a city on 30 April 2026 (Resolution 30/2026/QH16, second-hand). When the 63 began was not
looked up, nor what preceded them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from danvan_crawler.vietnamese._place_histories import Histories, day, day_of, lines, parts, spelling

# "Tỉnh Thanh Hóa", "TP. HCM" and the portals' own "Tỉnh ủy Thanh Hóa"; no province's name begins like that.
_KIND = re.compile("(?:tinhuy|thanhuy|tinh|thanhpho|tp)")


@dataclass(frozen=True, slots=True)
class Province:
    """A province or centrally run city as it was for a time."""

    code: str
    """ISO 3166-2:VN; after July 2025 the code of the unit whose name was kept."""
    name: str
    """Without its type, e.g. "Thanh Hóa"."""
    type: str
    """`tỉnh` or `thành phố`."""
    slug: str
    """The name without marks, words joined by hyphens."""
    valid_from: date | None
    """First day; None when it was not looked up."""
    valid_until: date | None
    """First day on which it no longer was; None while it is."""
    successor: str | None
    """Code of what it became, its own when it only grew or was renamed; None while it is."""

    @property
    def full_name(self) -> str:
        """Type and name, e.g. "tỉnh Thanh Hóa"."""
        return f"{self.type} {self.name}"


@cache
def _provinces() -> Histories[Province]:
    periods: dict[str, list[Province]] = {}
    spellings: dict[str, list[str]] = {}
    for row in lines("provinces.tsv"):
        province = Province(
            code=row["code"],
            name=row["name"],
            type=row["type"],
            slug=row["slug"],
            valid_from=day(row["valid_from"]),
            valid_until=day(row["valid_until"]),
            successor=row["successor"] or None,
        )
        periods.setdefault(province.code, []).append(province)
        spellings.setdefault(province.code, []).extend([province.name, *parts(row["aliases"])])
    return Histories({code: tuple(held) for code, held in periods.items()}, spellings)


def lookup(code: str, on: date) -> Province:
    """What held on a day where the province of this ISO 3166-2:VN code is or was.

    A province that was merged gives its successor from the day of the merger. Raises KeyError for an unknown code.

    >>> from datetime import date
    >>> lookup("VN-63", on=date(2025, 6, 30)).full_name, lookup("VN-63", on=date(2025, 7, 1)).full_name
    ('tỉnh Hà Nam', 'tỉnh Ninh Bình')
    >>> lookup("VN-63", on=date(2025, 7, 1)).code
    'VN-18'
    >>> lookup("VN-26", on=date(2024, 12, 31)).full_name, lookup("VN-26", on=date(2025, 1, 1)).full_name
    ('tỉnh Thừa Thiên Huế', 'thành phố Huế')
    """
    held = _provinces().periods.get(code)
    if held is None:
        raise KeyError(f"no province has the code {code!r}: give an ISO 3166-2:VN code such as VN-21")
    asked = day_of(on)
    for province in held:
        if province.valid_until is None or asked < province.valid_until:
            return province
    successor = held[-1].successor
    assert successor is not None  # tests hold the table to it
    return lookup(successor, asked)


def existing(on: date) -> tuple[Province, ...]:
    """All provinces of a day, by name without marks: 63 until 30 June 2025, 34 since.

    >>> from datetime import date
    >>> len(existing(date(2025, 6, 30))), len(existing(date(2025, 7, 1)))
    (63, 34)
    """
    found = {province.code: province for province in (lookup(code, on) for code in _provinces().periods)}
    return tuple(sorted(found.values(), key=lambda province: province.slug))


def find(text: str) -> str | None:
    """The code of the province that is meant by a code or by a name: old or new, with or without marks, as hosts
    spell it, with or without its type. None when there is none.

    >>> find("Thừa Thiên - Huế"), find("TP. HCM"), find("tỉnh Thanh Hoá"), find("daklak"), find("vn-63")
    ('VN-26', 'VN-SG', 'VN-21', 'VN-33', 'VN-63')
    >>> find("35") is None  # a code of the Statistics Office
    True
    """
    code = text.strip().upper()
    if code in _provinces().periods:
        return code
    typed = spelling(text)
    kind = _KIND.match(typed)
    return _provinces().find(typed, typed[kind.end() :] if kind else typed)


def near(text: str) -> list[str]:
    """Names of provinces that resemble `text`, at most three, the likeliest first.

    >>> near("Ninh Bin")
    ['Ninh Bình']
    """
    return _provinces().near(text)


def covered(code: str) -> frozenset[str]:
    """The code with those of all provinces that were merged into it: what a filter for it has to pass.

    Of a province that is no more, and of an unknown code, that is the code alone.

    >>> sorted(covered("VN-18")), sorted(covered("VN-63"))
    (['VN-18', 'VN-63', 'VN-67'], ['VN-63'])
    """
    return _provinces().covered(code)
