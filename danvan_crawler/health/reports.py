"""Run reports: one JSON file per run in ARCHIVE/runs, written by the run, or by the process that saw it die."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from danvan_crawler import clock, statistics
from danvan_crawler.archive.layout import report_folder, report_paths
from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import (
    ArchiveError,
    CaptureRefusedError,
    CooldownError,
    DanvanError,
    DiskFullError,
    ExitCode,
    LockedError,
    NewerStoreError,
    OutsideWindowError,
    StoreAccessError,
    StoreBusyError,
    StoreError,
    in_words,
)
from danvan_crawler.health.problems import Problem

_MOMENT = "%Y%m%dT%H%M%SZ"
"""How the name of a report begins."""
_A_NIGHT = timedelta(hours=12)
_RUNS_PER_SITE = 50
"""Runs per site that are searched for its last good one; older ones do not count."""


def new_run_id() -> str:
    """Eight hexadecimal digits that no other run is likely to have."""
    return secrets.token_hex(4)


def report_of(
    run_id: str,
    slug: str,
    started_at: datetime,
    reason: str,
    outcome: ExitCode,
    problems: Sequence[Problem],
    stats: Mapping[str, Any],
    *,
    coverage: Mapping[str, int],
    seconds: float,
    complete: bool,
    recovered: Sequence[str],
    written_bytes: int,
    database_bytes: int,
) -> dict[str, Any]:
    """The report of a run that ends now. `recovered` are files that a dead run left, relative to the archive.

    Its times are those of `clock`, also in the statistics, where Scrapy puts those of the machine.
    """
    finished_at = clock.now()
    return {
        "run_id": run_id,
        "site": slug,
        "started_at": started_at.isoformat(timespec="seconds"),
        "finished_at": finished_at.isoformat(timespec="seconds"),
        "reason": reason,
        "exit_code": int(outcome),
        "findings": [problem.text for problem in problems],
        "problems": [problem.as_json() for problem in problems],
        "duration_seconds": round(seconds, 1),
        "requests": stats.get("downloader/request_count", 0),
        "bytes": stats.get("downloader/response_bytes", 0),
        "articles": {
            "fetched": stats.get(statistics.ARTICLES, 0),
            **{kind: stats.get(statistics.articles(kind), 0) for kind in ("new", "edited", "gone", "revived")},
        },
        "foreign_hosts": stats.get(statistics.FOREIGN_HOSTS, {}),
        "coverage": coverage,
        "complete": complete,
        "recovered": recovered,
        "written_bytes": written_bytes,
        "database_bytes": database_bytes,
        "stats": {**stats, **_times(stats, started_at, finished_at)},
    }


def _times(stats: Mapping[str, Any], started_at: datetime, finished_at: datetime) -> dict[str, str]:
    """Scrapy's statistics of time, where it has written them, by our clock."""
    ours = {"start_time": started_at, "finish_time": finished_at}
    return {name: str(moment) for name, moment in ours.items() if name in stats}


def write_report(archive: Path, started_at: datetime, report: dict[str, Any]) -> Path:
    """Writes a report, named after time and `run_id`; values that JSON does not support become text. Raises OSError."""
    folder = report_folder(archive)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{started_at:{_MOMENT}}-{report['run_id']}.json"
    _write(path, report)
    return path


def _write(path: Path, report: dict[str, Any]) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
    with replacing(path) as file:
        file.write(f"{text}\n".encode())


def report_death(
    archive: Path,
    slug: str,
    *,
    run_id: str | None,
    started_at: datetime,
    exit_code: int,
    finding: str,
    kind: str = "crashed",
) -> Path:
    """Reports that a run died or had to be stopped. Raises OSError.

    If the run wrote a report, code and finding are added to it. Otherwise, or if the run died before it had an id, a
    new report is written with a problem of this kind, and with reason "died", or "not_now" if a lock kept it from
    beginning.
    """
    for path in report_paths(archive, run_id) if run_id else ():
        report = read_report(path)
        if report is not None:
            findings = report.get("findings")
            report["exit_code"] = exit_code
            report["findings"] = [finding, *(findings if isinstance(findings, list) else ())]
            _write(path, report)
            return path
    return write_report(
        archive,
        started_at,
        {
            "run_id": run_id or new_run_id(),
            "site": slug,
            "started_at": started_at.isoformat(timespec="seconds"),
            "finished_at": clock.now().isoformat(timespec="seconds"),
            "reason": "not_now" if exit_code == ExitCode.LOCKED else "died",
            "exit_code": exit_code,
            "findings": [finding],
            "problems": [Problem(kind, finding, ExitCode(exit_code)).as_json()],
            "complete": False,
            "recovered": [],
            "stats": {},
        },
    )


