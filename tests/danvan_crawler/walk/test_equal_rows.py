"""A rebuild restores every row that the crawls wrote: over random nights, cuts, edits and errors of a portal."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights import HOME, LISTINGS, PAGES, PICTURES, STORIES, TROUBLES, Troubled
from rows import differences, rows_of
from simulation import Night, World

from danvan_crawler.sample import articles

pytestmark = pytest.mark.slow
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "5"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
FIRST_NIGHT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


def check_rebuild(world: World, target: Path) -> None:
    """Rebuilds a copy of the archive and compares every row."""
    before = rows_of(world.database)
    database, found = world.rebuild(target)
    assert found.failures == found.damage == []
    assert differences(before, rows_of(database)) == []


def nights_of(chance: random.Random) -> Iterator[tuple[Night, bool]]:
    """Some nights, each with whether it is killed."""
    began, edition = FIRST_NIGHT, 1
    for _ in range(chance.randint(3, 6)):
        began += timedelta(hours=chance.choice([1, 3, 24, 24, 24, 30, 24 * 8, 24 * 35]))
        edition = chance.choice([edition, edition, 2])
        troubles = {
            target: (chance.choice(list(TROUBLES)), chance.choice([1, 1, 3, 99]))
            for target in chance.sample([*PAGES, *STORIES, *PICTURES, "/giao-dien/style.css"], chance.randint(0, 25))
        }
        options: dict[str, Any] = {"revisit_every": chance.choice([0.0, 2.0, 20.0, 365.0])}
        if chance.random() < 0.2:
            options["max_pages"] = chance.randint(1, 40)
        if chance.random() < 0.1:
            options["full"] = True
        if chance.random() < 0.1:
            options["since"] = "2017-05-01"
        if chance.random() < 0.05:
            options["plan"] = True
        night = Night(began, Troubled(edition, troubles), options)
        if chance.random() < 0.2:
            hidden = set(chance.sample([*PAGES, *STORIES, *PICTURES], 10))
            night.forbidden = hidden.__contains__
        is_killed = chance.random() < 0.35
        if is_killed:
            night.kill_after = chance.randint(1, 90)
        elif chance.random() < 0.3:
            night.stop_after = chance.randint(1, 90)
        yield night, is_killed


def strangers(chance: random.Random, night: datetime) -> list[tuple[str, bytes, datetime]]:
    """Captures of the portal by another tool, on some day before or just after a night."""
    day = night + timedelta(days=chance.choice([-400, -40, -1, 0, 0]), hours=chance.choice([-2, 3]))
    edition = Troubled(chance.choice([1, 2]), {})
    targets = chance.sample([*PAGES, *STORIES, *PICTURES, "/", "/robots.txt"], chance.randint(1, 15))
    answers = [(target, edition(target, 1)) for target in targets]
    found = []
    for place, (target, answer) in enumerate(answers):
        if chance.random() < 0.1:
            answer = TROUBLES[chance.choice(["404", "home", "blank", "soft 404"])]()
        assert answer is not None
        found.append((HOME.rstrip("/") + target, answer, day + timedelta(seconds=place)))
    return found


@pytest.mark.parametrize("number", range(ROUNDS))
def test_random_nights(world: World, tmp_path: Path, number: int) -> None:
    chance = random.Random(f"{SEED}-{number}")
    was_killed = False
    for place, (night, is_killed) in enumerate(nights_of(chance)):
        world.live(night)
        was_killed = is_killed
        if not was_killed and chance.random() < 0.4:
            world.take_in(strangers(chance, night.began_at), tmp_path / f"another-{place}")
        if not was_killed:
            check_rebuild(world, tmp_path / f"rebuilt-{place}")
    if was_killed:  # compared after the next run has recovered the file of the killed one
        world.live(Night(night.began_at + timedelta(days=1), Troubled(1, {})))
        check_rebuild(world, tmp_path / "rebuilt-last")


def test_a_rebuilt_database_can_be_crawled_on_after_a_blank_page_and_a_stopped_run(
    world: World, tmp_path: Path
) -> None:
    second = f"{LISTINGS[0]}trang-2/"
    blank = {second: ("blank", 1)}
    world.live(Night(FIRST_NIGHT, Troubled(troubles=blank), stop_after=12))
    assert world.asked.count(second) <= 1  # stopped before the second request
    database, _ = world.rebuild(tmp_path / "rebuilt")
    assert differences(rows_of(world.database), rows_of(database)) == []
    for path in world.archive.glob("danvan.sqlite*"):
        path.unlink()
    shutil.copy(database, world.database)
    for night in (1, 2):
        world.live(Night(FIRST_NIGHT + timedelta(days=night), Troubled()))
    with closing(sqlite3.connect(world.database)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM articles").fetchone()
    assert found == len(articles(1))


def test_two_pictures_that_redirect_to_one_file_are_both_archived(world: World, tmp_path: Path) -> None:
    troubles = {PICTURES[4]: ("one picture", 99), PICTURES[6]: ("one picture", 99)}
    world.live(Night(FIRST_NIGHT, Troubled(troubles=troubles)))
    with closing(sqlite3.connect(world.database)) as connection:
        rows = connection.execute("SELECT state FROM frontier WHERE link_key IN (?, ?)", (PICTURES[4], PICTURES[6]))
        assert rows.fetchall() == [("archived",), ("archived",)]
    check_rebuild(world, tmp_path / "rebuilt")
