"""The requests of the reducer, and the addresses that it skips, over nights of the sample portal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from nights import LISTINGS, PICTURES, STORIES, Troubled, message
from simulation import Answer, Night, World

from danvan_crawler import statistics as stats

NIGHT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


def state_of(world: World, target: str) -> tuple[str, str | None]:
    with closing(sqlite3.connect(world.database)) as connection:
        row = connection.execute("SELECT state, last_error FROM frontier WHERE link_key = ?", (target,)).fetchone()
    return row[0], row[1]


def test_of_an_unchanged_portal_only_first_pages_are_requested(world: World) -> None:
    world.live(Night(NIGHT, Troubled()))
    assert sorted(set(LISTINGS) - set(world.asked)) == []
    world.live(Night(NIGHT + timedelta(hours=8), Troubled()))
    assert sorted(world.asked) == sorted(LISTINGS)


def test_a_plan_requests_only_listings_and_leaves_the_articles_to_the_next_run(world: World) -> None:
    world.live(Night(NIGHT, Troubled(), {"plan": True}))
    assert not set(world.asked) & set(STORIES)
    world.live(Night(NIGHT + timedelta(hours=8), Troubled()))
    assert set(STORIES) <= set(world.asked)


def test_an_article_that_fails_is_tried_again_by_the_next_run(world: World) -> None:
    counted = world.live(Night(NIGHT, Troubled(troubles={STORIES[5]: ("500", 99)})))
    assert world.asked.count(STORIES[5]) == 3
    assert counted.get_value(stats.articles("failed")) == 1
    assert state_of(world, STORIES[5]) == ("failed", "HTTP 500")
    world.live(Night(NIGHT + timedelta(hours=8), Troubled()))
    assert state_of(world, STORIES[5])[0] == "archived"


def test_a_picture_that_redirects_to_the_front_page_is_requested_once(world: World) -> None:
    world.live(Night(NIGHT, Troubled(troubles={PICTURES[1]: ("home", 99)})))
    assert "/" not in world.asked
    assert state_of(world, PICTURES[1]) == ("rejected", "leads to the front page")
    world.live(Night(NIGHT + timedelta(days=1), Troubled()))
    assert PICTURES[1] not in world.asked


@pytest.mark.parametrize("trouble", ["gate", "home with a cookie"])
@pytest.mark.parametrize("gated", [LISTINGS[1], STORIES[2]])
def test_what_lies_behind_a_cookie_gate_is_asked_for_again(world: World, gated: str, trouble: str) -> None:
    counted = world.live(Night(NIGHT, Troubled(troubles={gated: (trouble, 1)})))
    assert world.asked.count(gated) == 2
    assert "/" not in world.asked
    assert counted.get_value(stats.ARTICLES) == len(STORIES) + 1  # one is in two sections
    assert not counted.get_value(stats.SECTIONS_FAILED)


def test_a_gate_that_never_opens_costs_one_request_more(world: World) -> None:
    troubles = {STORIES[2]: ("gate", 99), LISTINGS[1]: ("home with a cookie", 99), PICTURES[1]: ("gate", 99)}
    counted = world.live(Night(NIGHT, Troubled(troubles=troubles)))
    assert [world.asked.count(target) for target in troubles] == [2, 2, 2]
    assert state_of(world, STORIES[2]) == ("failed", "redirects in a circle")
    assert counted.get_value(stats.SECTIONS_FAILED) == 1


def test_sections_that_a_gate_leads_over_the_same_page_are_all_read(world: World) -> None:
    """The gate knows where each visitor wanted to go, as if by a cookie of its own."""
    wanted: list[str] = []

    def gated(target: str, time: int) -> Answer:
        if target in LISTINGS and time == 1:
            wanted.append(target)
            return message(b"", "302 Found", Location="/kiem-tra")
        if target == "/kiem-tra":
            return message(b"", "302 Found", **{"Location": wanted.pop(), "Set-Cookie": f"cua={time}; path=/"})
        return Troubled()(target, time)

    counted = world.live(Night(NIGHT, gated))
    assert counted.get_value(stats.SECTIONS_READ) == len(LISTINGS)


def test_two_sections_that_lead_to_one_page_are_not_both_read(world: World) -> None:
    def moved(target: str, time: int) -> Answer:
        if target in LISTINGS[1:]:
            return message(b"", "301 Moved Permanently", Location="/tin-tuc/moi/")
        return Troubled()(LISTINGS[1] if target == "/tin-tuc/moi/" else target, time)

    counted = world.live(Night(NIGHT, moved))
    assert counted.get_value(stats.SECTIONS_FAILED) == 1
    assert world.asked.count("/tin-tuc/moi/") == 1


def test_an_article_that_redirects_to_another_host_is_rejected(world: World) -> None:
    world.live(Night(NIGHT, Troubled(troubles={STORIES[2]: ("elsewhere", 99)})))
    assert state_of(world, STORIES[2]) == ("rejected", "leads to another host")


def test_a_missing_later_page_is_requested_once_more_after_all_else(world: World) -> None:
    second = f"{LISTINGS[0]}trang-2/"
    world.live(Night(NIGHT, Troubled(troubles={second: ("404", 1)})))
    first, again = [place for place, target in enumerate(world.asked) if target == second]
    assert first < again
    assert set(STORIES) <= set(world.asked)


def test_an_article_forbidden_by_robots_txt_is_pending_until_it_is_allowed(world: World) -> None:
    hidden = Night(NIGHT, Troubled(), forbidden=lambda target: target == STORIES[7])
    counted = world.live(hidden)
    assert STORIES[7] not in world.asked
    assert counted.get_value(stats.articles("forbidden")) == 1
    assert state_of(world, STORIES[7])[0] == "pending"
    world.live(Night(NIGHT + timedelta(days=1), Troubled()))
    assert state_of(world, STORIES[7])[0] == "archived"
