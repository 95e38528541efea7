"""The clock: real, fixed, or running on from a set time, for this process and its children."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from danvan_crawler import clock
from danvan_crawler.exceptions import UsageError


@pytest.mark.parametrize("value", [None, ""], ids=["not set", "empty"])
def test_without_the_setting_the_time_is_now(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(clock.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(clock.VARIABLE, value)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)


def test_a_set_time_is_fixed_and_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "2027-03-01T01:30:00+07:00")
    assert clock.now() == clock.now() == datetime(2027, 2, 28, 18, 30, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_set_time_with_a_plus_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "2027-03-01T00:00:00Z +")
    first = clock.now()
    second = clock.now()
    assert datetime(2027, 3, 1, tzinfo=UTC) < first < second < first + timedelta(days=1)


def test_a_changed_setting_takes_effect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (1, 2, 3):
        monkeypatch.setenv(clock.VARIABLE, f"2027-03-0{day}T00:00:00Z")
        assert clock.now().day == day


@pytest.mark.parametrize("value", ["mai", "2027-03-01T01:30:00", "2027-03-01", "+", " +", "2027-13-01T00:00:00Z"])
def test_a_time_that_is_invalid_or_without_a_zone_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(clock.VARIABLE, value)
    with pytest.raises(UsageError, match=r"DANVAN_CLOCK must be a time with its zone like 2027"):
        clock.now()


@pytest.mark.parametrize("year", ["0001", "1989", "2201", "9999"])
def test_a_time_far_away_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, year: str) -> None:
    monkeypatch.setenv(clock.VARIABLE, f"{year}-12-31T23:59:59-14:00 +")
    with pytest.raises(UsageError, match="DANVAN_CLOCK must be a time in the years 1990 to 2200"):
        clock.now()


def test_child_processes_inherit_the_set_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "2027-03-01T00:00:00Z")
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
    script = "from danvan_crawler import clock; print(clock.now().isoformat())"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert child.stdout == "2027-03-01T00:00:00+00:00\n"
