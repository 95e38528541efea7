"""Expectations of a run as data: a statistic, an operator, a threshold, and the kind of problem if it fails.

Pure: `check` compares numbers that `health.comparison` has computed. A threshold is a number or the name of another
statistic of the run, such as the site's usual number of silent days. A value that was not measured (too few articles,
or a run that was cut short) is not checked.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from danvan_crawler.health.problems import Problem
from danvan_crawler.plurals import counted
from danvan_crawler.sites.rules import COVERED_FIELDS, Health

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {"at most": operator.le, "at least": operator.ge}

QUIET_AT_LEAST = 14.0
"""Days of silence that are never a problem: at Tết, offices close for up to nine days, two weeks with days around."""
_RHYTHMS = 3
"""A site may be silent for this many times its longest usual gap between two days with articles."""
_DAYS_FOR_A_RHYTHM = 5
_ARTICLES_FOR_A_RHYTHM = 10
ENOUGH = 10
"""The minimum number of articles for checking a share."""
_WINDOWS = (ENOUGH, 20, 40, 80)
"""Numbers of articles, newest runs first, to compute a share from: a rare field needs more articles."""
FORBIDDEN_AT_MOST = 0.8
"""Share of new links that robots.txt may forbid: many listings link into a forbidden folder."""
_IMPROBABLE = 0.001
_RUNS_IN_THE_PAST = 10
_LEAST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Expectation:
    """A statistic of a run must be `at most` or `at least` a threshold. `text` is formatted with the
    `value` and the `limit`, which are also there as `value_in_days` and `limit_in_days`."""

    kind: str
    statistic: str
    operator: str
    threshold: float | str
    text: str

    def fails(self, values: Mapping[str, float]) -> bool:
        """Whether the statistics contradict it; False if one of them is missing."""
        value = values.get(self.statistic)
        limit = values.get(self.threshold) if isinstance(self.threshold, str) else self.threshold
        return value is not None and limit is not None and not OPERATORS[self.operator](value, limit)


DEFAULTS: tuple[Expectation, ...] = (
    Expectation(
        "quiet", "silent_days", "at most", "silent_days_usual",
        "no new article for {value_in_days}; up to {limit_in_days} are usual here",
    ),
    Expectation("found_nothing", "silent_sections", "at most", 0, "{value:.0f} of the sections show no article now"),
    Expectation(
        "robots", "forbidden", "at most", FORBIDDEN_AT_MOST,
        "robots.txt forbids {value:.0%} of the articles that listings link",
    ),
    Expectation("errors", "errors", "at most", 0.5, "{value:.0%} of the articles requested failed"),
    Expectation(
        "errors", "not_there", "at most", 0.5, "{value:.0%} of the articles requested do not exist (404, 410)"
    ),
    Expectation(
        "layout", "pages_with_article", "at least", "pages_with_article_usual",
        "only {value:.0%} of the pages that listings link hold an article",
    ),
    Expectation("dates", "doubtful_dates", "at most", 0.5, "{value:.0%} of the dates are implausible or unreadable"),
    *(
        Expectation(
            "coverage", f"coverage.{name}", "at least", f"coverage.{name}_usual",
            f"{name}: only {{value:.0%}} of the articles have one; at least {{limit:.0%}} were expected",
        )
        for name in COVERED_FIELDS
    ),
)  # fmt: skip


def expected_of(health: Health) -> list[Expectation]:
    """The expectations of a site: the defaults, replaced by what its profile sets."""
    own: dict[str, float | bool | None] = {
        "silent_days": health.quiet_days,
        "errors": health.errors,
        "not_there": health.errors,
        "doubtful_dates": health.dates,
        "pages_with_article": health.layout,
        **{f"coverage.{name}": share for name, share in health.coverage.items()},
    }
    found = []
    for expectation in DEFAULTS:
        limit = own.get(expectation.statistic)
        if limit is None:
            found.append(expectation)
        elif limit is not False:
            found.append(replace(expectation, threshold=float(limit)))
    return found


def check(values: Mapping[str, float], expectations: Iterable[Expectation]) -> list[Problem]:
    """The problems of a run with these statistics, in the order of the expectations."""
    return [_problem(expectation, values) for expectation in expectations if expectation.fails(values)]


def _problem(expectation: Expectation, values: Mapping[str, float]) -> Problem:
    found = Problem(expectation.kind, _text(expectation, values))
    if isinstance(expectation.threshold, str):
        return replace(found, statistic=expectation.statistic, limit=values[expectation.threshold])
    return found


def _text(expectation: Expectation, values: Mapping[str, float]) -> str:
    limit = expectation.threshold
    number = values[limit] if isinstance(limit, str) else limit
    value = values[expectation.statistic]
    days = {"value_in_days": counted(round(value), "day"), "limit_in_days": counted(round(number), "day")}
    return expectation.text.format(value=value, limit=number, **days)


def usual_silence(days: Iterable[date]) -> float | None:
    """Usual days of silence, computed from the days on which a site published its last articles.

    Three times the 95th percentile of the gaps between days with articles, and at least QUIET_AT_LEAST. None for a site
    with too few articles.

    >>> usual_silence([date(2026, 1, 1 + 7 * (number // 3)) for number in range(12)] + [date(2026, 2, 2)])
    33.0
    """
    every = list(days)
    distinct = sorted(set(every))
    if len(every) < _ARTICLES_FOR_A_RHYTHM or len(distinct) < _DAYS_FOR_A_RHYTHM:
        return None
    gaps = sorted((after - before).days for before, after in pairwise(distinct))
    longest_usual = gaps[math.ceil(0.95 * len(gaps)) - 1]
    return max(QUIET_AT_LEAST, float(_RHYTHMS * longest_usual))


@dataclass(frozen=True, slots=True)
class Proportion:
    """How many articles (or pages, or links) of one run have something, `of` how many."""

    having: int
    of: int
    blamed: bool = False
    """The share was reported as fallen in this run, so later runs are not compared with it."""


def fallen(runs: Sequence[Proportion]) -> tuple[float, float] | None:
    """The current share and the minimum that was expected, if a share has fallen; None if not, or if unknown.

    `runs` are those of one site, newest first. The newest ones are pooled until there are enough articles. The share
    has fallen if it is less than half of that of the ten runs before, and chance is unlikely. If the newest articles
    have the field, older ones do not matter.

    >>> fallen([Proportion(0, 12), *[Proportion(9, 10)] * 5])
    (0.0, 0.45)
    """
    for size in _WINDOWS:
        now, before = _split(runs, size)
        if now is None or len(before) < _LEAST_RUNS:
            return None
        usual = _usual(before)
        share, usual_share = now.having / now.of, usual.having / usual.of
        if share >= usual_share / 2:
            return None
        if _by_chance(now, usual) < _IMPROBABLE:
            return share, usual_share / 2
    return None


def _split(runs: Sequence[Proportion], size: int) -> tuple[Proportion | None, list[Proportion]]:
    """The newest runs with `size` articles together, as one, and up to ten usable runs before them; empty runs are
    skipped."""
    having = of = 0
    counted = [run for run in runs if run.of]
    for number, run in enumerate(counted, start=1):
        having, of = having + run.having, of + run.of
        if of >= size:
            return Proportion(having, of), [run for run in counted[number:] if not run.blamed][:_RUNS_IN_THE_PAST]
    return None, []


def _usual(runs: Sequence[Proportion]) -> Proportion:
    """Past runs as one, without the largest: the first run fetches twenty years of news and is not typical."""
    others = sorted(runs, key=lambda run: run.of)[:-1]
    return Proportion(sum(run.having for run in others), sum(run.of for run in others))


def _by_chance(now: Proportion, usual: Proportion) -> float:
    """Probability of so few now, if now and the past are drawn from the same population (Fisher's exact test).

    The test also covers a short past: four articles, three of them with a picture, say little about the next ten.
    """
    having, of = now.having + usual.having, now.of + usual.of
    least = max(0, now.of - (of - having))
    ways = (
        _log_ways(having, number) + _log_ways(of - having, now.of - number) for number in range(least, now.having + 1)
    )
    return min(1.0, math.fsum(math.exp(one - _log_ways(of, now.of)) for one in ways))


def _log_ways(of: int, number: int) -> float:
    """Logarithm of the binomial coefficient: the ways to choose `number` from `of`."""
    return math.lgamma(of + 1) - math.lgamma(number + 1) - math.lgamma(of - number + 1)
