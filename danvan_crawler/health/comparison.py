"""Compares a run with its site's past: computes the numbers that `health.expectations` checks.

The past is in the run reports (share of articles with an author, number of pages with an article) and in the item
database (days on which the site published, date of the last new article in the archive).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from danvan_crawler import statistics
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.expectations import (
    ENOUGH,
    FORBIDDEN_AT_MOST,
    Proportion,
    check,
    expected_of,
    fallen,
    usual_silence,
)
from danvan_crawler.health.history import FORBIDDEN_IN, RunReport, coverage_of, proportion, run_reports
from danvan_crawler.health.outcome import all_failed, all_forbidden, all_missing
from danvan_crawler.health.problems import Problem
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.rules import COVERED_FIELDS
from danvan_crawler.store.activity import activity, last_days, sections_with_articles

_RUNS = 60
"""Past runs that are compared. Only runs that fetched something count: a weekly site has few of them."""
_FILES = 10_000
"""Reports of all sites that are searched for them: a year of nightly runs of 27 sites."""
_COMPARED = frozenset({ExitCode.OK, ExitCode.SITE_FAILED, ExitCode.UNHEALTHY, ExitCode.INTERRUPTED})
_PAGE_KINDS = ("challenge", "login", "maintenance", "parked")


def problems_of(
    archive: Path, site: Site, stats: Mapping[str, Any], connection: Connection, now: datetime, *, complete: bool
) -> list[Problem]:
    """The problems of a run, compared with the past. `complete`: it covered everything that a nightly run covers."""
    past = past_runs(archive, site.slug, now)
    coverage = coverage_of(stats)
    kept_out = forbidden(stats, coverage, past)
    values = shares(coverage, past)
    if (share := errors(stats, coverage, past)) is not None:
        values["errors"] = share
    if kept_out:
        values["forbidden"] = max(kept_out.values())
    if (share := not_there(stats, coverage, past)) is not None:
        values["not_there"] = share
    silent: list[str] = []
    if complete:
        values |= silence(connection, site.slug, now)
        silent = silent_sections(connection, site.slug, stats)
        values["silent_sections"] = len(silent)
    closed = [name for name, share in kept_out.items() if name and share > FORBIDDEN_AT_MOST]
    found = check(values, expected_of(site.health))
    return [_explained(problem, sorted(closed), silent, stats) for problem in found]


def past_runs(archive: Path, site: str, now: datetime) -> list[RunReport]:
    """The past runs to compare a run of this site with, newest first, including those that fetched nothing."""
    found, counted_runs = [], 0
    for run in run_reports(archive, site, now, files=_FILES):
        if not run.coverage:
            continue  # it was refused or died before it fetched anything
        found.append(run)
        counted_runs += _fetched_something(run.coverage)
        if counted_runs == _RUNS:
            break
    return found


def _fetched_something(coverage: Mapping[str, int]) -> bool:
    """Whether a run fetched more than known articles again."""
    fruitless = coverage.get("pages", 0) > coverage.get("pages_with_article", 0)
    return fruitless or any(coverage.get(name) for name in ("articles", "failed", "linked"))


def _explained(problem: Problem, closed: Sequence[str], silent: Sequence[str], stats: Mapping[str, Any]) -> Problem:
    if problem.kind == "robots" and closed:
        return replace(problem, text=f"{problem.text}: {', '.join(closed)}")
    if problem.kind != "found_nothing":
        return problem
    trouble: Mapping[str, str] = stats.get(statistics.LISTING_TROUBLE, {})
    text = f"{problem.text}: {', '.join(silent)}"
    kind = next((kind for kind in trouble if kind in _PAGE_KINDS), None)
    return Problem(kind, f"{text} ({trouble[kind]})") if kind is not None else replace(problem, text=text)


def shares(coverage: Mapping[str, int], past: Sequence[RunReport]) -> dict[str, float]:
    """Shares of articles that have a field; for a fallen share, also the minimum that was expected.

    A reported fall lasts until the newest articles have the field again, or until the profile sets an expectation. Bad
    runs do not become the standard for later runs, and a run without new articles does not end the problem.
    """
    found: dict[str, float] = {}
    limits = _limits(past)
    counted = [coverage, *(run.coverage for run in past)]
    for statistic, name in (
        ("pages_with_article", "pages_with_article"),
        *((f"coverage.{name}", name) for name in COVERED_FIELDS),
    ):
        blamed = [statistic in _blamed(run) for run in past]
        proportions = [
            replace(proportion(one, name), blamed=bad) for one, bad in zip(counted, [False, *blamed], strict=True)
        ]
        share, limit = _recent(proportions), limits.get(statistic)
        if share is not None and limit is not None and share < limit:
            found[statistic], found[f"{statistic}_usual"] = share, limit
        elif (fall := fallen(proportions)) is not None:
            found[statistic], found[f"{statistic}_usual"] = fall
        elif share is not None:
            found[statistic] = share
    if sum(one.get("pages", 0) for one in counted) >= ENOUGH and not any(
        one.get("pages_with_article") for one in counted
    ):
        found["pages_with_article"], found["pages_with_article_usual"] = 0.0, 0.1  # a family that reads nothing here
    if (share := _recent([proportion(one, "doubtful_dates") for one in counted])) is not None:
        found["doubtful_dates"] = share
    return found


def _blamed(run: RunReport) -> dict[str, float]:
    """Statistics that were reported as fallen after a run, with the minimum that was expected."""
    return {
        one.statistic: one.limit
        for one in run.problems
        if one.kind in ("coverage", "layout") and one.statistic is not None and one.limit is not None
    }


def _limits(past: Sequence[RunReport]) -> dict[str, float]:
    """Fallen statistics of the newest run that was compared with its past. Failed runs are not compared."""
    return next((_blamed(run) for run in past if run.code in _COMPARED), {})


def _recent(proportions: Sequence[Proportion]) -> float | None:
    """The share in the newest runs that hold enough articles together."""
    having = of = 0
    for one in proportions:
        having, of = having + one.having, of + one.of
        if of >= ENOUGH:
            return having / of
    return None


def forbidden(stats: Mapping[str, Any], coverage: Mapping[str, int], past: Sequence[RunReport]) -> dict[str, float]:
    """Shares of the newest links that robots.txt forbids, by section; under "" that of the whole site.

    Empty if this run had no forbidden link: forbidden links stay pending, so each run finds them until they are
    allowed. Also empty if all requested articles are forbidden, which is another problem.
    """
    met = any(stats.get(statistics.articles(what)) for what in ("forbidden", "forbidden_again"))
    if not met or all_forbidden(stats):
        return {}
    counted = [coverage, *(run.coverage for run in past)]
    names = {name for one in counted for name in one if name == "forbidden" or name.startswith(FORBIDDEN_IN)}
    found = {name: _recent([proportion(one, name) for one in counted]) for name in names}
    return {
        name.removeprefix("forbidden").removeprefix("_in/"): share for name, share in found.items() if share is not None
    }


def errors(stats: Mapping[str, Any], coverage: Mapping[str, int], past: Sequence[RunReport]) -> float | None:
    """The share of failed requests among the newest articles that were requested.

    None if there were too few, if no request of this run failed, or if all failed, which is another problem.
    """
    if not coverage["failed"] or all_failed(stats):
        return None
    counted = (coverage, *(run.coverage for run in past))
    tried = [(one.get("failed", 0), one.get("pages", 0)) for one in counted]
    return _recent([Proportion(failed, failed + pages) for failed, pages in tried])


def not_there(stats: Mapping[str, Any], coverage: Mapping[str, int], past: Sequence[RunReport]) -> float | None:
    """The share of articles that do not exist: of all requested in this run, or of the newest links of several runs.

    None if there were too few, if all articles of this run exist, or if no article exists, which is another problem.
    """
    missing, absent = stats.get(statistics.articles("missing"), 0), stats.get(statistics.articles("absent"), 0)
    if all_missing(stats) or not (missing or absent or stats.get(statistics.articles("missing_again"))):
        return None
    asked = missing + absent + coverage["pages"] + stats.get(statistics.articles("failed"), 0)
    of_run = _recent([Proportion(missing + absent, asked)])
    of_links = _recent([proportion(one, "missing") for one in (coverage, *(run.coverage for run in past))])
    return max((share for share in (of_run, of_links) if share is not None), default=None)


def silence(connection: Connection, site: str, now: datetime) -> dict[str, float]:
    """Days without a new article, and the usual number of days (omitted for a site with too few articles).

    Days are counted from the newest article's date, or from the day on which the archive got its last new article,
    whichever is later: a site that was already inactive at its first crawl is not reported.
    """
    life = activity(connection, site, now)
    usual = usual_silence(last_days(connection, site, now))
    moments = [datetime.fromisoformat(text) for text in (life.newest, life.last_new) if text is not None]
    if not moments:
        return {}
    found = {"silent_days": max(0.0, (now - max(moments)).total_seconds() / 86400)}
    return {**found, "silent_days_usual": usual} if usual is not None else found


def silent_sections(connection: Connection, site: str, stats: Mapping[str, Any]) -> list[str]:
    """Sections that show no article but did before. Empty if all sections are empty, which is another problem."""
    empty = stats.get(statistics.EMPTY_SECTIONS, [])
    if not empty or not stats.get(statistics.LISTINGS_WITH_LINKS):
        return []
    known = sections_with_articles(connection, site)
    return [name for name in empty if name in known]


def is_complete(spider: Any, reason: str, stats: Mapping[str, Any]) -> bool:
    """Whether a run covered everything that a nightly run covers."""
    limited = getattr(spider, "plan", False) or getattr(getattr(spider, "days", None), "are_limited", False)
    cut = stats.get(statistics.SECTIONS_FAILED) or stats.get(statistics.MAX_PAGES_REACHED)
    return reason == "finished" and not limited and not cut
