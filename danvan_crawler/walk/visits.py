"""Steady visits: known articles that no listing and no date of their schedule brings up, requested last in a run.

Editors correct and remove articles of any age, and an old one is on no page that a night reads. So each article is
visited once in `revisit_every` days (a year by default) after the visits of `store.lifecycle`. Each article has its own
moment in this period, derived from its address, so that the visits are spread evenly over the nights, also if all
articles were first captured in one week: 100,000 articles make 274 visits a night. An article is due if it was not
visited since its last moment. So nights that were missed are made up for, a second run in one night adds nothing, and a
changed setting applies at once. After a long break all articles would be due in one night; `most` limits that.

A run with `full` visits every known article instead, including those that no listing shows.

These requests are made when nothing else is left. They are the only ones that a rebuild does not derive, because it
would read the visits of all articles for every archived night: no row may depend on them before their exchange.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from zlib import crc32

from danvan_crawler import statistics as stats
from danvan_crawler.pages.requisites import NO_SECTION
from danvan_crawler.walk.articles import Articles
from danvan_crawler.walk.asking import Effects, Why
from danvan_crawler.walk.context import Context, RunState

CATCH_UP = 4
"""A run makes at most this many times the visits of an average night."""
AT_LEAST = 500
"""Visits that a run may make in any case: eight minutes at one request a second."""
_A_DAY = 86400.0
_BATCH = 200
"""Articles that are requested together, because waiting requests need memory."""


def last_moment(key: str, now: float, every_days: float) -> float:
    """The last moment at which the article with this link key was to be visited; Unix times in seconds.

    >>> day = 86400
    >>> (last_moment("/a.html", 800 * day, 365) - last_moment("/a.html", 400 * day, 365)) / day
    365.0
    """
    period = every_days * _A_DAY
    phase = crc32(key.encode()) / 2**32 * period
    return now - (now - phase) % period


def overdue(visited: Sequence[tuple[str, str]], now: datetime, every_days: float) -> list[str]:
    """The link keys of the articles that are due, in the given order. `visited` has (link key, WARC-Date of the last
    visit). With 0 days, none is."""
    if every_days <= 0:
        return []
    at = now.timestamp()
    return [key for key, date in visited if _moment(date) < last_moment(key, at, every_days)]


def most(articles: int, every_days: float) -> int:
    """The largest number of steady visits in one run of a site with so many articles.

    >>> most(49, 365), most(100_000, 365)
    (500, 1096)
    """
    return max(AT_LEAST, ceil(CATCH_UP * articles / every_days))


def _moment(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()


class Visits:
    """The steady visits of a run."""

    def __init__(self, context: Context, articles: Articles) -> None:
        self._context = context
        self._articles = articles
        self._left: Iterator[Sequence[str]] | None = None

    def further(self) -> Effects | None:
        """The next requests, if nothing else is left; None if there are none.

        The effects may have no requests, for example because the articles were requested before.
        """
        state = self._context.state
        if state is None or state.days.is_limited or state.pages_left == 0:
            return None
        effects = Effects()
        if self._left is None:
            self._left = self._every_known() if state.run.full else self._due(effects, state)
        keys = next(self._left, None)
        if keys is None:
            return None
        for one in self._context.store.frontier.entries(self._context.slug, keys):
            url = self._context.site.at_current_host(one.url)
            why = Why("article", url, section=one.section, is_visit=True)
            if self._articles.ask_last(effects, why):
                effects.counts[stats.REVISITS] += 1
        return effects

    def begin(self) -> None:
        """Begins a run."""
        self._left = None

    def _due(self, effects: Effects, state: RunState) -> Iterator[Sequence[str]]:
        every = state.run.revisit_every
        visited = self._context.store.frontier.settled(self._context.slug) if every > 0 else []
        due = overdue(visited, state.run.moment, every)
        now = due[: most(len(visited), every)] if due else []
        if len(due) > len(now):
            effects.counts[stats.REVISITS_LEFT] += len(due) - len(now)
        return (now[start : start + _BATCH] for start in range(0, len(now), _BATCH))

    def _every_known(self) -> Iterator[Sequence[str]]:
        last, frontier = "", self._context.store.frontier
        while keys := frontier.known_keys(self._context.slug, last, _BATCH, besides=NO_SECTION):
            yield keys
            last = keys[-1]
