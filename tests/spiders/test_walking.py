"""Where a run begins with the sections of a site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from danvan_crawler.store.frontier import Walked
from spiders.walking import FRESH, Walk, begin, due_now

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FIRST, THIRD = "http://example.vn/tin-tuc/", "http://example.vn/tin-tuc/?page=3"


def at(ago: timedelta) -> str:
    return (NOW - ago).isoformat()


def walk(known: Walked | None) -> Walk:
    return begin("Tin tức", FIRST, known, NOW, timedelta(days=30))


def cut_short(ago: timedelta) -> Walk:
    return walk(Walked(at(ago), None, None, THIRD, 2))


def ended(ago: timedelta) -> Walk:
    return walk(Walked(at(ago), at(ago), at(ago), None, 3))


def test_a_walk_that_was_cut_short_just_before_goes_on_where_it_was() -> None:
    found = cut_short(FRESH / 2)
    assert (found.start_url, found.pages, found.is_resumed) == (THIRD, 2, True)


def test_a_walk_that_was_cut_short_long_ago_looks_for_news_first() -> None:
    found = cut_short(FRESH)
    assert (found.start_url, found.backlog, found.is_resumed) == (FIRST, THIRD, False)


def test_sections_that_have_just_ended_are_left_out_where_another_goes_on() -> None:
    going_on, done, new = cut_short(FRESH / 2), ended(FRESH / 2), walk(None)
    assert due_now([done, going_on, new]) == [going_on, new]


def test_sections_that_ended_long_ago_are_read_where_another_goes_on() -> None:
    going_on, done = cut_short(FRESH / 2), ended(FRESH)
    assert due_now([done, going_on]) == [done, going_on]


def test_a_run_that_continues_nothing_reads_all_sections() -> None:
    walks = [ended(FRESH / 2), ended(FRESH / 3), cut_short(FRESH)]
    assert due_now(walks) == walks
