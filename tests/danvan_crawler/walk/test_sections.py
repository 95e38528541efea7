"""Where a run begins in the sections of a site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from danvan_crawler.store.frontier import WalkProgress
from danvan_crawler.walk.sections import FRESH, Walk, begin, due_now, is_known

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FIRST, THIRD = "http://example.vn/tin-tuc/", "http://example.vn/tin-tuc/?page=3"


def at(ago: timedelta) -> str:
    return (NOW - ago).isoformat()


def walk(known: WalkProgress | None) -> Walk:
    return begin("Tin tức", FIRST, known, NOW, timedelta(days=30))


def cut_short(ago: timedelta) -> Walk:
    return walk(WalkProgress(at(ago), None, None, THIRD, 2))


def ended(ago: timedelta) -> Walk:
    return walk(WalkProgress(at(ago), at(ago), at(ago), None, 3))


def test_a_walk_that_was_cut_short_recently_continues_at_its_page() -> None:
    found = cut_short(FRESH / 2)
    assert (found.start_url, found.pages, found.is_resumed) == (THIRD, 2, True)


def test_a_walk_that_was_cut_short_long_ago_looks_for_news_first() -> None:
    found = cut_short(FRESH)
    assert (found.start_url, found.backlog, found.is_resumed) == (FIRST, THIRD, False)


def test_a_walk_for_news_that_was_cut_short_is_repeated_down_to_the_same_known_ground() -> None:
    cut = WalkProgress(at(FRESH), at(3 * FRESH), at(3 * FRESH), THIRD, 2, f"{FIRST}?page=2", True)
    found = walk(cut)
    assert (found.start_url, found.backlog, found.stops_at_known, found.is_second) == (FIRST, None, True, True)
    assert found.known_until == at(3 * FRESH)


def test_links_listed_before_the_end_of_the_last_walk_are_known_ground() -> None:
    found = ended(FRESH)
    assert is_known(at(2 * FRESH), found)
    assert is_known(at(FRESH), found)
    assert not is_known(at(FRESH / 2), found)
    assert not is_known(None, found)
    assert is_known(at(FRESH / 2), cut_short(FRESH))  # no walk has finished: all links that it listed


def test_recently_completed_sections_are_skipped_while_another_continues() -> None:
    going_on, done, new = cut_short(FRESH / 2), ended(FRESH / 2), walk(None)
    assert due_now([done, going_on, new]) == [going_on, new]


def test_sections_completed_long_ago_are_read_while_another_continues() -> None:
    going_on, done = cut_short(FRESH / 2), ended(FRESH)
    assert due_now([done, going_on]) == [done, going_on]


def test_a_run_that_continues_nothing_reads_all_sections() -> None:
    walks = [ended(FRESH / 2), ended(FRESH / 3), cut_short(FRESH)]
    assert due_now(walks) == walks
