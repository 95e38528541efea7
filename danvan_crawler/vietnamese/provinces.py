"""Provinces and centrally run cities: 63 until 30 June 2025, 34 since, and which of them existed on a day.

The key is the ISO 3166-2:VN code. ISO still lists the 63; a unit of 2025 has the code of the province whose name it
keeps, which is well defined because no new name was invented. The two-digit codes of the General Statistics Office are
not used: since July 2025 seven of them mean another province than before (24 was Bắc Giang and is Bắc Ninh).

provinces.tsv was compiled from data sets that agree with each other: the Statistics Office's units before and after the
merger (PyPI vietnam-provinces 0.6.0 and 2025.10.1; thanglequoc/vietnamese-provinces-database), two independent maps of
Resolution 202/2025/QH15, and two independent lists of ISO codes. 52 units took part in 23 mergers, 11 did not. The
new authorities have worked since 1 July 2025. Thừa Thiên Huế became the city of Huế on 1 January 2025 (Resolution
175/2024/QH15), Đồng Nai a city on 30 April 2026 (Resolution 30/2026/QH16, second-hand). The first days and the
predecessors of the 63 were not looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from danvan_crawler.vietnamese._place_histories import Histories, day, day_of, lines, parts, spelling

# "Tỉnh Thanh Hóa", "TP. HCM" and the portals' "Tỉnh ủy Thanh Hóa". No name of a province begins with these.
_KIND = re.compile("(?:tinhuy|thanhuy|tinh|thanhpho|tp)")


@dataclass(frozen=True, slots=True)
class Province:
    """A province or centrally run city during one period."""

    code: str
    """ISO 3166-2:VN; after July 2025 the code of the unit whose name was kept."""
    name: str
    """Without its type, e.g. "Thanh Hóa"."""
    type: str
    """`tỉnh` or `thành phố`."""
    slug: str
    """The name without marks, words joined by hyphens."""
    valid_from: date | None
    """First day; None if it was not looked up."""
    valid_until: date | None
    """First day on which it no longer existed; None if it still exists."""
    successor: str | None
    """Code of its successor, its own code if it only grew or was renamed; None if it still exists."""

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
    """The province that existed on a day in the place of the one with this ISO 3166-2:VN code.

    From the day of a merger, the result is the successor. Raises KeyError for an unknown code.

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
    assert successor is not None  # tests check this for the whole table
    return lookup(successor, asked)


def existing(on: date) -> tuple[Province, ...]:
    """All provinces of a day, sorted by name without marks: 63 until 30 June 2025, 34 since.

    >>> from datetime import date
    >>> len(existing(date(2025, 6, 30))), len(existing(date(2025, 7, 1)))
    (63, 34)
    """
    found = {province.code: province for province in (lookup(code, on) for code in _provinces().periods)}
    return tuple(sorted(found.values(), key=lambda province: province.slug))


def find(text: str) -> str | None:
    """The code of a province by its code or name; None if it is unknown.

    The name may be old or new, with or without marks and type, or spelled as in host names.

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
    """The code with those of all provinces that were merged into it, e.g. for a filter.

    Only the code itself if the province no longer exists or the code is unknown.

    >>> sorted(covered("VN-18")), sorted(covered("VN-63"))
    (['VN-18', 'VN-63', 'VN-67'], ['VN-63'])
    """
    return _provinces().covered(code)
