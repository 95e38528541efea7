"""Hours of a window, and the keys of a profile under `[health]`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from danvan_crawler.exceptions import ProfileError
from danvan_crawler.items import EXPORT_FIELDS
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.rules import COVERED_FIELDS, Window

Profile = Callable[..., str]


@pytest.mark.parametrize(
    ("window", "time", "inside"),
    [
        ("22:00-06:00", "23:30", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("22:00-06:00", "12:00", False),
        ("01:30-05:00", "01:30", True),
        ("01:30-05:00", "01:29", False),
    ],
)
def test_a_window_may_cross_midnight(window: str, time: str, inside: bool) -> None:
    assert Window.parse(window).holds(datetime.fromisoformat(f"2026-11-23T{time}:00+07:00")) is inside


@pytest.mark.parametrize("text", ["", "22-6", "22:00", "24:00-06:00", "22:60-06:00", "06:00-06:00", "22:00 - 06:00"])
def test_an_invalid_window_is_refused(text: str, profile: Profile) -> None:
    with pytest.raises(ProfileError, match=r"window: must be hours of the day like 22:00-06:00"):
        Site.parse(profile(window=f'"{text}"'))


def test_a_profile_may_have_a_window(profile: Profile) -> None:
    assert str(Site.parse(profile(window='"22:00-06:00"')).hours) == "22:00-06:00"
    assert Site.parse(profile()).hours is None


def test_a_profile_may_set_expectations(profile: Profile) -> None:
    table = "[health]\nquiet_days = 60\nerrors = false\n[health.coverage]\nauthor = 0.5\nlead = false\n"
    health = Site.parse(profile(end=table)).health
    assert (health.quiet_days, health.errors, health.coverage) == (60.0, False, {"author": 0.5, "lead": False})


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("quiet_days = true", "health.quiet_days: must be a number of days"),
        ("quiet_days = -1", "health.quiet_days: must be a number of days"),
        ("errors = 30", "health.errors: must be a share from 0 to 1"),
        ("dates = 'nhiều'", "health.dates: must be a share from 0 to 1"),
        ("coverage = { autor = 0.5 }", "health.coverage: unknown field 'autor'"),
        ("coverage = 0.5", "health.coverage: must be a table"),
        ("quite_days = 7", "health.quite_days: unknown key"),
    ],
)
def test_a_wrong_expectation_is_refused_with_key_and_reason(table: str, reason: str, profile: Profile) -> None:
    with pytest.raises(ProfileError) as refused:
        Site.parse(profile(end=f"[health]\n{table}\n"))
    assert reason in str(refused.value)


def test_only_fields_of_an_item_have_coverage() -> None:
    assert set(COVERED_FIELDS) <= set(EXPORT_FIELDS)
