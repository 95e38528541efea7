"""Decide when a feed may replace listings, from its results in earlier runs. Pure functions.

One request for a site-wide sitemap or feed can replace a dozen listings if it names the same articles. Many do not: the
plug-in was turned off, the feed is cached for weeks, or it omits a category. So a feed is tested first. On nights with
new articles it is read in addition to the listings. For each section it must name all new articles of the listing; if
only another section has new articles, it must name all articles of the section's first page. After REQUIRED_NIGHTS such
nights it may replace the section's listing. One new article that it does not name ends this for a month.

A feed is requested only if it replaces at least two listings.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

REQUIRED_NIGHTS = 3
"""Nights on which a feed must have named everything."""
NIGHT_INTERVAL = timedelta(hours=12)
"""Least time between two nights: runs closer together count as one."""
EXCLUDED_FOR = timedelta(days=30)
"""How long a feed is not tested again after it has missed an article."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of a feed for one section: nights without a miss and the time of the last one; 0 nights: a miss."""

    nights: int
    at: datetime


@dataclass(slots=True)
class Shown:
    """Keys of the articles that one section's listing showed in a run."""

    first_page: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)


class Trust:
    """Results of the feeds of one site, by address of the feed and of the section's first page."""

    def __init__(self, proofs: Mapping[str, Mapping[str, Proof]] | None = None) -> None:
        self._proofs = {feed: dict(sections) for feed, sections in (proofs or {}).items()}

    @classmethod
    def read(cls, text: str | None) -> Trust:
        """Parses the JSON of `written`; None and invalid text give an empty object."""
        try:
            stored: Any = json.loads(text or "{}")
            return cls({feed: {section: _proof(*one) for section, one in of.items()} for feed, of in stored.items()})
        except (AttributeError, TypeError, ValueError):
            return cls()

    def written(self) -> str:
        """As JSON: feed -> section -> [nights, time]."""
        return json.dumps(
            {
                feed: {section: [proof.nights, proof.at.isoformat()] for section, proof in of.items()}
                for feed, of in self._proofs.items()
            }
        )

    def replacement(self, sections: Collection[str]) -> tuple[str, list[str]] | None:
        """The feed that may replace most of these listings, and their sections; None if no feed replaces two."""
        covered = {
            feed: [section for section in sections if section in of and of[section].nights >= REQUIRED_NIGHTS]
            for feed, of in self._proofs.items()
        }
        feed = max(covered, key=lambda name: len(covered[name]), default=None)
        return (feed, covered[feed]) if feed is not None and len(covered[feed]) > 1 else None

    def is_trusted(self, section: str) -> bool:
        """Whether a feed may replace the listing of this section."""
        return any(section in of and of[section].nights >= REQUIRED_NIGHTS for of in self._proofs.values())

    def can_learn(self, sections: Iterable[str], now: datetime) -> bool:
        """Whether testing the feeds on a night with new articles could change a result for these sections."""
        return any(all(self._can_learn(of.get(section), now) for of in self._proofs.values()) for section in sections)

    @staticmethod
    def _can_learn(proof: Proof | None, now: datetime) -> bool:
        if proof is None:
            return True
        return proof.nights < REQUIRED_NIGHTS and now - proof.at >= (NIGHT_INTERVAL if proof.nights else EXCLUDED_FOR)

    def compare(self, feed: str, named: Collection[str], shown: Mapping[str, Shown], now: datetime) -> list[str]:
        """Compares the articles of a feed with those of listings; returns the sections with missed new articles."""
        of = self._proofs.setdefault(feed, {})
        is_alive = any(one.new.intersection(named) for one in shown.values())
        missed = []
        for section, one in shown.items():
            before = of.get(section)
            if not one.new.issubset(named):
                of[section] = Proof(0, now)
                missed.append(section)
            elif is_alive and self._can_learn(before, now) and (one.new or one.first_page.issubset(named)):
                of[section] = Proof(before.nights + 1 if before is not None else 1, now)
        return missed

    def require_one_more_night(self, feed: str, now: datetime) -> None:
        """Notes that a feed could not be read when it was needed: it must pass the test on one more night."""
        of = self._proofs.get(feed, {})
        of.update(
            {
                section: Proof(REQUIRED_NIGHTS - 1, now)
                for section, proof in of.items()
                if proof.nights >= REQUIRED_NIGHTS
            }
        )

    def exclude(self, feed: str, sections: Iterable[str], now: datetime) -> None:
        """Notes that there is no feed at this address."""
        self._proofs[feed] = {section: Proof(0, now) for section in sections}


def _proof(nights: Any, at: str) -> Proof:
    return Proof(int(nights), datetime.fromisoformat(at))
