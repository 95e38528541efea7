"""The time of one night and how sites share it: pure functions of seconds, for `fleet.supervisor`.

A night with a limit gives each site a turn: the time that it would have if all sites took equally long. A site that
needs more keeps its place until another one waits for it. Then it is stopped cleanly, and goes on after the others if
there is time left. So a site that has no end, or that is crawled for the first time, takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 5.0
"""Seconds. A turn is not shorter, and no site is started with less time left: starting alone takes two or three."""


@dataclass(frozen=True, slots=True)
class Night:
    """A night of `sites` sites, `parallel` at a time, that began at `began`; `limit` in seconds, 0: no limit."""

    began: float
    limit: float
    sites: int
    parallel: int

    def left(self, now: float) -> float | None:
        """Seconds that are left, at least 0; None without a limit."""
        return max(0.0, self.began + self.limit - now) if self.limit else None

    def is_over(self, now: float) -> bool:
        """Whether no site is started any more."""
        left = self.left(now)
        return left is not None and left < LEAST

    @property
    def turn(self) -> float:
        """Seconds of one turn; 0 without a limit."""
        return max(LEAST, self.limit * self.parallel / max(1, self.sites)) if self.limit else 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """A site that runs: since when, on which hosts, and whether its turn was ended already."""

    since: float
    hosts: frozenset[str]
    is_ending: bool = False


def whose_turn_is_over(
    night: Night, running: Sequence[Place], waiting: Sequence[frozenset[str]], now: float
) -> int | None:
    """The site to stop so that a waiting one can start, by its place in `running`; None if there is none.

    `waiting` has the hosts of the sites that wait. Only one site is stopped for each of them.
    """
    ending = sum(place.is_ending for place in running)
    if not night.limit or night.is_over(now) or ending >= len(waiting):
        return None
    longest_first = sorted(range(len(running)), key=lambda number: running[number].since)
    for number in longest_first:
        place = running[number]
        if place.is_ending or now - place.since < night.turn:
            continue
        others = [other.hosts for one, other in enumerate(running) if one != number]
        if any(all(hosts.isdisjoint(other) for other in others) for hosts in waiting):
            return number
    return None
