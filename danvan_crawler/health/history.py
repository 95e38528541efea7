"""Reads run reports: the last runs of a site, or of all sites, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from danvan_crawler import clock, statistics
from danvan_crawler.archive.layout import report_paths
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.expectations import Proportion
from danvan_crawler.health.problems import Problem, from_json
from danvan_crawler.health.reports import read_report
from danvan_crawler.sites.rules import COVERED_FIELDS

_FILES = 5_000
"""Newest reports that are read: half a year of nightly runs of 25 sites."""
INCONCLUSIVE = frozenset({ExitCode.INTERRUPTED, ExitCode.LOCKED})
"""Exit codes of runs that ended too early to show the state of a site."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of one site, read from its report."""

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
    complete: bool = True
    """The run covered everything that a nightly run covers."""
    requests: int = 0
    received_bytes: int = 0
    seconds: float = 0.0
    written_bytes: int | None = None
    """Bytes of the WARC files and indexes that it wrote; None if its report does not say it."""
    database_bytes: int | None = None
    """Size of the item database at its end; None as above."""

    @property
    def outcome(self) -> str:
        """The exit code in a word."""
        return OUTCOMES.get(self.code, "failed")

    @property
    def contacted(self) -> bool:
        """Whether the run began: a run that was locked out, or came at the wrong hour, sent no request."""
        return self.code not in INCONCLUSIVE or self.requests > 0

    @property
    def is_conclusive(self) -> bool:
        return self.code not in INCONCLUSIVE


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


def run_report_of(report: Mapping[str, Any]) -> RunReport | None:
    """A report as an object; None if a required key is missing or a value is invalid.

    A file may have been cut, edited or written by another program. Readers can rely on the types in the result.
    """
    try:
        code = _number(report["exit_code"])
        findings = tuple(_text(text) for text in _of(list, report.get("findings", [])))
        problems = tuple(
            replace(problem, text=_text(problem.text)) for problem in from_json(_of(list, report.get("problems", [])))
        )
        reported = {problem.text for problem in problems}
        if code and code not in INCONCLUSIVE:
            # Written into the report by the process that saw the run die.
            known = ExitCode(code) if code in set(ExitCode) else ExitCode.ERROR
            died = tuple(Problem("crashed", text, known) for text in findings[:1] if text not in reported)
            problems = (*died, *problems)
        return RunReport(
            site=_text(report["site"]),
            run_id=_text(report["run_id"]),
            started_at=_moment(report["started_at"]),
            finished_at=_moment(report["finished_at"]),
            code=code,
            findings=findings,
            problems=problems,
            articles=_numbers(report.get("articles", {})),
            coverage=_numbers(report.get("coverage", {})),
            complete=report.get("complete") is not False,
            requests=_number(report.get("requests", 0)),
            received_bytes=_number(report.get("bytes", 0)),
            seconds=_seconds(report.get("duration_seconds", 0.0)),
            written_bytes=_number(report["written_bytes"]) if "written_bytes" in report else None,
            database_bytes=_number(report["database_bytes"]) if "database_bytes" in report else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


T = TypeVar("T")


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{kind.__name__} expected, got {value!r}")
    return value


def _text(value: Any) -> str:
    return _of(str, value).encode("utf-8", "replace").decode()  # JSON can hold halves of surrogate pairs


def _number(value: Any) -> int:
    number = _of(int, value)
    if not 0 <= number < 1 << 63:
        raise ValueError(f"out of range: {number}")
    return number


def _numbers(value: Any) -> dict[str, int]:
    return {_text(name): _number(number) for name, number in _of(dict, value).items()}


def _seconds(value: Any) -> float:
    seconds = float(_of(float, value) if isinstance(value, float) else _number(value))
    if not 0 <= seconds < 1e12:  # nan is not
        raise ValueError(f"out of range: {seconds}")
    return seconds


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_of(str, value))
    if moment.tzinfo is None or not 1990 <= moment.year <= 2200:
        raise ValueError(f"a moment with its zone expected, got {value!r}")
    return moment


def run_reports(
    archive: Path, site: str | None = None, now: datetime | None = None, *, files: int = _FILES
) -> Iterator[RunReport]:
    """The runs of a site, or of all, newest first, from the newest `files` reports. Invalid reports are skipped.

    A run that began in the future (the machine's clock was wrong) is skipped too: as the newest run it would hide all
    later ones. One day of difference is allowed, since `now` may be wrong as well.
    """
    latest = (now or clock.now()) + timedelta(days=1)
    wanted = f'"site": {json.dumps(site)}'.encode() if site is not None else b""
    for path in sorted(report_paths(archive), reverse=True)[:files]:
        if wanted and not _holds(path, wanted):
            continue
        run = run_report_of(read_report(path) or {})
        if run is not None and run.started_at <= latest and (site is None or run.site == site):
            yield run


def _holds(path: Path, wanted: bytes) -> bool:
    try:
        return wanted in path.read_bytes()
    except OSError:
        return False


FORBIDDEN_IN, _LINKED_IN = "forbidden_in/", "linked_in/"
_OF: Mapping[str, str] = {"pages_with_article": "pages", "forbidden": "linked", "missing": "linked"}


def proportion(coverage: Mapping[str, int], name: str) -> Proportion:
    """How many articles of a run have a field; `pages_with_article` is of `pages`, see `_OF`."""
    of = _OF.get(name, "articles")
    if name.startswith(FORBIDDEN_IN):
        of = _LINKED_IN + name.removeprefix(FORBIDDEN_IN)
    return Proportion(coverage.get(name, 0), coverage.get(of, 0))


def coverage_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """A report's `coverage`, from a run's statistics."""
    articles, without = stats.get(statistics.ARTICLES, 0), stats.get(statistics.PAGES_WITHOUT_ARTICLE, 0)
    return {
        "pages": articles + without,
        "pages_with_article": articles,
        "articles": stats.get(statistics.articles_with("articles"), 0),
        **{name: stats.get(statistics.articles_with(name), 0) for name in (*COVERED_FIELDS, "doubtful_dates")},
        **{name: stats.get(statistics.articles(name), 0) for name in ("failed", "linked", "forbidden", "missing")},
        **{
            name.removeprefix(statistics.PREFIX): number
            for name, number in stats.items()
            if name.startswith((statistics.in_section("linked", ""), statistics.in_section("forbidden", "")))
        },
    }
