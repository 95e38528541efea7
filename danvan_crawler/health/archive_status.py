"""The state of the archive itself, beside that of its sites: from its files only, no server is contacted.

Whether it was checked, and what the check found; when its disk will be full; whether its database can be read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from danvan_crawler.archive.checks import Check, checks, last_of
from danvan_crawler.archive.layout import database_path, warc_folder
from danvan_crawler.archive.schedule import Schedule
from danvan_crawler.exceptions import ExitCode, OlderStoreError, StoreError
from danvan_crawler.health.growth import full_on, growth
from danvan_crawler.health.history import run_reports
from danvan_crawler.health.problems import Problem
from danvan_crawler.health.reports import kind_of
from danvan_crawler.plurals import counted
from danvan_crawler.store.database import open_for_reading

ARCHIVE = ".archive"
"""Stands in the place of a site's slug where the archive has a problem. No slug begins with a dot."""
_SOON = timedelta(days=30)
"""A disk that will be full within this time is a problem."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Disk:
    """Free bytes up to `DANVAN_MIN_FREE`, growth in bytes a day, and when the disk will be full at this rate.

    `rate` is None if too little is known, `full_on` also if it is too far away to say.
    """

    free: int
    rate: float | None = None
    full_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """What is scheduled for the archive, its last check, its disk, and its problems."""

    schedule: Schedule | None = None
    last_check: Check | None = None
    """The newest complete check of the whole archive."""
    disk: Disk | None = None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def unhealthy(self) -> bool:
        """Whether somebody must act."""
        return any(problem.is_failure for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """The archive in `danvan status --json`."""
        disk, check = self.disk, self.last_check
        return {
            "unhealthy": self.unhealthy,
            "scheduled": f"{self.schedule.hour:02}:{self.schedule.minute:02}" if self.schedule is not None else None,
            "last_check": check.started_at.isoformat(timespec="seconds") if check is not None else None,
            "last_check_damage": check.damage if check is not None else None,
            "free_bytes": disk.free if disk is not None else None,
            "bytes_per_day": round(disk.rate) if disk is not None and disk.rate is not None else None,
            "disk_full_on": disk.full_on.date().isoformat() if disk is not None and disk.full_on is not None else None,
            "problems": [problem.as_json() for problem in self.problems],
        }


def archive_status(
    archive: Path, schedule: Schedule | None, now: datetime, *, verify_days: float, min_free: int
) -> ArchiveStatus:
    """The state of an archive at a moment.

    `verify_days` are the days after which it is checked again, unless its schedule says other ones; 0: never.
    `min_free` are the bytes that have to stay free.
    """
    found = list(checks(archive))
    if schedule is not None and schedule.verify_days is not None:
        verify_days = schedule.verify_days
    disk = _disk(archive, now, min_free)
    problems = [*_of_checks(archive, found, now, verify_days), *_of_the_disk(disk, now), *_of_the_database(archive)]
    return ArchiveStatus(schedule, last_of(found, ""), disk, tuple(problems))


def _of_checks(archive: Path, found: list[Check], now: datetime, days: float) -> Iterator[Problem]:
    began = {path.name: _first_file(path) for path in warc_folder(archive).glob("*") if path.is_dir()}
    damage = _damage(found, began)
    if damage:
        where = ", ".join(f"{number} in {site or 'no site'}" for site, number in list(damage.items())[:_NAMED])
        more = ", …" if len(damage) > _NAMED else ""
        number = counted(sum(damage.values()), "finding")
        last = max(one.started_at for one in found if one.damage)
        text = f"the check of {last.astimezone():%Y-%m-%d %H:%M} found damage: {number} ({where}{more})"
        yield Problem("damaged", text, ExitCode.DAMAGED)
    if not days:
        return
    after = timedelta(days=days + max(2.0, days / 4))
    late: dict[str, datetime | None] = {}
    for site, first in began.items():
        check = last_of(found, site)
        if first is not None and (check.started_at if check is not None else first) < now - after:
            late[site] = check.started_at if check is not None else None
    if late:
        yield Problem("unchecked", f"{_how_late(late, len(began), now)}; DANVAN_VERIFY_DAYS is {days:g}")


def _how_late(late: dict[str, datetime | None], sites: int, now: datetime) -> str:
    what = "the archive" if len(late) == sites else ", ".join(sorted(late)[:_NAMED])
    if len(late) > _NAMED and len(late) < sites:
        what += f" and {counted(len(late) - _NAMED, 'other site')}"
    times = [moment for moment in late.values() if moment is not None]
    if len(times) < len(late):
        return f"{what}: never checked"
    return f"{what}: not checked for {counted((now - min(times)).days, 'day')}"


def _damage(found: list[Check], sites: dict[str, Any]) -> dict[str, int]:
    """Findings of damage by site, after the newest check that covers it; one that was stopped can add some."""
    damage: dict[str, int] = {}
    for site in (*sorted(sites), ""):
        for one in found:
            if one.site not in (None, site or None):
                continue
            if number := one.damaged.get(site, 0):
                damage[site] = number
            if number or one.complete:
                break
    return damage


def _first_file(folder: Path) -> datetime | None:
    """When the first WARC file of a site was begun, by its name; None if it has none."""
    for year in sorted(path for path in folder.iterdir() if path.is_dir()):
        for name in sorted(path.name for path in year.glob("*.warc.gz")):
            if (stamp := re.match(rf"{re.escape(folder.name)}-(\d{{14}})", name)) is not None:
                try:
                    return datetime.strptime(stamp[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
                except ValueError:
                    continue
    return None


def _disk(archive: Path, now: datetime, min_free: int) -> Disk | None:
    try:
        free = max(0, shutil.disk_usage(archive).free - min_free)
    except OSError:
        return None
    rate = growth(run_reports(archive, now=now), now)
    return Disk(free, rate, full_on(free, rate, now))


def _of_the_disk(disk: Disk | None, now: datetime) -> Iterator[Problem]:
    if disk is None or disk.full_on is None or disk.full_on - now >= _SOON:
        return
    left = f"{size(disk.free)} are left, and the archive grows by {size(disk.rate or 0)} a day"
    yield Problem("disk_soon", f"the disk will be full on about {disk.full_on.astimezone():%Y-%m-%d}: {left}")


def _of_the_database(archive: Path) -> Iterator[Problem]:
    path = database_path(archive)
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        open_for_reading(path).dispose()
    except OlderStoreError as error:
        yield Problem("database_older", str(error), ExitCode.OK)
    except StoreError as error:
        yield Problem(kind_of(error.exit_code, error), str(error), error.exit_code)


def size(number: float) -> str:
    """Bytes in the largest unit in which the number is at least 1.

    >>> size(999), size(5_400), size(7_000_000_000)
    ('999 B', '5.4 KB', '7.0 GB')
    """
    for least, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if number >= least:
            return f"{number / least:.1f} {unit}"
    return f"{number:.0f} B"


def disk_in_words(disk: Disk, now: datetime) -> str:
    """A sentence about the disk."""
    text = f"{size(disk.free)} free"
    if disk.rate is None:
        return f"{text}; how fast the archive grows is known after crawls on two days"
    text = f"{text}, {size(disk.rate)} more a day"
    if disk.full_on is None:
        return f"{text}: not full in 50 years at this rate"
    years = (disk.full_on - now).days // 365
    if years >= 2:
        return f"{text}: full in about {counted(years, 'year')} at this rate ({disk.full_on:%Y})"
    return f"{text}: full on about {disk.full_on.astimezone():%Y-%m-%d} at this rate"
