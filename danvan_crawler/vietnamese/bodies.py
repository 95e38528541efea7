"""Kinds of provincial Party bodies, and which of them existed on a day.

In February 2025 the departments for propaganda (Ban Tuyên giáo) and mass mobilisation (Ban Dân vận) were merged into
one, Ban Tuyên giáo và Dân vận. Sources of the days in bodies.tsv, from archived news of that time:

- Centre: 3 February 2025 (znews.vn). Thành phố Hồ Chí Minh and Đồng Tháp: with effect from the same day
  (hoinhabaohcm.vn, nhandan.vn). This day is used for every province with no day of its own, UNVERIFIED for those.
- Bắc Giang: from 1 March 2025, Decision 983-QĐ/TU of 12 February (baobacgiang.vn).
- Tiền Giang 6 February (congly.vn) and Thanh Hóa 11 February (nguoilambao.vn): days on which it was announced.
- Đảng ủy Khối ended when Đảng ủy các cơ quan Đảng and Đảng ủy Ủy ban nhân dân were founded; it has no single
  successor, so its sites keep their kind. The day is that of the Centre, UNVERIFIED for the provinces.
- Party newspapers were merged with radio and television between 2019 and 2025, on different days, and stayed the
  newspapers of their committees: one kind without an end.

A profile may name kinds that are not listed here. They have no history here; callers keep them as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from danvan_crawler.vietnamese._place_histories import Histories, day, day_of, lines, parts, spelling
from danvan_crawler.vietnamese.text import fold

# Whose body it is: "Ban Dân vận Tỉnh ủy Thanh Hóa", "Ban Tuyên giáo Trung ương".
_OWNER = re.compile(r"(?<=\w)[\W_]+(?:tinh|thanh|trung)[\W_]+(?:uy|uong)\b.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """A kind of Party body during one period."""

    slug: str
    """Its name in profiles and items, e.g. `ban-dan-van`."""
    name: str
    valid_from: date | None
    """First day; None if it was not looked up."""
    valid_until: date | None
    """First day on which it no longer existed; None if it still exists."""
    successor: str | None
    """Slug of its successor; None if there is no single one."""


@cache
def _bodies() -> Histories[Body]:
    periods: dict[str, tuple[Body, ...]] = {}
    spellings: dict[str, list[str]] = {}
    for row in lines("bodies.tsv"):
        slug = row["slug"]
        successor = row["successor"] or None
        periods[slug] = (Body(slug, row["name"], day(row["valid_from"]), day(row["valid_until"]), successor),)
        spellings[slug] = [slug, row["name"], *parts(row["aliases"])]
    return Histories(periods, spellings)


@cache
def _provincial_ends() -> dict[tuple[str, str], date]:
    """(slug, code of a province) -> the province's own `valid_until`, if it differs from the general one."""
    return {
        (row["slug"], province): date.fromisoformat(until)
        for row in lines("bodies.tsv")
        for province, until in (part.split("=") for part in parts(row["elsewhere"]))
    }


def lookup(slug: str, on: date, *, province: str | None = None) -> Body:
    """The kind of body that existed on a day in the place of this one.

    `province`: the ISO 3166-2:VN code, for the few provinces that merged theirs on another day. From the day of a
    merger, the result is the successor. A body that ended without a single successor is returned itself, and so is one
    that is younger than the day, because its predecessor is ambiguous. Raises KeyError for an unknown slug.

    >>> from datetime import date
    >>> lookup("ban-dan-van", on=date(2025, 2, 2)).name, lookup("ban-dan-van", on=date(2025, 2, 3)).name
    ('Ban Dân vận', 'Ban Tuyên giáo và Dân vận')
    >>> lookup("ban-dan-van", on=date(2025, 2, 28), province="VN-54").slug
    'ban-dan-van'
    """
    held = _bodies().periods.get(slug)
    if held is None:
        raise KeyError(f"no kind of body has the slug {slug!r}: known are {', '.join(_bodies().periods)}")
    (body,) = held
    asked = day_of(on)
    until = _provincial_ends().get((slug, province), body.valid_until) if province is not None else body.valid_until
    if until is None or asked < until or body.successor is None:
        return replace(body, valid_until=until)
    return replace(lookup(body.successor, asked, province=province), valid_from=until)


def find(text: str) -> str | None:
    """The slug for a slug or a name of a kind of body, with or without marks and owner; None if it is unknown.

    >>> find("Ban Dân vận Tỉnh uỷ Thanh Hoá"), find("uy ban kiem tra"), find("danvan"), find("Thành ủy")
    ('ban-dan-van', 'uy-ban-kiem-tra', 'ban-dan-van', 'tinh-uy')
    """
    return _bodies().find(spelling(text), spelling(_OWNER.sub("", fold(text))))


def near(text: str) -> list[str]:
    """Names of kinds of bodies that resemble `text`, at most three, the likeliest first.

    >>> near("Ban Dân vận động")
    ['Ban Dân vận']
    """
    return _bodies().near(text)


def covered(slug: str) -> frozenset[str]:
    """The slug with those of all bodies that were merged into it, e.g. for a filter.

    >>> sorted(covered("ban-tuyen-giao-va-dan-van")), sorted(covered("ban-dan-van"))
    (['ban-dan-van', 'ban-tuyen-giao', 'ban-tuyen-giao-va-dan-van'], ['ban-dan-van'])
    """
    return _bodies().covered(slug)
