"""Run reports read back: the last runs of a site, or of all of them, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.ops.expectations import Tally
from danvan_crawler.ops.problems import Problem, from_json
from danvan_crawler.ops.reports import read_report
from danvan_crawler.site_rules import COVERED_FIELDS

_FILES = 5_000
"""Newest reports that are looked at: half a year of nights of 25 sites."""
SAYS_NOTHING = frozenset({ExitCode.INTERRUPTED, ExitCode.LOCKED})
"""Codes of runs that did not get far enough to tell how a site is."""


@dataclass(frozen=True, slots=True)
class Night:
    """One run of one site, as its report tells."""

    site: str
    run_id: str
    started_at: datetime
    finished_at: datetime
    code: int
    findings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    articles: Mapping[str, int] = field(default_factory=dict)
    """`fetched`, `new`, `edited`, `gone`, `revived`."""
    coverage: Mapping[str, int] = field(default_factory=dict)
    """Of `articles` fetched, how many have each field; `pages` and `pages_with_article`, `failed` ones;
    `doubtful_dates`. Of article links that were `linked` for the first time, how many are `missing` or `forbidden`;
    `linked_in/SECTION` and `forbidden_in/SECTION` as well."""
    requests: int = 0
    received_bytes: int = 0
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """The exit code in a word."""
        return OUTCOMES.get(self.code, "failed")

    @property
    def says_something(self) -> bool:
        return self.code not in SAYS_NOTHING


OUTCOMES: Mapping[int, str] = {
    ExitCode.OK: "good",
    ExitCode.ERROR: "error",
    ExitCode.USAGE: "error",
    ExitCode.SITE_FAILED: "failed",
    ExitCode.UNHEALTHY: "unhealthy",
    ExitCode.LOCKED: "locked",
    ExitCode.DISK_FULL: "disk full",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.DAMAGED: "damaged",
}


def night_of(report: Mapping[str, Any]) -> Night | None:
    """A report as a night; None for one that lacks what every report has."""
    try:
        code = int(report["exit_code"])
        findings = tuple(str(text) for text in report.get("findings", ()))
        problems = tuple(from_json(report.get("problems", ())))
        told = {problem.text for problem in problems}
        if code and code not in SAYS_NOTHING:
            # What was written into it by whoever saw the run die.
            known = ExitCode(code) if code in set(ExitCode) else ExitCode.ERROR
            died = tuple(Problem("crashed", text, known) for text in findings[:1] if text not in told)
            problems = (*died, *problems)
        return Night(
            site=report["site"],
            run_id=str(report["run_id"]),
            started_at=datetime.fromisoformat(report["started_at"]),
            finished_at=datetime.fromisoformat(report["finished_at"]),
            code=code,
            findings=findings,
            problems=problems,
            articles=report.get("articles", {}),
            coverage=report.get("coverage", {}),
            requests=report.get("requests", 0),
            received_bytes=report.get("bytes", 0),
            seconds=report.get("duration_seconds", 0.0),
        )
    except (KeyError, TypeError, ValueError):
        return None


def nights(archive: Path, site: str | None = None, *, files: int = _FILES) -> Iterator[Night]:
    """The runs of a site, or of all, newest first, in so many of the newest reports. What is none is passed over."""
    wanted = f'"site": {json.dumps(site)}'.encode() if site is not None else b""
    for path in sorted(archive.glob("runs/*.json"), reverse=True)[:files]:
        if wanted and not _holds(path, wanted):
            continue
        night = night_of(read_report(path) or {})
        if night is not None and (site is None or night.site == site):
            yield night


def _holds(path: Path, wanted: bytes) -> bool:
    try:
        return wanted in path.read_bytes()
    except OSError:
        return False


FORBIDDEN_IN, _LINKED_IN = "forbidden_in/", "linked_in/"
_OF: Mapping[str, str] = {"pages_with_article": "pages", "forbidden": "linked", "missing": "linked"}


def tally(coverage: Mapping[str, int], name: str) -> Tally:
    """How many articles of a run have a field; `pages_with_article` is of the pages, what `_OF` names of those."""
    of = _OF.get(name, "articles")
    if name.startswith(FORBIDDEN_IN):
        of = _LINKED_IN + name.removeprefix(FORBIDDEN_IN)
    return Tally(coverage.get(name, 0), coverage.get(of, 0))


def coverage_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """A report's `coverage`, from a run's statistics."""
    articles, without = stats.get("danvan/articles", 0), stats.get("danvan/pages_without_article", 0)
    return {
        "pages": articles + without,
        "pages_with_article": articles,
        "articles": stats.get("danvan/tally/articles", 0),
        **{name: stats.get(f"danvan/tally/{name}", 0) for name in (*COVERED_FIELDS, "doubtful_dates")},
        **{name: stats.get(f"danvan/articles_{name}", 0) for name in ("failed", "linked", "forbidden", "missing")},
        **{
            name.removeprefix("danvan/"): number
            for name, number in stats.items()
            if name.startswith((f"danvan/{_LINKED_IN}", f"danvan/{FORBIDDEN_IN}"))
        },
    }
