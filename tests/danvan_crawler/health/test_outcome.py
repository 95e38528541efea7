"""The exit code and problems that follow from the statistics of a run."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.outcome import judge
from danvan_crawler.health.problems import Problem
from danvan_crawler.statistics import ARTICLE_TROUBLE, LISTING_TROUBLE, SHORT_SECTIONS

GOOD = {
    "danvan/sections_read": 3,
    "danvan/first_pages": 3,
    "danvan/listings": 7,
    "danvan/listings_with_links": 7,
    "danvan/articles": 40,
    "danvan/captures": 90,
    "downloader/request_count": 90,
    "downloader/response_count": 90,
}


def code(stats: Mapping[str, object], reason: str | None = "finished", *, is_site: bool = True) -> ExitCode:
    return judge({**GOOD, **stats}, reason, is_site=is_site)[0]


@pytest.mark.parametrize("reason", ["disk_full", "archive_unwritable"])
def test_a_run_that_could_not_write_reports_the_error(reason: str) -> None:
    [problem] = judge({**GOOD, "danvan/archive_error": "a.warc.gz was removed"}, reason, is_site=True)[1]
    assert problem.text.endswith(": a.warc.gz was removed")


def test_a_complete_run_has_exit_code_0_and_no_problems() -> None:
    assert judge(GOOD, "finished", is_site=True) == (ExitCode.OK, [])


@pytest.mark.parametrize(
    "stats",
    [
        {"danvan/articles": 0},
        {"danvan/articles_failed": 3},
        {"danvan/articles_failed": 1, "danvan/articles": 0},
        {"danvan/articles_failed": 4, "danvan/articles": 0},
        {"danvan/articles_missing": 30},
        {"danvan/articles_missing": 4, "danvan/articles": 0},
        {"danvan/requisites_failed": 5},
        {"danvan/pages_without_article": 2},
        {"danvan/listings_with_links": 1},
        {"danvan/truncated": 1},
        {"danvan/refused": 1},
    ],
)
def test_nothing_new_or_a_few_losses_are_no_failure(stats: Mapping[str, object]) -> None:
    assert code(stats) is ExitCode.OK


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("disk_full", ExitCode.DISK_FULL),
        ("archive_unwritable", ExitCode.ERROR),
        ("closespider_timeout", ExitCode.INTERRUPTED),
        ("shutdown", ExitCode.INTERRUPTED),
        ("cancelled", ExitCode.INTERRUPTED),
        ("database_unwritable", ExitCode.ERROR),
        ("asked_to_wait", ExitCode.SITE_FAILED),
        (None, ExitCode.INTERRUPTED),
    ],
)
def test_a_finish_reason_has_an_exit_code_and_a_message(reason: str | None, expected: ExitCode) -> None:
    found, findings = judge(GOOD, reason, is_site=True)
    assert found is expected
    assert len(findings) == 1


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"danvan/sections_failed": 1}, ExitCode.SITE_FAILED),
        ({"danvan/sections_failed": 3, "danvan/sections_read": 0}, ExitCode.SITE_FAILED),
        ({"danvan/sections_read": 0}, ExitCode.SITE_FAILED),
        ({"danvan/articles_failed": 9, "danvan/articles": 0}, ExitCode.SITE_FAILED),
        ({"danvan/articles_missing": 5, "danvan/articles": 0}, ExitCode.SITE_FAILED),
        ({"danvan/listings_failed": 1}, ExitCode.SITE_FAILED),
        ({"danvan/listings_with_links": 0}, ExitCode.UNHEALTHY),
        ({"danvan/item_errors": 1}, ExitCode.ERROR),
        ({"danvan/spider_errors": 1}, ExitCode.ERROR),
        ({"danvan/archive_error": "x: no space"}, ExitCode.ERROR),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else value.name,
)
def test_a_failure_has_an_exit_code_and_a_message(stats: Mapping[str, object], expected: ExitCode) -> None:
    found, findings = judge({**GOOD, **stats}, "finished", is_site=True)
    assert found is expected
    assert len(findings) == 1


def test_a_run_without_requests_failed() -> None:
    assert judge({}, "finished", is_site=True)[0] is ExitCode.SITE_FAILED


@pytest.mark.parametrize(
    ("stats", "reason", "expected"),
    [
        ({"danvan/sections_failed": 3}, "disk_full", ExitCode.DISK_FULL),
        ({"danvan/sections_failed": 3}, "shutdown", ExitCode.SITE_FAILED),
        ({"danvan/listings_with_links": 0}, "closespider_timeout", ExitCode.INTERRUPTED),
        (
            {"danvan/listings_with_links": 0, LISTING_TROUBLE: {"login": "shows a login"}},
            "closespider_timeout",
            ExitCode.UNHEALTHY,
        ),
        ({"danvan/item_errors": 3}, "disk_full", ExitCode.DISK_FULL),
        ({"danvan/archive_error": "x: no space"}, "disk_full", ExitCode.DISK_FULL),
        ({"danvan/sections_read": 0}, "shutdown", ExitCode.INTERRUPTED),
    ],
)
def test_the_worst_of_several_problems_gives_the_exit_code(
    stats: Mapping[str, object], reason: str, expected: ExitCode
) -> None:
    assert code(stats, reason) is expected


def test_the_problem_of_the_exit_code_comes_first_and_all_are_reported() -> None:
    found, findings = judge({**GOOD, "danvan/sections_failed": 2}, "shutdown", is_site=True)
    assert found is ExitCode.SITE_FAILED
    texts = [problem.text for problem in findings]
    assert texts == ["2 of the sections cannot be read", "stopped by a signal; the next run continues"]


@pytest.mark.parametrize(
    ("stats", "kind"),
    [
        ({"danvan/sections_failed": 1, LISTING_TROUBLE: {"robots": "forbidden by robots.txt"}}, "robots"),
        ({"danvan/sections_failed": 1, LISTING_TROUBLE: {"moved": "to another host"}}, "moved"),
        ({"danvan/sections_failed": 1}, "unreachable"),
        ({"danvan/listings_with_links": 0, LISTING_TROUBLE: {"challenge": "shows a challenge"}}, "challenge"),
        ({"danvan/listings_with_links": 0}, "found_nothing"),
        ({"danvan/articles": 0, "danvan/articles_failed": 4, ARTICLE_TROUBLE: {"forbidden": "HTTP 403"}}, "forbidden"),
        ({"danvan/untrusted_certificates": ["the certificate of x.vn cannot be trusted"]}, "certificate"),
        ({"danvan/outdated_tls": ["the encryption of x.vn is outdated: TLS 1.0"]}, "old_tls"),
        ({"danvan/listings_failed": 1}, "server_error"),
    ],
)
def test_a_failure_is_classified_and_has_a_remedy(stats: Mapping[str, object], kind: str) -> None:
    _, problems = judge({**GOOD, **stats}, "finished", is_site=True)
    assert [problem.kind for problem in problems] == [kind]
    assert len(problems[0].remedy) > 20


def test_one_broken_article_on_a_quiet_night_is_reported_and_no_failure_of_the_site() -> None:
    stats = {**GOOD, "danvan/articles": 0, "danvan/articles_failed": 1, ARTICLE_TROUBLE: {"server_error": "HTTP 500"}}
    found, [problem] = judge(stats, "finished", is_site=True)
    assert found is ExitCode.OK
    assert (problem.kind, problem.text) == ("server_error", "the only article requested failed: HTTP 500")
    assert not problem.is_failure


@pytest.mark.parametrize("stats", [{"danvan/max_pages_reached": 1}, {"danvan/first_pages": 2}])
def test_a_run_without_every_first_page_does_not_report_an_unknown_layout(stats: Mapping[str, object]) -> None:
    assert code({**stats, "danvan/listings_with_links": 0}) is ExitCode.OK
    challenged = {LISTING_TROUBLE: {"challenge": "shows a challenge"}}
    assert code({**stats, **challenged, "danvan/listings_with_links": 0}) is ExitCode.UNHEALTHY


def test_later_pages_forbidden_by_robots_txt_are_reported_and_no_failure() -> None:
    found, [problem] = judge({**GOOD, SHORT_SECTIONS: ["Mục hai", "Mục hai", "Mục ba"]}, "finished", is_site=True)
    assert found is ExitCode.OK
    assert problem.text.startswith("robots.txt forbids further pages of 2 sections")


def test_problems_found_by_comparison_count_too() -> None:
    quiet = Problem("quiet", "no new article for 40 days")
    assert judge(GOOD, "finished", is_site=True, health=[quiet]) == (ExitCode.UNHEALTHY, [quiet])


def test_for_a_spider_without_site_only_requests_are_checked() -> None:
    assert judge({"downloader/request_count": 3, "downloader/response_count": 1}, "finished", is_site=False) == (
        ExitCode.OK,
        [],
    )


def test_a_spider_without_site_that_got_no_response_failed() -> None:
    found, problems = judge({"downloader/request_count": 3}, "finished", is_site=False)
    assert found is ExitCode.SITE_FAILED
    assert [problem.text for problem in problems] == ["no request got a response"]


def test_a_spider_without_site_and_requests_has_exit_code_0() -> None:
    assert judge({}, "finished", is_site=False) == (ExitCode.OK, [])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 7], 7),
        ([7, 5], 5),
        ([5, 4], 4),
        ([4, 3], 3),
        ([3, 6], 6),
        ([6, 8], 8),
        ([7, 5, 4, 3, 6, 8], 8),
        ([2, 3], 2),
        ([1, 2], 1),
        ([1, 6], 6),
        ([2, 8], 8),
    ],
)  # fmt: skip
def test_the_exit_code_of_several_sites_is_the_first_in_the_documented_order(codes: list[int], expected: int) -> None:
    assert ExitCode.worst(ExitCode(number) for number in codes) == expected


def test_the_problem_of_a_run_ended_by_refusals_depends_on_their_pages() -> None:
    stats = {"danvan/sections_read": 1, "danvan/listings_with_links": 1, "danvan/articles": 1}
    assert judge(stats, "overloaded", is_site=True)[1][0].kind == "asked_to_wait"
    notice = {**stats, ARTICLE_TROUBLE: {"maintenance": "http://a.vn/1 shows a notice of maintenance"}}
    assert [problem.kind for problem in judge(notice, "overloaded", is_site=True)[1]] == ["maintenance"]
