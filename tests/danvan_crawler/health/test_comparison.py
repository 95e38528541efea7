"""A run compared with earlier runs of its site, by the numbers in their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.comparison import errors, forbidden, not_there, past_runs, shares
from danvan_crawler.health.expectations import check, expected_of
from danvan_crawler.health.history import RunReport, coverage_of, run_report_of
from danvan_crawler.health.reports import write_report
from danvan_crawler.sites.rules import Health

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def stats_of(**numbers: Any) -> dict[str, Any]:
    return {f"danvan/{name}": number for name, number in numbers.items()}


def night(**numbers: Any) -> RunReport:
    return RunReport("mau-danvan", "0" * 8, NOW, NOW, 0, coverage=coverage_of(stats_of(**numbers)))


def shares_forbidden(stats: Mapping[str, Any], past: list[RunReport]) -> dict[str, float]:
    return forbidden(stats, coverage_of(stats), past)


def report(archive: Path, number: int, **numbers: Any) -> None:
    """A run report of some days ago."""
    began = NOW - timedelta(days=number)
    written = {
        "run_id": f"{number:08x}",
        "site": "mau-danvan",
        "exit_code": 0,
        "coverage": coverage_of(stats_of(**numbers)),
    }
    moments = {"started_at": began.isoformat(), "finished_at": began.isoformat()}
    write_report(archive, began, {**written, **moments})


def with_author(number: int, having: int) -> dict[str, int]:
    return {"articles": number, "tally/articles": number, "tally/author": having}


@pytest.mark.slow
@pytest.mark.parametrize("every", [3, 5, 7, 14])
def test_the_history_of_a_slow_site_is_long_enough_to_check_its_fields(tmp_path: Path, every: int) -> None:
    for day in range(1, 366):
        now = int(day % every == 0)
        report(tmp_path, day, **with_author(now, int(now and day > 9 * every)))
    past = past_runs(tmp_path, "mau-danvan", NOW + timedelta(days=400))
    assert sum(one.coverage["articles"] for one in past) >= min(60, 365 // every - 1)
    found = shares(coverage_of(stats_of(**with_author(1, 0))), past)
    assert (found["coverage.author"], found["coverage.author_usual"]) == (0.0, 0.5)


def test_a_report_without_coverage_is_not_used(tmp_path: Path) -> None:
    report(tmp_path, 2, articles=1)
    path = next(tmp_path.glob("runs/*.json"))
    path.with_stem("20261122T000000Z-ffffffff").write_text(path.read_text("utf-8").replace('"coverage"', '"cover"'))
    assert len(past_runs(tmp_path, "mau-danvan", NOW + timedelta(days=400))) == 1


def lived(run_reports: Sequence[Mapping[str, int]], health: Health | None = None) -> list[bool]:
    """Whether missing authors were reported, night by night; each run is checked and then added to the history."""
    past: list[RunReport] = []
    told = []
    for numbers in run_reports:
        coverage = coverage_of(stats_of(**numbers))
        problems = check(shares(coverage, past[:400]), expected_of(health or Health()))
        code = ExitCode.UNHEALTHY if problems else ExitCode.OK
        written = [problem.as_json() for problem in problems]
        moments = {"started_at": NOW.isoformat(), "finished_at": NOW.isoformat(), "run_id": "0" * 8}
        read = run_report_of(
            {**moments, "site": "mau-danvan", "exit_code": code, "problems": written, "coverage": coverage}
        )
        assert read is not None
        past.insert(0, read)
        told.append(any(problem.kind == "coverage" for problem in problems))
    return told


def changes(told: Sequence[bool]) -> list[int]:
    """The nights on which the alarm began or ended."""
    return [number for number in range(1, len(told)) if told[number] != told[number - 1]]


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3, 10])
def test_a_lost_field_is_reported_until_it_is_back(number: int) -> None:
    good, bad = with_author(number, number), with_author(number, 0)
    told = lived([*[good] * 30, *[bad] * 90, *[good] * 40])
    began, ended = changes(told)
    assert 30 <= began <= 30 + 10 // number
    assert 120 <= ended <= 120 + 10 // number


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3, 10])
def test_a_field_that_most_articles_have_lost_is_reported_without_interruption(number: int) -> None:
    # One article in ten still has an author.
    articles = [range(number * night, number * (night + 1)) for night in range(90)]
    some = [with_author(number, sum(one % 10 == 5 for one in of_night)) for of_night in articles]
    assert len(changes(lived([*[with_author(number, number)] * 30, *some]))) == 1


@pytest.mark.slow
def test_nights_without_news_do_not_end_an_alarm() -> None:
    week = [with_author(2, 2), *[{}] * 6]
    lost = [with_author(2, 0), *[{"articles": 1}] * 6]
    assert len(changes(lived([*week * 20, *lost * 13]))) == 1


def test_after_a_field_has_come_back_its_next_loss_is_reported_at_once() -> None:
    good, bad = with_author(5, 5), with_author(5, 0)
    told = lived([*[good] * 20, *[bad] * 30, *[good] * 5, *[bad] * 10])
    assert len(changes(told)) == 3


def test_a_profile_can_end_an_alarm_based_on_history() -> None:
    good, bad = with_author(10, 10), with_author(10, 0)
    run_reports = [*[good] * 30, *[bad] * 30]
    assert lived(run_reports)[-1]
    assert not any(lived(run_reports, Health(coverage={"author": False})))


def section_links(linked: int, kept_out: int) -> dict[str, int]:
    """Statistics of a section with this number of new links, beside a healthy section."""
    names = {"articles_linked": 2 * linked, "linked_in/Hai": linked, "linked_in/Mot": linked}
    return {**names, **({"articles_forbidden": kept_out, "forbidden_in/Hai": kept_out} if kept_out else {})}


def test_a_section_that_robots_txt_forbids_is_found_by_the_links_of_several_nights() -> None:
    one = section_links(1, 1)
    tonight = stats_of(**one, articles=1)
    assert "Hai" not in shares_forbidden(tonight, [night(**one)] * 8)
    assert shares_forbidden(tonight, [night(**one)] * 9) == {"": 0.5, "Hai": 1.0}


def test_a_forbidden_section_is_reported_on_nights_without_news_until_it_is_allowed() -> None:
    past = [night(**section_links(12, 12))]
    assert shares_forbidden(stats_of(articles_forbidden_again=12), past)["Hai"] == 1.0
    assert shares_forbidden(stats_of(articles_linked_again=12, articles=12), past) == {}


def missing(stats: Mapping[str, Any], *past: RunReport) -> float | None:
    return not_there(stats, coverage_of(stats), past)


def test_missing_articles_are_counted_if_there_are_enough() -> None:
    assert missing(stats_of(articles=2, articles_missing=4, articles_absent=6)) == 10 / 12
    assert missing(stats_of(articles=2, articles_missing=4)) is None
    assert missing(stats_of(articles_missing=12)) is None  # another problem is reported instead


def test_dead_links_of_a_slow_site_are_counted_over_several_runs() -> None:
    one = {"articles_linked": 1, "articles_missing": 1}
    assert missing(stats_of(**one), *[night(**one)] * 9) == 1.0
    assert missing(stats_of(articles_missing_again=2), *[night(**one)] * 10) == 1.0
    assert missing(stats_of(), *[night(**one)] * 10) is None


def test_a_few_old_dead_links_that_are_requested_again_are_no_problem() -> None:
    first = night(articles_linked=100, articles=92, articles_missing=8)
    assert missing(stats_of(articles_missing_again=8), first) == 0.08


def failing(stats: Mapping[str, Any], *past: RunReport) -> float | None:
    return errors(stats, coverage_of(stats), past)


def test_failures_of_a_slow_site_are_counted_over_several_runs() -> None:
    bad, good = night(articles_failed=1), night(articles=1)
    assert failing(stats_of(articles_failed=1), *[bad] * 6, *[good] * 30) == 0.7
    assert failing(stats_of(articles=1), *[bad] * 9, *[good] * 30) is None


def test_one_broken_page_that_is_retried_is_no_problem() -> None:
    past = [night(articles_failed=1)] * 4 + [night(articles=1)] * 5
    assert failing(stats_of(articles_failed=1), *past) == 0.5


def test_the_failure_of_every_article_is_another_problem() -> None:
    assert failing(stats_of(articles_failed=12)) is None
    assert failing(stats_of(articles_failed=8, articles=4)) == 8 / 12


def test_occasional_forbidden_pages_are_below_the_threshold() -> None:
    # One forbidden page every third night, and one article every second night.
    past = [
        night(
            **{"articles_linked": (number % 2) + (number % 3 == 0), "linked_in/Hai": (number % 2) + (number % 3 == 0)},
            **({"articles_forbidden": 1, "forbidden_in/Hai": 1} if number % 3 == 0 else {}),
        )
        for number in range(40)
    ]
    assert shares_forbidden(stats_of(articles_forbidden_again=14), past)["Hai"] < 0.5
