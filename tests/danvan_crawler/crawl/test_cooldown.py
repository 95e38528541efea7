"""Back off from an overloaded server across runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.crawl.cooldown import LONGEST, cooldown_after, cooldown_until, overloaded, store_cooldown
from danvan_crawler.store.site_state import SiteState
from danvan_crawler.store.writes import Store

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SITE, OTHER = ["vi-du-danvan", ".host-vi-du.vn"], ["khac-danvan", ".host-vi-du.vn"]
BUSY = {"downloader/response_status_count/429": 4, "downloader/response_status_count/503": 5}
GOOD = {"downloader/response_count": 40, "downloader/response_status_count/200": 40}
HOUR = timedelta(hours=1)

Rested = Callable[..., datetime | None]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SiteState]:
    store = Store(tmp_path / "danvan.sqlite")
    yield store.state
    store.close()


def test_a_server_with_retry_after_is_not_requested_before_that_time() -> None:
    stats = {"danvan/not_before": (NOW + 5 * HOUR).isoformat()}
    assert cooldown_after(stats, NOW, 0) == NOW + 5 * HOUR


def test_a_cooldown_is_a_week_at_most() -> None:
    stats = {"danvan/not_before": (NOW + timedelta(days=300)).isoformat()}
    assert cooldown_after(stats, NOW, 0) == NOW + LONGEST


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({**BUSY, "downloader/response_count": 12}, True),
        ({**BUSY, "downloader/response_count": 40}, False),
        ({"downloader/response_status_count/429": 3, "downloader/response_count": 3}, False),
        ({}, False),
    ],
    ids=["most answers", "a few of many", "too few to tell", "no answer"],
)
def test_a_server_is_overloaded_if_most_responses_are_429_or_503(stats: dict[str, Any], expected: bool) -> None:
    assert overloaded(stats) is expected


def test_each_further_overloaded_run_doubles_the_cooldown_up_to_half_a_day() -> None:
    stats = {**BUSY, "downloader/response_count": 9}
    hours = [(cooldown_after(stats, NOW, rests) or NOW) - NOW for rests in (0, 1, 2, 3, 4, 50)]
    assert hours == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 12 * HOUR]


def test_the_end_of_a_cooldown_is_stored_for_the_next_run(state: SiteState) -> None:
    store_cooldown(state, SITE, {**BUSY, "downloader/response_count": 9}, NOW)
    assert cooldown_until(state, SITE, NOW + timedelta(minutes=59)) == NOW + HOUR
    assert cooldown_until(state, SITE, NOW + HOUR) is None
    assert cooldown_until(state, ["khac-danvan", ".host-khac.vn"], NOW) is None


def test_a_cooldown_far_in_the_future_from_a_wrong_clock_is_ignored(state: SiteState) -> None:
    store_cooldown(state, SITE, BUSY, NOW + timedelta(days=400))
    assert cooldown_until(state, SITE, NOW) is None
    assert cooldown_until(state, SITE, NOW + timedelta(days=400)) is not None


def test_a_cooldown_holds_for_other_sites_on_the_same_host(state: SiteState) -> None:
    store_cooldown(state, SITE, {**BUSY, "downloader/response_count": 9}, NOW)
    assert cooldown_until(state, OTHER, NOW) == NOW + HOUR


def test_a_good_run_resets_the_cooldown(state: SiteState) -> None:
    store_cooldown(state, SITE, BUSY, NOW)
    store_cooldown(state, SITE, GOOD, NOW)
    assert cooldown_until(state, SITE, NOW) is None
    assert store_cooldown(state, SITE, BUSY, NOW) == NOW + HOUR


@pytest.mark.parametrize(
    ("stats", "reason"), [(GOOD, "closespider_timeout"), ({}, "finished")], ids=["cut short", "no page"]
)
def test_a_run_without_evidence_does_not_reset_the_cooldown(
    state: SiteState, stats: dict[str, Any], reason: str
) -> None:
    store_cooldown(state, SITE, BUSY, NOW)
    store_cooldown(state, SITE, stats, NOW, reason=reason)
    assert store_cooldown(state, SITE, BUSY, NOW) == NOW + 2 * HOUR


def test_a_run_ended_by_refusals_is_overloaded_too() -> None:
    assert cooldown_after({"danvan/overloaded": True, "downloader/response_count": 500}, NOW, 0) == NOW + HOUR


def test_a_retry_after_beyond_the_end_of_a_run_continues() -> None:
    stats = {"danvan/waits_until": (NOW + timedelta(seconds=80)).isoformat()}
    assert cooldown_after(stats, NOW, 0) == NOW + timedelta(seconds=80)
    assert cooldown_after(stats, NOW + HOUR, 0) is None
