"""A run held against its site's past: gathers the numbers that `ops.expectations` judges.

The past is in the run reports (what share of the articles had an author, how many pages held an article) and in the
item database (on which days the site published, when the archive got its last new article).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from danvan_crawler.ops.expectations import ENOUGH, Tally, check, expected_of, fallen, usual_silence
from danvan_crawler.ops.nights import Night, coverage_of, nights, tally
from danvan_crawler.ops.outcome import LISTING_TROUBLE
from danvan_crawler.ops.problems import Problem
from danvan_crawler.site_rules import COVERED_FIELDS
from danvan_crawler.sites import Site
from danvan_crawler.store.activity import activity, last_days, sections_with_articles

_RUNS = 60
"""Runs of the past that are read."""
_PAGE_KINDS = ("challenge", "login", "maintenance", "parked")


def problems_of(
    archive: Path, site: Site, stats: Mapping[str, Any], connection: Connection, now: datetime, *, complete: bool
) -> list[Problem]:
    """What is wrong with a run by comparison with the past. `complete` says that it looked at all there was to see."""
    past = list(islice(nights(archive, site.slug, now), _RUNS))
    values = {**shares(coverage_of(stats), past), **errors(stats)}
    silent: list[str] = []
    if complete:
        values |= silence(connection, site.slug, now)
        silent = silent_sections(connection, site.slug, stats)
        values["silent_sections"] = len(silent)
    return [_explained(problem, silent, stats) for problem in check(values, expected_of(site.health))]


def _explained(problem: Problem, silent: Sequence[str], stats: Mapping[str, Any]) -> Problem:
    if problem.kind != "found_nothing":
        return problem
    trouble: Mapping[str, str] = stats.get(LISTING_TROUBLE, {})
    text = f"{problem.text}: {', '.join(silent)}"
    kind = next((kind for kind in trouble if kind in _PAGE_KINDS), None)
    return Problem(kind, f"{text} ({trouble[kind]})") if kind is not None else replace(problem, text=text)


def shares(coverage: Mapping[str, int], past: Sequence[Night]) -> dict[str, float]:
    """Shares of articles that have a field, and what is the least to be expected where one has fallen."""
    found: dict[str, float] = {}
    counted = [coverage, *(night.coverage for night in past)]
    for statistic, name in (
        ("pages_with_article", "pages_with_article"),
        *((f"coverage.{name}", name) for name in COVERED_FIELDS),
    ):
        tallies = [tally(one, name) for one in counted]
        if not tallies[0].of:
            continue  # nothing new to judge by
        if (fall := fallen(tallies)) is not None:
            found[statistic], found[f"{statistic}_usual"] = fall
        elif (share := _recent(tallies)) is not None:
            found[statistic] = share
    if coverage.get("pages", 0) >= ENOUGH and not any(one.get("pages_with_article") for one in counted):
        found["pages_with_article"], found["pages_with_article_usual"] = 0.0, 0.1  # a family that reads nothing here
    if coverage.get("articles") and (share := _recent([tally(one, "doubtful_dates") for one in counted])) is not None:
        found["doubtful_dates"] = share
    return found


def _recent(tallies: Sequence[Tally]) -> float | None:
    """The share in the newest runs that hold enough articles together."""
    having = of = 0
    for one in tallies:
        having, of = having + one.having, of + one.of
        if of >= ENOUGH:
            return having / of
    return None


def errors(stats: Mapping[str, Any]) -> dict[str, float]:
    """The share of articles that could not be had, when enough were asked for."""
    failed = stats.get("danvan/articles_failed", 0)
    asked = failed + stats.get("danvan/articles", 0) + stats.get("danvan/pages_without_article", 0)
    # That all of them failed is another finding.
    return {"errors": failed / asked} if asked >= ENOUGH and failed < asked else {}


def silence(connection: Connection, site: str, now: datetime) -> dict[str, float]:
    """Days without a new article, and how many would be nothing unusual; nothing for a site without a rhythm.

    The silence begins with the newest article or with the day on which the archive got its last one, whatever is later:
    a site that was silent when the archive first saw it has not fallen silent.
    """
    life = activity(connection, site, now)
    usual = usual_silence(last_days(connection, site, now))
    moments = [datetime.fromisoformat(text) for text in (life.newest, life.last_new) if text is not None]
    if not moments:
        return {}
    found = {"silent_days": max(0.0, (now - max(moments)).total_seconds() / 86400)}
    return {**found, "silent_days_usual": usual} if usual is not None else found


def silent_sections(connection: Connection, site: str, stats: Mapping[str, Any]) -> list[str]:
    """Sections that show no article and did so before; none when no section shows any, which is said otherwise."""
    empty = stats.get("danvan/sections_empty", [])
    if not empty or not stats.get("danvan/listings_with_links"):
        return []
    known = sections_with_articles(connection, site)
    return [name for name in empty if name in known]


def is_complete(spider: Any, reason: str, stats: Mapping[str, Any]) -> bool:
    """Whether a run has looked at everything that a nightly run looks at."""
    limited = getattr(spider, "plan", False) or getattr(getattr(spider, "days", None), "are_limited", False)
    cut = stats.get("danvan/sections_failed") or stats.get("danvan/max_pages_reached")
    return reason == "finished" and not limited and not cut
