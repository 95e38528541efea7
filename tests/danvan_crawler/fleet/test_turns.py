"""How sites share a night: who has to stop for whom."""

from __future__ import annotations

import pytest

from danvan_crawler.fleet.child_process import Job
from danvan_crawler.fleet.turns import LEAST, Night, Place, whose_turn_is_over

A, B, C = (frozenset({f"{name}.example.vn"}) for name in "abc")
NIGHT = Night(began=0, limit=3600, sites=6, parallel=2)


def test_a_turn_is_an_equal_share_of_the_night() -> None:
    assert NIGHT.turn == 1200
    assert Night(0, 60, 27, 4).turn == pytest.approx(60 * 4 / 27)
    assert Night(0, 10, 100, 1).turn == LEAST
    assert Night(0, 0, 27, 4).turn == 0


def test_a_night_is_over_when_nothing_can_be_started_any_more() -> None:
    assert [NIGHT.left(now) for now in (0, 3599, 4000)] == [3600, 1, 0]
    assert [NIGHT.is_over(now) for now in (0, 3594, 3596, 4000)] == [False, False, True, True]
    assert not Night(0, 0, 6, 2).is_over(10**9)
    assert Night(0, 0, 6, 2).left(10**9) is None


def test_the_one_that_has_run_longest_stops_for_one_that_waits() -> None:
    running = [Place(300, A), Place(100, B)]
    assert whose_turn_is_over(NIGHT, running, [C], 1299) is None
    assert whose_turn_is_over(NIGHT, running, [C], 1300) == 1
    assert whose_turn_is_over(NIGHT, running, [], 1300) is None


def test_only_one_stops_for_each_that_waits() -> None:
    running = [Place(100, A), Place(100, B, is_ending=True)]
    assert whose_turn_is_over(NIGHT, running, [C], 2000) is None
    assert whose_turn_is_over(NIGHT, running, [C, frozenset()], 2000) == 0


def test_none_stops_for_one_that_could_not_start_then() -> None:
    running = [Place(100, A), Place(1900, B)]
    assert whose_turn_is_over(NIGHT, running, [B], 2000) is None
    assert whose_turn_is_over(NIGHT, running, [A], 2000) == 0


def test_without_a_limit_and_at_the_end_of_the_night_none_stops() -> None:
    running = [Place(0, A)]
    assert whose_turn_is_over(Night(0, 0, 6, 1), running, [B], 10**6) is None
    assert whose_turn_is_over(NIGHT, running, [B], 3597) is None


def test_a_job_is_given_the_shorter_of_its_limit_and_what_is_left() -> None:
    job = Job("a", ("crawl",), limit_option="--time-limit")
    assert job.within(None) == job
    assert job.within(90.7).command == ("crawl", "--time-limit", "90")
    limited = Job("a", ("crawl",), limit_option="--time-limit", time_limit=60)
    assert limited.within(90).command == limited.within(None).command == ("crawl", "--time-limit", "60")
    assert limited.within(20).time_limit == 20
    assert Job("a", ("sleep",), time_limit=60).within(20).command == ("sleep",)


def test_the_rest_of_a_job_has_the_rest_of_its_time() -> None:
    job = Job("a", ("crawl",), time_limit=60)
    rest = job.after(25)
    assert rest is not None
    assert rest.time_limit == 35
    assert job.after(60) is None
    assert Job("a", ("crawl",)).after(10**6) == Job("a", ("crawl",))
    assert Job("a", ("crawl", "--full"), continues=False).after(1) is None
