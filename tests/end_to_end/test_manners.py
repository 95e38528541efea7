"""Politeness over several runs: servers that ask for a pause, crawl windows, and the delay of robots.txt."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

MODEL = "/tin-tuc/dan-van-kheo/"

New = Callable[..., Any]


def at(desk: Any, moment: str) -> None:
    desk.environment["DANVAN_CLOCK"] = f"{moment}:00+07:00"


def test_a_retry_after_of_hours_is_respected_by_the_next_runs_too(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="503 Service Unavailable", headers={"Retry-After": "36000"})
    desk = new_desk(portal, only="dan-van-kheo")
    at(desk, "2026-11-23T01:30")
    desk.crawl(code=3)
    portal.pages.clear()
    portal.forget()
    at(desk, "2026-11-23T11:29")
    assert "must not be contacted until 2026-11-23 11:30 (Asia/Ho_Chi_Minh)" in desk.crawl(code=3).stderr
    assert portal.arrived == []
    assert "not contacted until" in desk.danvan("status", "--site", "mau-danvan", code=4).stderr
    at(desk, "2026-11-23T11:30")
    desk.crawl()
    assert len(desk.export()) > 5


def test_a_server_that_answers_429_to_everything_is_not_requested_for_an_hour(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    for section in (MODEL, "/tin-tuc/dan-van-co-so/"):
        portal.pages[section] = answer(status="429 Too Many Requests")
    desk = new_desk(portal, only="dan-van-")
    at(desk, "2026-11-23T01:30")
    desk.crawl(code=3)
    portal.forget()
    at(desk, "2026-11-23T02:20")
    desk.crawl(code=3)
    assert portal.arrived == []


def test_outside_of_its_window_a_site_is_not_contacted(new_portal: New, new_desk: New) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo", window='"22:00-06:00"')
    at(desk, "2026-11-23T09:00")
    assert "its window is 22:00-06:00 (Asia/Ho_Chi_Minh)" in desk.crawl(code=7).stderr
    assert portal.arrived == []
    at(desk, "2026-11-23T23:00")
    desk.crawl()


def test_a_crawl_ends_with_its_window_and_the_next_one_continues(new_portal: New, new_desk: New) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo", window='"22:00-06:00"')
    desk.environment["DANVAN_CLOCK"] = "2026-11-23T05:59:50+07:00 +"
    gate = portal.hold(MODEL)
    assert "the hours in which this site is crawled are over" in desk.crawl(code=7).stderr
    assert desk.export() == []
    gate.set()
    at(desk, "2026-11-23T22:00")
    desk.crawl()
    assert len(desk.export()) > 5


def test_the_general_window_does_not_apply_to_private_networks(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.environment["DANVAN_WINDOW"] = "22:00-06:00"
    at(desk, "2026-11-23T09:00")
    desk.crawl()


def test_the_general_window_applies_to_all_other_sites(new_desk: New) -> None:
    desk = new_desk("http://danvan.invalid/", private_network="false", delay="1.0")
    desk.environment["DANVAN_WINDOW"] = "22:00-06:00"
    at(desk, "2026-11-23T09:00")
    assert "its window is 22:00-06:00" in desk.crawl(code=7).stderr


def test_a_general_window_that_cannot_be_read_is_wrong_usage(new_desk: New) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    desk.environment["DANVAN_WINDOW"] = "ban đêm"
    assert "DANVAN_WINDOW must be hours of the day like 22:00-06:00" in desk.crawl(code=2).stderr


def test_the_delay_of_robots_txt_is_respected_if_it_is_longer(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer("User-agent: *\nCrawl-delay: 0.4\n", media_type="text/plain")
    desk = new_desk(portal, only="dan-van-kheo", delay="0.1")
    desk.crawl("--max-pages", "3")
    began = sorted(
        datetime.fromisoformat(record.fields["WARC-Date"]) for record in desk.records() if record.type == "request"
    )
    waits = [after - before for before, after in pairwise(began[1:])]
    assert len(waits) > 2
    assert min(waits) >= timedelta(seconds=0.39)  # timers may fire a little early


ERRORS = ("500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests")


def test_a_site_with_an_unreadable_robots_txt_is_not_requested_for_a_month(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    for night, status in enumerate(ERRORS, start=1):
        portal.pages["/robots.txt"] = answer(status=status)
        at(desk, f"2026-11-0{night}T01:30")
        assert "robots.txt of 127.0.0.1" in desk.crawl(code=3).stderr
    assert set(portal.targets) == {"/robots.txt"}
    at(desk, "2026-12-02T01:30")
    desk.crawl()
    assert len(desk.export()) > 5


def test_a_truncated_robots_txt_forbids_everything(new_portal: New, new_desk: New) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\nConnection: close\r\n\r\nUser-agent: *\n"
    desk = new_desk(portal, only="dan-van-kheo")
    desk.environment["DANVAN_LOG_LEVEL"] = "CRITICAL"
    gate = portal.hold("/robots.txt")
    crawl = desk.start("crawl", "mau-danvan", "--time-limit", "3")
    gate.set()
    desk.finish(crawl, code=3)
    assert set(portal.arrived) == {"/robots.txt"}


def test_the_body_of_an_error_page_is_not_read_as_robots_txt(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow: /\n", status="404 Not Found")
    desk = new_desk(portal, only="dan-van-kheo")
    desk.crawl()
    assert len(desk.export()) > 5


def test_rules_for_other_robots_do_not_apply(new_portal: New, new_desk: New, answer: Callable[..., bytes]) -> None:
    portal = new_portal()
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: news\nAllow: /\n\nUser-agent: archive\nAllow: /\n"
    portal.pages["/robots.txt"] = answer(rules, media_type="text/plain")
    desk = new_desk(portal, only="dan-van-kheo")
    desk.environment["DANVAN_CONTACT"] = "archive@example.vn"
    assert "forbidden by robots.txt" in desk.crawl(code=3).stderr
    portal.pages["/robots.txt"] = answer(f"{rules}\nUser-agent: danvan-crawler\nAllow: /\n", media_type="text/plain")
    desk.crawl()


def test_articles_that_robots_txt_allows_again_are_fetched(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer("User-agent: *\nDisallow: /*.html\n", media_type="text/plain")
    desk = new_desk(portal, only="dan-van-kheo")
    for night in range(1, 8):
        at(desk, f"2026-11-0{night}T01:30")
        desk.crawl(code=3 if night == 1 else 4)  # all requests of the run, then the articles that it had kept back
    assert not [target for target in portal.targets if target.endswith(".html")]
    del portal.pages["/robots.txt"]
    at(desk, "2026-11-08T01:30")
    desk.crawl()
    assert len(desk.export()) > 5


def test_a_retry_after_of_a_host_holds_for_all_of_its_sites_and_after_a_rebuild(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(status="503 Service Unavailable", headers={"Retry-After": "36000"})
    desk = new_desk(portal, only="dan-van-kheo")
    desk.profile(portal, slug="hai-danvan", only="dan-van-co-so")
    at(desk, "2026-11-23T01:30")
    desk.crawl(code=3)
    portal.forget()
    at(desk, "2026-11-23T02:30")
    assert "must not be contacted until" in desk.crawl(slug="hai-danvan", code=3).stderr
    desk.danvan("rebuild")
    desk.crawl(code=3)
    assert portal.arrived == []


def test_a_robots_txt_answered_with_retry_after_is_the_last_request(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    portal.pages["/robots.txt"] = answer(status="503 Service Unavailable", headers={"Retry-After": "36000"})
    new_desk(portal, only="dan-van-kheo").crawl(code=3)
    assert portal.arrived == ["/robots.txt"]


def test_a_retry_after_in_the_middle_of_a_run_ends_its_requests(
    new_portal: New, new_desk: New, answer: Callable[..., bytes]
) -> None:
    portal = new_portal()
    good = iter(range(6))

    def story(request: bytes) -> bytes:
        target = request.split(b" ", 2)[1].decode()
        return answer(portal.html(target)) if next(good, None) is not None else answer(status="429 Too Many Requests")

    desk = new_desk(portal, only="dan-van-")
    at(desk, "2026-11-23T01:30")
    listing = portal.html(MODEL) + portal.html("/tin-tuc/dan-van-co-so/")
    for target in set(re.findall(r'href="(/[^"]+\.html)"', listing)):
        portal.pages[target] = story
    assert "429 or 503 to several addresses in a row" in desk.crawl(code=3).stderr
    asked = [target for target in portal.targets if target.endswith(".html")]
    assert len(set(asked)) <= 6 + 6
    portal.forget()
    at(desk, "2026-11-23T02:20")
    desk.crawl(code=3)
    assert portal.arrived == []
