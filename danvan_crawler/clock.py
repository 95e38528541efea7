"""The current time, for everything that depends on it: WARC-Dates, run reports, back-off, due visits.

It is in one place, so that tests can simulate months in seconds: the environment variable `DANVAN_CLOCK` replaces the
current time. An ISO 8601 time with its zone is fixed; with ` +` at the end, the clock runs on from this time, beginning
at the start of each process.

    DANVAN_CLOCK="2027-03-01T01:30:00+07:00"
    DANVAN_CLOCK="2027-03-01T01:30:00+07:00 +"

Child processes inherit it. Durations are measured with `time.monotonic`, which it does not affect.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from danvan_crawler.exceptions import UsageError

VARIABLE = "DANVAN_CLOCK"

_YEARS = (1990, 2200)
"""Outside these years calendars end, or dates no longer sort as text."""
_STARTED = time.monotonic()


def now() -> datetime:
    """The current time, aware, UTC. Raises UsageError if `DANVAN_CLOCK` is not a valid time in `_YEARS`."""
    value = os.environ.get(VARIABLE)
    if not value:
        return datetime.now(UTC)
    moment, runs = _read(value)
    return moment + timedelta(seconds=time.monotonic() - _STARTED) if runs else moment


def warc_date(moment: datetime) -> str:
    """`2026-11-23T07:46:11.123456Z`: UTC, always with six digits of microseconds, so that dates sort as text.

    Raises ValueError for a time without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a WARC-Date needs a time with a zone, not {moment!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@lru_cache(maxsize=8)
def _read(value: str) -> tuple[datetime, bool]:
    text = value.strip()
    runs = text.endswith(" +")
    try:
        moment: datetime | None = datetime.fromisoformat(text.removesuffix(" +").rstrip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"{VARIABLE} must be a time with its zone like 2027-03-01T01:30:00+07:00, "
            f"with ' +' at the end for a clock that runs on, got {value!r}"
        )
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise UsageError(f"{VARIABLE} must be a time in the years {_YEARS[0]} to {_YEARS[1]}, got {value!r}")
    return moment.astimezone(UTC), runs
