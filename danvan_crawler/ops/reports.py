"""Run reports: one JSON file per run in ARCHIVE/runs, written by the run, or for it by whoever saw it die."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from danvan_crawler import clock

_NIGHTS = 50
"""Runs per site that are looked at to find its last good one; what is older counts as never."""


def new_run_id() -> str:
    """Eight hexadecimal digits that no other run is likely to have."""
    return secrets.token_hex(4)


def write_report(archive: Path, started_at: datetime, report: dict[str, Any]) -> Path:
    """Writes a report, named after the moment and `run_id`; what JSON knows not is written as text. Raises OSError."""
    folder = archive / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{started_at:%Y%m%dT%H%M%SZ}-{report['run_id']}.json"
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def report_death(
    archive: Path, slug: str, *, run_id: str | None, started_at: datetime, exit_code: int, finding: str
) -> Path:
    """Reports for a run what it could not say itself: that it died, or had to be stopped. Raises OSError.

    A report that the run has written all the same keeps its statistics and gets code and finding; a run that wrote
    none, or died before it had an id, gets a report with reason "died".
    """
    for path in archive.glob(f"runs/*-{run_id}.json") if run_id else ():
        report = read_report(path)
        if report is not None:
            report["exit_code"], report["findings"] = exit_code, [finding, *report.get("findings", ())]
            path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            return path
    return write_report(
        archive,
        started_at,
        {
            "run_id": run_id or new_run_id(),
            "site": slug,
            "started_at": started_at.isoformat(timespec="seconds"),
            "finished_at": clock.now().isoformat(timespec="seconds"),
            "reason": "died",
            "exit_code": exit_code,
            "findings": [finding],
            "recovered": [],
            "stats": {},
        },
    )


def read_report(path: Path) -> dict[str, Any] | None:
    """A report, or None for a file that is none, such as one that a full disk cut short."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def longest_waiting_first(archive: Path, slugs: Collection[str]) -> list[str]:
    """The sites in the order of their last good run (exit code 0), the longest ago first, those without one before all.

    So what failed, or was not reached in a night that was too short, is the next night's first.
    """
    last_good: dict[str, str] = {}
    missing = set(slugs)
    newest_first = sorted(archive.glob("runs/*.json"), reverse=True)
    for path in islice(newest_first, _NIGHTS * len(slugs)):
        report = read_report(path)
        if report is not None and report.get("exit_code") == 0 and report.get("site") in missing:
            missing.discard(report["site"])
            last_good[report["site"]] = path.name
        if not missing:
            break
    return sorted(slugs, key=lambda slug: (last_good.get(slug, ""), slug))