_KINDS: Mapping[type[DanvanError], str] = {
    StoreBusyError: "database_busy",
    NewerStoreError: "database_newer",
    StoreAccessError: "archive",
    StoreError: "database",
    DiskFullError: "disk_full",
    ArchiveError: "archive",
    LockedError: "locked",
    CooldownError: "asked_to_wait",
    OutsideWindowError: "window",
    CaptureRefusedError: "refused",
}
"""The kind of problem that ended a run, by its error; a class stands before the one that it is derived from."""
_KINDS_OF_CODES: Mapping[ExitCode, str] = {
    ExitCode.DISK_FULL: "disk_full",
    ExitCode.DAMAGED: "archive",
    ExitCode.USAGE: "settings",
    ExitCode.LOCKED: "locked",
    ExitCode.INTERRUPTED: "interrupted",
}


def kind_of(code: ExitCode, error: BaseException | None = None) -> str:
    """The kind of problem that ended a run without a report: by its error if known, else by its exit code."""
    known = next((kind for kind_of_error, kind in _KINDS.items() if isinstance(error, kind_of_error)), None)
    return known or _KINDS_OF_CODES.get(code, "crashed")


_NEED_NO_REPORT = frozenset({ExitCode.OK, ExitCode.INTERRUPTED})


class MissingReport:
    """Writes the report of a failed run that left none. Create it before the run begins.

    It compares the names of the reports before and after the run, not times: the run's clock may differ from ours.
    """

    def __init__(self, archive: Path, slug: str) -> None:
        self.started_at = clock.now()
        self._archive = archive
        self._slug = slug
        self._before = self._names()

    def _names(self) -> set[str]:
        return {path.name for path in report_paths(self._archive)}

    def _has_reported(self) -> bool:
        reports = (read_report(report_folder(self._archive) / name) for name in self._names() - self._before)
        return any(report is not None and report.get("site") == self._slug for report in reports)

    def write(self, code: ExitCode, finding: str, *, run_id: str | None = None, kind: str | None = None) -> None:
        """Writes a report, unless the code needs none or the run wrote one. Raises OSError."""
        if code in _NEED_NO_REPORT or self._has_reported():
            return
        report_death(
            self._archive,
            self._slug,
            run_id=run_id,
            started_at=self.started_at,
            exit_code=int(code),
            finding=finding,
            kind=kind or kind_of(code),
        )

    def write_error(self, error: Exception) -> None:
        """The same for a run that ended with an error. Raises OSError."""
        if isinstance(error, DanvanError):
            self.write(error.exit_code, str(error), kind=kind_of(error.exit_code, error))
        else:
            self.write(ExitCode.ERROR, in_words(error))


def read_report(path: Path) -> dict[str, Any] | None:
    """A report; None if the file is not a report, for example cut short by a full disk."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def longest_waiting_first(archive: Path, slugs: Collection[str]) -> list[str]:
    """Sorts sites so that none waits forever, if a night is too short for all.

    First come those that the last night left out, then those whose last good run (exit code 0) is the oldest or does
    not exist: a site that failed, or that was cut, comes before one that was finished. Reports from the future are
    ignored, because the clock was wrong.
    """
    last_run: dict[str, str] = {}
    last_good: dict[str, str] = {}
    missing = set(slugs)
    latest = f"{clock.now() + timedelta(days=1):{_MOMENT}}"
    newest_first = sorted((path for path in report_paths(archive) if path.name < latest), reverse=True)
    for path in islice(newest_first, _RUNS_PER_SITE * len(slugs)):
        report = read_report(path) or {}
        site = report.get("site")
        if isinstance(site, str) and site in missing:
            last_run.setdefault(site, path.name)
            if report.get("exit_code") == 0:
                missing.discard(site)
                last_good[site] = path.name
        if not missing:
            break
    newest = max(last_run.values(), default="")
    return sorted(
        slugs,
        key=lambda slug: (
            not _was_left_out(last_run.get(slug), newest),
            last_good.get(slug, ""),
            last_run.get(slug, ""),
            slug,
        ),
    )


def _was_left_out(name: str | None, newest: str) -> bool:
    """Whether a site whose last report has this name had none in the night of the newest report."""
    if name is None:
        return True
    try:
        began, last = (datetime.fromisoformat(one.split("-")[0]) for one in (name, newest))
    except ValueError:  # a file that somebody renamed
        return False
    return last - began > _A_NIGHT
