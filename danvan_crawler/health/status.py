"""The state of the sites, from run reports and the item database only: no server is contacted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection

from danvan_crawler.archive.layout import database_path
from danvan_crawler.archive.schedule import Schedule
from danvan_crawler.exceptions import ExitCode, ProfileError, StoreError
from danvan_crawler.health.history import RunReport, run_reports
from danvan_crawler.health.problems import Problem, worst_first
from danvan_crawler.plurals import counted
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.activity import Activity, activity
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.site_state import NOT_BEFORE, value_of

RUNS_SHOWN = 30
"""Runs of a site that the charts show."""
_ON_THE_WHOLE = frozenset({"quiet", "found_nothing"})
"""Kinds of problem that only a complete run can find or clear."""
_RUNS_FOR_A_RHYTHM = 5
_OVERDUE_AFTER = timedelta(days=2)
_NIGHTS_COUNTED = 1000
_LATE_START = timedelta(minutes=30)
"""How late a scheduled night may begin."""


@dataclass(frozen=True, slots=True)
class Nights:
    """The nightly crawl of an archive: its schedule, when profiles were last changed, by slug, and whether it runs now.

    A site cannot have missed a night before its profile was there.
    """

    schedule: Schedule
    changed: Mapping[str, datetime] = field(default_factory=dict)
    running: bool = False


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site: its runs, newest first, its activity, and its problems."""

    site: str
    name: str
    enabled: bool
    runs: tuple[RunReport, ...] = ()
    activity: Activity | None = None
    problems: tuple[Problem, ...] = ()
    not_before: str | None = None
    """The time until which the site's server must not be contacted."""
    broken: bool = False
    """Its profile cannot be used."""

    @property
    def last(self) -> RunReport | None:
        return self.runs[0] if self.runs else None

    @property
    def unhealthy(self) -> bool:
        """Whether somebody must act. A site that is disabled is not unhealthy, and one that was not due yet neither."""
        return self.enabled and any(problem.is_failure for problem in self.problems)

    @property
    def outcome(self) -> str:
        """One word: `good`, `unhealthy`, `failed`, `interrupted`, …, `never run`, `disabled`."""
        if not self.enabled:
            return "disabled"
        if self.broken:
            return "error"
        if self.last is None:
            return "never run"
        harmless = self.last.code == 0 or not self.last.is_conclusive
        return "overdue" if harmless and self.unhealthy else self.last.outcome

    def as_json(self) -> dict[str, Any]:
        """The site in `danvan status --json`."""
        last, life = self.last, self.activity
        return {
            "site": self.site,
            "name": self.name,
            "enabled": self.enabled,
            "outcome": self.outcome,
            "unhealthy": self.unhealthy,
            "last_run": last.started_at.isoformat() if last is not None else None,
            "exit_code": last.code if last is not None else None,
            "articles": life.articles if life is not None else 0,
            "published_7_days": life.published[7] if life is not None else 0,
            "published_30_days": life.published[30] if life is not None else 0,
            "newest_article": life.newest if life is not None else None,
            "not_before": self.not_before,
            "problems": [problem.as_json() for problem in self.problems],
        }


def status(
    archive: Path,
    sites: Iterable[Site],
    now: datetime,
    broken: Mapping[str, ProfileError] | None = None,
    *,
    nights: Nights | None = None,
) -> list[SiteStatus]:
    """The state of these sites at a moment, in their order, followed by the sites with a broken profile.

    `nights` is the nightly crawl, if one is scheduled. A database that cannot be read is left out: see
    `health.archive_status`.
    """
    wanted, unusable = list(sites), broken or {}
    runs: dict[str, list[RunReport]] = {slug: [] for slug in (*(site.slug for site in wanted), *unusable)}
    for run in run_reports(archive, now=now):
        if len(held := runs.get(run.site, [])) < RUNS_SHOWN and run.site in runs:
            held.append(run)
    with ExitStack() as stack:
        connection: Connection | None = None
        with suppress(StoreError):
            connection = stack.enter_context(open_for_reading(database_path(archive)).connect())
        found = [_status(site, _that_count(runs[site.slug]), connection, now, nights) for site in wanted]
        return found + [_unusable(slug, error, runs[slug], connection, now) for slug, error in unusable.items()]


def _unusable(
    slug: str, error: ProfileError, runs: Sequence[RunReport], connection: Connection | None, now: datetime
) -> SiteStatus:
    return SiteStatus(
        site=slug,
        name=slug,
        enabled=True,
        runs=tuple(runs),
        activity=activity(connection, slug, now) if connection is not None else None,
        problems=(Problem("settings", str(error), error.exit_code),),
        broken=True,
    )


