"""Common parts of provinces and bodies: tables of periods, and lookup by any spelling of a name.

A table is a TSV file beside this module, one line per unit and period. `valid_from` is the first day of a period,
`valid_until` the first day after it. Both are empty if there is no such day or it was not looked up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from importlib import resources
from typing import Generic, Protocol, TypeVar

from danvan_crawler.vietnamese.text import fold

_NEAR = 3
"""Maximum number of suggested names."""
_LIKENESS = 0.75
"""Minimum similarity (difflib's ratio) of a suggested name."""
_SEPARATORS = re.compile(r"[\W_]+")


class Period(Protocol):
    """State of a unit during one period."""

    @property
    def name(self) -> str: ...
    @property
    def valid_until(self) -> date | None: ...
    @property
    def successor(self) -> str | None: ...


P = TypeVar("P", bound=Period)


class Histories(Generic[P]):
    """Units by key, each with its periods in order of time; finds a key for any spelling."""

    def __init__(self, periods: Mapping[str, tuple[P, ...]], spellings: Mapping[str, Iterable[str]]) -> None:
        self.periods = periods
        names = {spelling(period.name): period.name for held in periods.values() for period in held}
        self._names = dict(sorted(names.items()))
        self._keys = {spelling(text): key for key, texts in spellings.items() for text in texts}

    def find(self, *spellings: str) -> str | None:
        """The key that the first known of these `spelling`s stands for."""
        return next((self._keys[text] for text in spellings if text in self._keys), None)

    def near(self, text: str) -> list[str]:
        """Names that resemble `text`, the likeliest first: names that begin with it, then similar names."""
        typed = spelling(text)
        begun = [name for known, name in self._names.items() if typed and known.startswith(typed)]
        alike = [self._names[known] for known in difflib.get_close_matches(typed, self._names, _NEAR, _LIKENESS)]
        return list(dict.fromkeys((*begun, *alike)))[:_NEAR]

    def covered(self, key: str) -> frozenset[str]:
        """The key and those of all predecessors."""
        found = {key}
        while more := {
            other
            for other, held in self.periods.items()
            if other not in found and not found.isdisjoint(period.successor for period in held)
        }:
            found |= more
        return frozenset(found)


def spelling(text: str) -> str:
    """`text` reduced to a form that all its spellings share: folded letters and digits without separators.

    >>> spelling("TP. Hồ Chí Minh"), spelling("thanh-hoa"), spelling("Thanh Hoá")
    ('tphochiminh', 'thanhhoa', 'thanhhoa')
    """
    return _SEPARATORS.sub("", fold(text))


def lines(table: str) -> Iterator[dict[str, str]]:
    """The lines of a table as header -> cell."""
    text = resources.files(__package__).joinpath(table).read_text(encoding="utf-8")
    header, *rows = (line.split("\t") for line in text.splitlines())
    for row in rows:
        yield dict(zip(header, row, strict=True))


def parts(cell: str) -> list[str]:
    """The values of a cell, separated by bars."""
    return cell.split("|") if cell else []


def day(cell: str) -> date | None:
    """The ISO day in a cell; None if the cell is empty."""
    return date.fromisoformat(cell) if cell else None


def day_of(moment: date) -> date:
    """The calendar day of a date or datetime. Python cannot compare one with the other."""
    return moment.date() if isinstance(moment, datetime) else moment
