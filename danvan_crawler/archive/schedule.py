"""What is scheduled for an archive: ARCHIVE/schedule.json, written by `danvan schedule --install`.

`danvan status` reads it to see that a night was missed: cron and systemd know nothing of a crawl that did not begin,
and the crontab may be that of another user or machine. It holds no secrets.
"""

from __future__ import annotations

import getpass
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from danvan_crawler.archive.layout import schedule_path
from danvan_crawler.atomic import replace_file

CRON, SYSTEMD = "cron", "systemd"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A nightly crawl: by `cron` or `systemd`, at this time of the machine's clock, in force `since` a moment (UTC).

    `owner` is the user and machine that installed it, "operator@archive-host".
    """

    kind: str
    hour: int
    minute: int
    since: datetime
    owner: str = ""
    verify_days: float | None = None
    """Days after which the archive is checked again, 0 for never; None if the file does not say it."""

    def night_before(self, moment: datetime) -> datetime:
        """The last moment at which the crawl had to begin, at or before `moment`; aware."""
        local = moment.astimezone()
        for days in (0, 1, 2):  # 2: in the night in which clocks go forward, the hour may not exist
            day = (local - timedelta(days=days)).date()
            begins = datetime.combine(day, time(self.hour, self.minute)).astimezone()
            if begins <= moment:
                return begins
        raise AssertionError(moment)


def owner() -> str:
    """This user on this machine."""
    user = "unknown"
    with suppress(KeyError, OSError):  # a user id without a name, in a container
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()}"


def read_schedule(archive: Path) -> Schedule | None:
    """What is scheduled; None if nothing is, or if the file cannot be read."""
    try:
        held: Any = json.loads(schedule_path(archive).read_text(encoding="utf-8"))
        since = datetime.fromisoformat(held["since"])
        days = held.get("verify_days")
        found = Schedule(
            str(held["kind"]),
            int(held["hour"]),
            int(held["minute"]),
            since,
            str(held.get("owner", "")),
            float(days) if days is not None else None,
        )
        time(found.hour, found.minute)
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return found if since.tzinfo is not None and found.kind in (CRON, SYSTEMD) else None


def write_schedule(archive: Path, schedule: Schedule) -> None:
    """Writes what is scheduled. If only options were changed, the schedule is in force as long as before.

    Raises DanvanError.
    """
    before = read_schedule(archive)
    since = schedule.since
    if before is not None and (before.kind, before.hour, before.minute) == (
        schedule.kind,
        schedule.hour,
        schedule.minute,
    ):
        since = min(since, before.since)
    held = {
        "kind": schedule.kind,
        "hour": schedule.hour,
        "minute": schedule.minute,
        "since": since.isoformat(timespec="seconds"),
        "owner": schedule.owner,
        "verify_days": schedule.verify_days,
    }
    replace_file(schedule_path(archive), json.dumps(held, indent=2) + "\n")
