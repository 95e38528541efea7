"""Expectations as data: failures, changes by a profile, and thresholds from a site's history."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.health.expectations import (
    DEFAULTS,
    QUIET_AT_LEAST,
    Expectation,
    Proportion,
    check,
    expected_of,
    fallen,
    usual_silence,
)
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.sites.rules import Health

START = date(2026, 1, 5)


def kinds(values: dict[str, float], health: Health | None = None) -> list[str]:
    return [problem.kind for problem in check(values, expected_of(health or Health()))]


def every(days: int, number: int = 20, at_once: int = 1) -> list[date]:
    """Days of publication of a site with a regular rhythm."""
    return [START + timedelta(days=days * (count // at_once)) for count in range(number)]


def test_every_kind_that_is_expected_has_a_remedy() -> None:
    assert {expectation.kind for expectation in DEFAULTS} <= set(REMEDIES)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"silent_days": 31.0, "silent_days_usual": 30.0}, ["quiet"]),
        ({"silent_days": 30.0, "silent_days_usual": 30.0}, []),
        ({"silent_days": 4000.0}, []),
        ({"silent_sections": 1.0}, ["found_nothing"]),
        ({"errors": 0.6}, ["errors"]),
        ({"errors": 0.5}, []),
        ({"pages_with_article": 0.1, "pages_with_article_usual": 0.4}, ["layout"]),
        ({"doubtful_dates": 0.9}, ["dates"]),
        ({"coverage.author": 0.0, "coverage.author_usual": 0.4}, ["coverage"]),
        ({"coverage.author": 0.0}, []),
        ({}, []),
    ],
)
def test_a_statistic_beyond_its_threshold_is_a_problem(values: dict[str, float], found: list[str]) -> None:
    assert kinds(values) == found


def test_the_text_has_the_measured_and_the_expected_value() -> None:
    (problem,) = check({"coverage.lead": 0.1, "coverage.lead_usual": 0.45}, expected_of(Health()))
    assert problem.text == "lead: only 10% of the articles have one; at least 45% were expected"


def test_a_profile_sets_its_own_threshold() -> None:
    values = {"silent_days": 40.0, "silent_days_usual": 30.0}
    assert kinds(values, Health(quiet_days=60)) == []
    assert kinds({"silent_days": 61.0}, Health(quiet_days=60)) == ["quiet"]


def test_a_profile_may_require_a_share_of_a_field_independently_of_history() -> None:
    assert kinds({"coverage.author": 0.4}, Health(coverage={"author": 0.5})) == ["coverage"]
    assert kinds({"coverage.author": 0.6}, Health(coverage={"author": 0.5})) == []


def test_a_profile_may_switch_expectations_off() -> None:
    values = {"silent_days": 99.0, "silent_days_usual": 9.0, "coverage.lead": 0.0, "coverage.lead_usual": 0.5}
    assert kinds(values, Health.model_validate({"quiet_days": False, "coverage": False})) == []


def test_an_operator_is_at_least_or_at_most() -> None:
    assert Expectation("dates", "x", "at least", 2, "").fails({"x": 1.0})
    assert not Expectation("dates", "x", "at most", 2, "").fails({"x": 1.0})


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (every(1), QUIET_AT_LEAST),
        (every(7), 21.0),
        (every(30, at_once=4), 90.0),
        ([*every(1, 15), START + timedelta(days=60)], 138.0),
        (every(30, at_once=10), None),
        (every(3, number=9), None),
        ([], None),
    ],
    ids=["daily", "weekly", "four a month", "one long silence", "two days only", "too few", "none"],
)
def test_the_usual_silence_depends_on_the_rhythm_of_a_site(days: list[date], expected: float | None) -> None:
    assert usual_silence(days) == expected


@given(st.lists(st.integers(0, 40), min_size=30, max_size=60))
def test_at_most_a_twentieth_of_the_gaps_exceed_the_usual_silence(gaps: list[int]) -> None:
    days = [START + timedelta(days=sum(gaps[:number])) for number in range(len(gaps))]
    usual = usual_silence(days)
    distinct = sorted(set(days))
    if usual is not None:
        found = sorted((after - before).days for before, after in pairwise(distinct))
        assert sum(gap > usual for gap in found) <= len(found) // 20


def test_a_field_that_most_articles_had_and_none_has_now_is_a_fall() -> None:
    assert fallen([Proportion(0, 12), *[Proportion(9, 10)] * 5]) == (0.0, 0.45)


def test_runs_with_few_articles_are_pooled() -> None:
    run_reports = [Proportion(0, 2)] * 5
    assert fallen([*run_reports, *[Proportion(2, 2)] * 10]) == (0.0, 0.5)


@pytest.mark.parametrize(
    "runs",
    [
        [Proportion(0, 5), *[Proportion(10, 10)] * 5],
        [Proportion(6, 12), *[Proportion(9, 10)] * 5],
        [Proportion(0, 12), *[Proportion(1, 10)] * 5],
        [Proportion(0, 12), *[Proportion(0, 10)] * 5],
        [Proportion(0, 12), Proportion(9, 10)],
        [Proportion(0, 12)],
        [Proportion(2, 10), *[Proportion(3, 4)] * 2, Proportion(1, 1), Proportion(0, 11)],
        [],
    ],
    ids=[
        "too few articles",
        "half is left",
        "chance",
        "never had one",
        "too few runs",
        "no past",
        "a small one",
        "nothing",
    ],
)
def test_a_difference_within_chance_is_no_fall(runs: list[Proportion]) -> None:
    assert fallen(runs) is None


def test_the_first_run_with_years_of_news_does_not_outweigh_the_others() -> None:
    # 2,000 old articles with an author, and three recent runs without: the recent runs decide.
    assert fallen([Proportion(0, 12), *[Proportion(0, 40)] * 3, Proportion(2000, 2000)]) is None