def _that_count(runs: Sequence[RunReport]) -> list[RunReport]:
    """Runs, newest first, without those that were locked out by a run which ended after them."""
    return [
        run
        for run in runs
        if run.code != ExitCode.LOCKED
        or not any(other.finished_at >= run.started_at for other in runs if other.code != ExitCode.LOCKED)
    ]


def _status(
    site: Site, runs: Sequence[RunReport], connection: Connection | None, now: datetime, nights: Nights | None
) -> SiteStatus:
    life = until = None
    if connection is not None:
        life = activity(connection, site.slug, now)
        until = value_of(connection, site.slug, NOT_BEFORE)
        until = until if until is not None and datetime.fromisoformat(until) > now else None
    return SiteStatus(
        site=site.slug,
        name=site.name,
        enabled=site.enabled,
        runs=tuple(runs),
        activity=life,
        problems=tuple(_problems(site, runs, now, nights)),
        not_before=until,
    )


def _problems(site: Site, runs: Sequence[RunReport], now: datetime, nights: Nights | None) -> list[Problem]:
    return current_problems(runs, now, missed_nights(site.slug, runs, now, nights) if site.enabled else None)


def current_problems(runs: Sequence[RunReport], now: datetime, missed: Problem | None = None) -> list[Problem]:
    """The problems of a site after these runs (newest first): those of the last conclusive run and of later runs.

    `missed` is the problem of a night that was scheduled and did not come, if any.

    A run that was stopped early does not remove problems that an earlier run found. A run that did not cover everything
    (only certain days, a plan, a failed section) does not remove problems of kinds in `_ON_THE_WHOLE`.
    """
    found: list[Problem] = []
    kinds: frozenset[str] | None = None  # kinds that earlier runs may still add; None: all
    for run in runs:
        found.extend(problem for problem in run.problems if kinds is None or problem.kind in kinds)
        if run.is_conclusive:
            if run.complete:
                break
            kinds = _ON_THE_WHOLE if kinds is None else kinds
        if kinds is not None and run.articles.get("new"):
            kinds -= {"quiet"}
    if (late := missed or overdue([run.started_at for run in runs if run.contacted], now)) is not None:
        found.append(late)
    distinct = {(problem.kind, problem.text): problem for problem in found}
    return worst_first(distinct.values())[1]


def overdue(starts: Sequence[datetime], now: datetime) -> Problem | None:
    """A problem if a site is no longer crawled as often as before, else None. `starts` of its runs, newest first."""
    if len(starts) < _RUNS_FOR_A_RHYTHM:
        return None
    between = median((after - before).total_seconds() for after, before in pairwise(starts))
    silent = now - starts[0]
    if silent <= max(_OVERDUE_AFTER, timedelta(seconds=3 * between)):
        return None
    return Problem("overdue", f"not crawled for {counted(silent.days, 'day')}", ExitCode.UNHEALTHY)


def missed_nights(slug: str, runs: Sequence[RunReport], now: datetime, nights: Nights | None) -> Problem | None:
    """A problem if a site was not crawled in the last night of its schedule, else None. `runs`: newest first.

    Runs that did not begin do not count: they were locked out, or came at the wrong hour. A night that is under way
    counts when its sites have had their turn.
    """
    if nights is None:
        return None
    schedule = nights.schedule
    due = schedule.night_before(now - _LATE_START)
    if nights.running:
        due = schedule.night_before(due - timedelta(seconds=1))
    changed = nights.changed.get(slug)
    since = max(schedule.since, changed) if changed is not None and changed <= now else schedule.since
    last = max((run.finished_at for run in runs if run.contacted), default=None)
    if due < since or (last is not None and last >= due):
        return None
    number = 0
    while due >= since and (last is None or due > last) and number < _NIGHTS_COUNTED:
        number, due = number + 1, schedule.night_before(due - timedelta(seconds=1))
    more = "at least " if number == _NIGHTS_COUNTED else ""
    how_long = f"{more}{counted(number, 'night')} missed"
    if last is None:
        return Problem("overdue", f"never crawled: {how_long} since it was scheduled", ExitCode.UNHEALTHY)
    return Problem("overdue", f"not crawled since {last.astimezone():%Y-%m-%d %H:%M}: {how_long}", ExitCode.UNHEALTHY)
