"""How fast an archive grows, and when its disk will be full at this rate.

Run reports say what each run wrote and how large the database was then. The rate is the mean of the last 30 days
without the largest tenth of them: the first crawl of a site brings twenty years of news in one night.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from danvan_crawler.archive.layout import database_path
from danvan_crawler.health.history import RunReport
from danvan_crawler.warc.index import index_path, manifest_path

_DAYS = 30
_LEAST_DAYS = 2
_LEFT_OUT = 0.1
"""Share of the days that are left out, those with most growth."""
LONGEST = timedelta(days=365 * 50)
"""A forecast beyond this says nothing."""


def written_bytes(archive: Path, names: Iterable[str]) -> int:
    """Bytes of these WARC files (relative to the archive), with their indexes and manifests."""
    total = 0
    for name in names:
        path = archive / name
        for one in (path, index_path(archive, path), manifest_path(archive, path)):
            with suppress(OSError):
                total += one.stat().st_size
    return total


def database_bytes(archive: Path) -> int:
    """Bytes of the item database, with what is still in its log."""
    total = 0
    for suffix in ("", "-wal"):
        with suppress(OSError):
            total += database_path(archive).with_name(database_path(archive).name + suffix).stat().st_size
    return total


def growth(runs: Iterable[RunReport], now: datetime) -> float | None:
    """Bytes by which an archive grows a day, from the runs of all its sites; None if too little is known.

    A day without a run counts as one without growth.
    """
    since = now - timedelta(days=_DAYS)
    written: dict[date, int] = defaultdict(int)
    sizes: dict[date, tuple[datetime, int]] = {}
    for run in runs:
        if run.written_bytes is None or not since <= run.started_at <= now:
            continue
        day = run.started_at.date()
        written[day] += run.written_bytes
        if run.database_bytes is not None and (day not in sizes or run.finished_at > sizes[day][0]):
            sizes[day] = (run.finished_at, run.database_bytes)
    if not written:
        return None
    first, last = min(written), max(written)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if len(days) < _LEAST_DAYS:
        return None
    grown, size = [], None
    for day in days:
        now_size = sizes[day][1] if day in sizes else size
        grown.append(written.get(day, 0) + max(0, (now_size or 0) - (size if size is not None else now_size or 0)))
        size = now_size
    return _usual(grown)


def _usual(grown: Sequence[int]) -> float:
    """The mean without the largest tenth, at least one.

    >>> _usual([900, 10, 20])
    15.0
    """
    kept = sorted(grown)[: -math.ceil(len(grown) * _LEFT_OUT)]
    return sum(kept) / len(kept)


def full_on(free: int, rate: float | None, now: datetime) -> datetime | None:
    """When `free` bytes will be used up at a rate a day; None if that is unknown, or too far away to say."""
    if not rate or free / rate > LONGEST.days:
        return None
    return now + timedelta(days=max(0.0, free / rate))
