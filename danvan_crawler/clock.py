"""What time it is, for everything that decides or dates by it: WARC-Dates, run reports, back-off, visits that are due.

One place, so that tests can live through months in seconds: the environment variable `DANVAN_CLOCK` puts another moment
in the place of now. An ISO 8601 moment with its zone stands still; with ` +` behind it, it runs on from there, counted
from the start of each process.

    DANVAN_CLOCK="2027-03-01T01:30:00+07:00"
    DANVAN_CLOCK="2027-03-01T01:30:00+07:00 +"

Child processes inherit it. How long something takes is measured with `time.monotonic`, which nobody sets.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from danvan_crawler.exceptions import UsageError

VARIABLE = "DANVAN_CLOCK"

_YEARS = (1990, 2200)
"""Beyond these a calendar ends, or dates stop to sort as text."""
_STARTED = time.monotonic()


def now() -> datetime:
    """This moment, aware, UTC. Raises UsageError when `DANVAN_CLOCK` holds no moment, or one far away."""
    value = os.environ.get(VARIABLE)
    if not value:
        return datetime.now(UTC)
    moment, runs = _read(value)
    return moment + timedelta(seconds=time.monotonic() - _STARTED) if runs else moment


def warc_date(moment: datetime) -> str:
    """`2026-11-23T07:46:11.123456Z`: UTC, always with six digits of microseconds, so that dates sort as text.

    Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a WARC-Date needs a moment with a time zone, not {moment!r}")
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
            f"{VARIABLE} must be a moment with its zone like 2027-03-01T01:30:00+07:00, "
            f"with ' +' behind it for a clock that runs on, got {value!r}"
        )
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise UsageError(f"{VARIABLE} must be a moment of the years {_YEARS[0]} to {_YEARS[1]}, got {value!r}")
    return moment.astimezone(UTC), runs
