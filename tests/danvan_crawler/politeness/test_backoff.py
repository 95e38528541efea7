"""Reading Retry-After."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from danvan_crawler.politeness.backoff import seconds_to_wait

NOW = datetime(2026, 11, 23, 7, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Mon, 23 Nov 2026 07:00:30 GMT", 30.0),
        ("Monday, 23-Nov-26 07:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 06:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1e9", None),
        ("５", None),
        ("9" * 400, 365 * 86400.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 365 * 86400.0),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
    ],
)
def test_seconds_and_dates_are_read(field: str, seconds: float | None) -> None:
    assert seconds_to_wait(field, NOW) == seconds
