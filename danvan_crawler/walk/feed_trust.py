"""When a feed may stand in for listings: what has to be seen before, and what ends it. Pure.

One request for a sitemap or feed of the whole site tells what a dozen listings would, if it names what they show. Many
do not: they are made by a plug-in that somebody turned off, cached for weeks, or leave out a category. So nothing is
believed that was not seen: on nights with news the feed is read beside the listings, and for each section it has to
name what is new in its listing, or, beside news of another section, all that its first page shows. After NIGHTS such
nights it may stand in for the section's listing; a single new article that it does not name ends that for a month.

A feed is worth a request where it covers two sections at least.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

NIGHTS = 3
"""Nights on which a feed has to have named everything."""
APART = timedelta(hours=12)
"""Runs that follow sooner are one night."""
BARRED = timedelta(days=30)
"""How long a feed that has missed something is not looked at again."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a feed has done for one section: nights without a miss, and when the last one was; 0 nights: a miss."""

    nights: int
    at: datetime


@dataclass(slots=True)
class Shown:
    """What one section's listing showed in a run; keys of articles."""

    first_page: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)


class Trust:
    """What is known of the feeds of one site: by address of the feed and of the section's first page."""

    def __init__(self, proofs: Mapping[str, Mapping[str, Proof]] | None = None) -> None:
        self._proofs = {feed: dict(sections) for feed, sections in (proofs or {}).items()}

    @classmethod
    def read(cls, text: str | None) -> Trust:
        """From what `written` gave; None, or what cannot be read, is a site of which nothing is known."""
        try:
            stored: Any = json.loads(text or "{}")
            return cls({feed: {section: _proof(*one) for section, one in of.items()} for feed, of in stored.items()})
        except (AttributeError, TypeError, ValueError):
            return cls()

    def written(self) -> str:
        """As JSON: feed -> section -> [nights, moment]."""
        return json.dumps(
            {
                feed: {section: [proof.nights, proof.at.isoformat()] for section, proof in of.items()}
                for feed, of in self._proofs.items()
            }
        )

    def standing_in(self, sections: Collection[str]) -> tuple[str, list[str]] | None:
        """The feed that may stand in for most of these sections, and for which; None where none is worth a request."""
        covered = {
            feed: [section for section in sections if section in of and of[section].nights >= NIGHTS]
            for feed, of in self._proofs.items()
        }
        feed = max(covered, key=lambda name: len(covered[name]), default=None)
        return (feed, covered[feed]) if feed is not None and len(covered[feed]) > 1 else None

    def is_proved(self, section: str) -> bool:
        """Whether a feed may stand in for this section."""
        return any(section in of and of[section].nights >= NIGHTS for of in self._proofs.values())

    def is_open(self, sections: Iterable[str], now: datetime) -> bool:
        """Whether to look at the feeds on a night with news would teach anything of these sections."""
        return any(all(self._is_open(of.get(section), now) for of in self._proofs.values()) for section in sections)

    @staticmethod
    def _is_open(proof: Proof | None, now: datetime) -> bool:
        if proof is None:
            return True
        return proof.nights < NIGHTS and now - proof.at >= (APART if proof.nights else BARRED)

    def judge(self, feed: str, named: Collection[str], shown: Mapping[str, Shown], now: datetime) -> list[str]:
        """Holds what a feed named in a run against what listings showed; gives the sections of which it missed news."""
        of = self._proofs.setdefault(feed, {})
        is_alive = any(one.new.intersection(named) for one in shown.values())
        missed = []
        for section, one in shown.items():
            before = of.get(section)
            if not one.new.issubset(named):
                of[section] = Proof(0, now)
                missed.append(section)
            elif is_alive and self._is_open(before, now) and (one.new or one.first_page.issubset(named)):
                of[section] = Proof(before.nights + 1 if before is not None else 1, now)
        return missed

    def doubt(self, feed: str, now: datetime) -> None:
        """Notes that a feed could not be read when it was needed: it has to prove itself on one more night."""
        of = self._proofs.get(feed, {})
        of.update({section: Proof(NIGHTS - 1, now) for section, proof in of.items() if proof.nights >= NIGHTS})

    def bar(self, feed: str, sections: Iterable[str], now: datetime) -> None:
        """Notes that there is nothing to be read at a feed's address."""
        self._proofs[feed] = {section: Proof(0, now) for section in sections}


def _proof(nights: Any, at: str) -> Proof:
    return Proof(int(nights), datetime.fromisoformat(at))
