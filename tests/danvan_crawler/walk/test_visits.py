"""Steady visits: every known article is visited once in a period, evenly over its nights, whatever happened before."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nights import LISTINGS, PAGES, STORIES, Troubled
from rows import differences, rows_of
from simulation import Night, World

from danvan_crawler import statistics as stats
from danvan_crawler.clock import warc_date
from danvan_crawler.sample import articles
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.visits import AT_LEAST, CATCH_UP, most, overdue

NIGHT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
KEYS = [f"/tin-tuc/bai-{number}.html" for number in range(730)]


def visits_by_night(nights: list[datetime], every_days: float) -> list[list[str]]:
    """The articles that each of these runs visits, if all were visited when the archive began."""
    visited = dict.fromkeys(KEYS, warc_date(NIGHT))
    found = []
    for night in nights:
        due = overdue(sorted(visited.items()), night, every_days)
        visited.update(dict.fromkeys(due, warc_date(night)))
        found.append(due)
    return found


def nightly(first: int, last: int) -> list[datetime]:
    return [NIGHT + day * A_DAY for day in range(first, last)]


def test_in_each_period_every_article_is_visited_once() -> None:
    found = visits_by_night(nightly(1, 2 * 73 + 1), 73)
    for period in (found[:73], found[73:]):
        assert sorted(key for night in period for key in night) == sorted(KEYS)


def test_the_visits_are_spread_evenly_although_all_were_captured_in_one_night() -> None:
    numbers = [len(night) for night in visits_by_night(nightly(1, 74), 73)]
    assert sum(numbers) / 73 == 10
    assert max(numbers) <= 25  # a night of more is improbable (1 in 20,000)


def test_nights_that_were_missed_are_made_up_for() -> None:
    found = visits_by_night([*nightly(1, 20), *nightly(32, 74)], 73)
    assert sorted(key for night in found for key in night) == sorted(KEYS)
    assert 80 < len(found[19]) < 180


def test_a_second_run_in_one_night_visits_nothing_again() -> None:
    nights = [moment for night in nightly(1, 20) for moment in (night, night + timedelta(minutes=20))]
    found = visits_by_night(nights, 73)
    assert sum(map(len, found[1::2])) <= len(found)  # those whose moment is in these minutes
    assert len({key for night in found for key in night}) == sum(map(len, found))


def test_an_article_that_was_visited_for_another_reason_waits_for_its_next_moment() -> None:
    [due] = [night for night in nightly(1, 366) if overdue([(KEYS[0], warc_date(NIGHT))], night, 365)][:1]
    assert overdue([(KEYS[0], warc_date(due - timedelta(days=2)))], due, 365) == [KEYS[0]]
    assert overdue([(KEYS[0], warc_date(due + timedelta(minutes=1)))], due + 364 * A_DAY, 365) == []


def test_a_period_of_no_days_means_never() -> None:
    assert overdue([(KEYS[0], "2001-01-01T00:00:00.000000Z")], NIGHT, 0) == []


def test_after_a_long_break_a_run_makes_a_multiple_of_the_usual_visits() -> None:
    assert most(100, 365) == AT_LEAST
    assert most(365_000, 365) == CATCH_UP * 1000


def last_visits(world: World) -> dict[str, str]:
    """Link key -> last visit of the addresses at which articles are visited."""
    with closing(sqlite3.connect(world.database)) as connection:
        rows = connection.execute("SELECT link_key, visited_at FROM frontier WHERE visited_at IS NOT NULL")
        return dict(rows.fetchall())


@pytest.mark.slow
def test_old_articles_of_a_portal_are_visited_and_a_removed_one_is_noticed(world: World, tmp_path: Path) -> None:
    removed = {STORIES[6]: ("404", 99)}
    world.live(Night(NIGHT, Troubled()))
    assert len(last_visits(world)) == len(STORIES) + 1  # one article has an address in each of two sections
    visits = 0
    for day in range(1, 8):
        counted = world.live(Night(NIGHT + day * A_DAY, Troubled(troubles=removed), {"revisit_every": 5.0}))
        assert counted.get_value(stats.REVISITS, 0) == len(set(world.asked) - set(PAGES))
        visits += counted.get_value(stats.REVISITS, 0)
    assert visits < 2 * len(STORIES)
    with closing(sqlite3.connect(world.database)) as connection:
        gone = connection.execute("SELECT url FROM articles WHERE gone_at IS NOT NULL").fetchall()
        unseen = connection.execute("SELECT url FROM articles WHERE last_seen < ?", (warc_date(NIGHT + A_DAY),))
        assert [url.endswith(STORIES[6]) for (url,) in gone] == [True]
        assert unseen.fetchall() == gone
    database, _ = world.rebuild(tmp_path / "rebuilt")
    assert differences(rows_of(world.database), rows_of(database)) == []


@pytest.mark.slow
def test_full_asks_for_every_known_article_also_for_those_that_no_listing_shows(world: World) -> None:
    world.live(Night(NIGHT, Troubled(troubles={STORIES[3]: ("500", 99)})))
    unlisted = {page: ("404", 99) for page in PAGES if page not in LISTINGS}
    world.live(Night(NIGHT + A_DAY, Troubled(troubles=unlisted), {"revisit_every": 0.0}))
    assert set(STORIES) & set(world.asked) == {STORIES[3]}
    world.live(Night(NIGHT + 2 * A_DAY, Troubled(troubles=unlisted), {"full": True}))
    assert set(STORIES) <= set(world.asked)
    assert max(Counter(world.asked)[story] for story in STORIES) == 1


@pytest.mark.slow
def test_a_plan_names_the_visits_and_a_limited_run_makes_none(world: World) -> None:
    world.live(Night(NIGHT, Troubled()))
    later = NIGHT + 400 * A_DAY
    for options in ({"since": "2001-01-01"}, {"plan": True}):
        world.live(Night(later, Troubled(), options))
        assert not set(STORIES) & set(world.asked)
    world.live(Night(later, Troubled(), {"max_pages": len(PAGES) + 5}))
    assert 0 < len(set(STORIES) & set(world.asked)) <= len(PAGES) + 5


@pytest.mark.slow
def test_a_database_from_before_these_visits_is_migrated_to_what_a_crawl_writes(world: World, tmp_path: Path) -> None:
    elsewhere = {STORIES[2]: ("one story", 99)}
    world.live(Night(NIGHT, Troubled(troubles=elsewhere)))
    gone = {STORIES[5]: ("404", 99), STORIES[9]: ("home", 99), **elsewhere}
    for day in (20, 21, 40):
        world.live(Night(NIGHT + day * A_DAY, Troubled(2, gone if day < 40 else elsewhere), {"revisit_every": 15.0}))
    before = rows_of(world.database)
    assert sum("None" not in row.rsplit(",", 1)[1] for row in before["frontier"]) >= len(articles(1))
    old = tmp_path / "old.sqlite"
    shutil.copy(world.database, old)
    with closing(sqlite3.connect(old)) as connection:
        for statement in (
            "DROP INDEX frontier_by_visit",
            "ALTER TABLE frontier DROP COLUMN visited_at",
            "PRAGMA user_version = 6",
        ):
            connection.execute(statement)
        connection.commit()
    Store(old).close()
    assert differences(before, rows_of(old)) == []
