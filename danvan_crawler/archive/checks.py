"""What `danvan verify` checked, when, and what it found: ARCHIVE/checks/<UTC timestamp>-<id>.json, one file per check.

A check of the whole archive covers every file that was finished when it began; the name of a WARC file has the time at
which it was begun. So the history says for each file when it was last found as it should be.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from danvan_crawler.archive.layout import check_folder
from danvan_crawler.atomic import replace_file
from danvan_crawler.exceptions import archive_error

FINDINGS_KEPT = 1000
"""Findings that a report lists; `damage` and `notices` count all."""
_READ_AT_MOST = 500
"""Newest reports that are read: more than ten years of a check every week."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `site` is None for the whole archive; `complete` is False for one that was stopped."""

    started_at: datetime
    finished_at: datetime
    site: str | None = None
    complete: bool = True
    exit_code: int = 0
    files: int = 0
    records: int = 0
    bytes: int = 0
    damage: int = 0
    notices: int = 0
    damaged: Mapping[str, int] = field(default_factory=dict)
    """Findings of damage by site; under "" those of no site, such as the database."""
    findings: tuple[Mapping[str, Any], ...] = ()
    """As `danvan verify --json` has them, the first FINDINGS_KEPT."""
    repairs: tuple[str, ...] = ()
    """What a repair did before, one sentence each."""

    def as_json(self) -> dict[str, Any]:
        """The check as its report has it."""
        moments = {name: getattr(self, name).isoformat(timespec="seconds") for name in ("started_at", "finished_at")}
        return {**asdict(self), **moments}


def write_check(archive: Path, check: Check) -> Path:
    """Writes a report. Raises ArchiveError (DiskFullError)."""
    path = check_folder(archive) / f"{check.started_at:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.json"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise archive_error(error, f"write {path.parent}") from error
    replace_file(path, json.dumps(check.as_json(), ensure_ascii=False, indent=2) + "\n")
    return path


def checks(archive: Path) -> Iterator[Check]:
    """The checks of an archive, newest first; reports that cannot be read are skipped."""
    for path in sorted(check_folder(archive).glob("*.json"), key=_age, reverse=True)[:_READ_AT_MOST]:
        try:
            held: Any = json.loads(path.read_text(encoding="utf-8"))
            found = _check(held)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        yield found


def _age(path: Path) -> tuple[str, int]:
    """Sorts reports by their times; those of one moment, of a clock that stands still, as they were written."""
    try:
        written = path.stat().st_mtime_ns
    except OSError:
        written = 0
    return path.name.partition("-")[0], written


def _check(held: Any) -> Check:
    site = held.get("site")
    return Check(
        _moment(held["started_at"]),
        _moment(held["finished_at"]),
        site=str(site) if site is not None else None,
        complete=held.get("complete") is not False,
        exit_code=int(held.get("exit_code", 0)),
        files=int(held.get("files", 0)),
        records=int(held.get("records", 0)),
        bytes=int(held.get("bytes", 0)),
        damage=int(held.get("damage", 0)),
        notices=int(held.get("notices", 0)),
        damaged={str(name): int(number) for name, number in held.get("damaged", {}).items()},
        findings=tuple(held.get("findings", ())),
        repairs=tuple(map(str, held.get("repairs", ()))),
    )


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment


def last_of(found: Collection[Check], site: str) -> Check | None:
    """The newest complete check of a site, alone or with the whole archive; "" for what belongs to no site."""
    return next((one for one in found if one.complete and one.site in (None, site or None)), None)
