"""Which content of an article is current, as a pure function of its captures.

A crawl meets captures in the order in which responses arrive, a rebuild in the order of WARC-Date. The database is
equal after both only if nothing depends on that order. So each write hands all captures of the article to `timeline`
and stores its answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """One capture (200 or revisit) of an article; sorts by WARC-Date, file, offset."""

    warc_date: str
    warc_file: str
    warc_offset: int
    content_hash: str
    is_canonical: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """What all captures of an article say together."""

    first_seen: str
    last_seen: str
    current: str
    """Content hash of the latest capture."""
    numbers: dict[str, int]
    """Revision number of each content hash, counted from 1 in the order of first appearance."""
    representatives: dict[str, Sighting]
    """The capture that stands for each revision: the canonical address before its variants, then the earliest."""


def timeline(sightings: Iterable[Sighting]) -> Timeline:
    """Orders the captures and numbers the revisions. When A becomes B and A again, A is current and still number 1.

    Raises ValueError when there are none.
    """
    ordered = sorted(sightings)
    if not ordered:
        raise ValueError("an article has at least one capture")
    numbers: dict[str, int] = {}
    representatives: dict[str, Sighting] = {}
    for sighting in ordered:
        numbers.setdefault(sighting.content_hash, len(numbers) + 1)
        known = representatives.get(sighting.content_hash)
        if known is None or (sighting.is_canonical and not known.is_canonical):
            representatives[sighting.content_hash] = sighting
    return Timeline(ordered[0].warc_date, ordered[-1].warc_date, ordered[-1].content_hash, numbers, representatives)
