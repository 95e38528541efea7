"""What is installed for an archive, and whether a second schedule would crawl it twice a night."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.archive.layout import env_path
from danvan_crawler.archive.locks import is_fleet_running
from danvan_crawler.archive.schedule import CRON, SYSTEMD, Schedule, read_schedule
from danvan_crawler.exceptions import DanvanError, UsageError
from danvan_crawler.fleet.cron import has_cron, line_in, read_crontab
from danvan_crawler.fleet.systemd import UNIT, has_units, unit_folder
from danvan_crawler.health.status import Nights
from danvan_crawler.sites.registry import SiteRegistry

_LINE = re.compile(r"(?P<minute>\d{1,2}) (?P<hour>\d{1,2}) ")
_TIMER = re.compile(r"^OnCalendar=\*-\*-\* (?P<hour>\d\d):(?P<minute>\d\d)", re.MULTILINE)


def installed(archive: Path, environment: Mapping[str, str]) -> Schedule | None:
    """What is scheduled for an archive; None if nothing is.

    ARCHIVE/schedule.json says it. An archive that was scheduled by version 0.1.0 has only the settings: there the
    user's crontab and timer are read.
    """
    if (known := read_schedule(archive)) is not None:
        return known
    try:
        settings = env_path(archive).stat()
    except OSError:
        return None
    since = min(datetime.fromtimestamp(settings.st_mtime, UTC), clock.now())
    timer = unit_folder(environment) / f"{UNIT}.timer"
    with suppress(OSError, UnicodeDecodeError):
        if has_units(archive, unit_folder(environment)) and (found := _TIMER.search(timer.read_text("utf-8"))):
            return Schedule(SYSTEMD, int(found["hour"]), int(found["minute"]), since)
    if (found := _LINE.match(_line(archive) or "")) is not None:
        return Schedule(CRON, int(found["hour"]), int(found["minute"]), since)
    return None


def nights_of(archive: Path, known: SiteRegistry, environment: Mapping[str, str]) -> Nights | None:
    """The nightly crawl of an archive as `health.status` needs it; None if nothing is scheduled."""
    schedule = installed(archive, environment)
    if schedule is None:
        return None
    changed: dict[str, datetime] = {}
    for site in known:
        with suppress(OSError):
            changed[site.slug] = datetime.fromtimestamp(known.origin(site.slug).stat().st_mtime, UTC)
    return Nights(schedule, changed, is_fleet_running(archive))


def refuse_second(archive: Path, kind: str, environment: Mapping[str, str]) -> None:
    """Raises UsageError if this archive has the other kind of schedule already: both would crawl it every night."""
    service = unit_folder(environment) / f"{UNIT}.service"
    if kind == CRON and has_units(archive, unit_folder(environment)):
        raise UsageError(
            f"a systemd timer crawls this archive already ({service}), and cron would crawl it a second time: "
            "remove the timer first, with `danvan schedule --systemd --uninstall`"
        )
    if kind == SYSTEMD and _line(archive) is not None:
        raise UsageError(
            "your crontab has a line that crawls this archive already, and a timer would crawl it a second time: "
            "remove the line first, with `danvan schedule --uninstall`"
        )


def _line(archive: Path) -> str | None:
    """The crontab line of this archive; None if there is none, or if this user has no crontab."""
    if not has_cron():
        return None
    with suppress(DanvanError):  # who may not use cron has no line
        return line_in(read_crontab(), archive)
    return None
