"""A rebuild gives every row again that the crawls wrote: over random nights, cuts, edits and troubles of a portal."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights import HOME, PAGES, PICTURES, STORIES, TROUBLES, Troubled
from rows import differences, rows_of
from simulation import Night, World

pytestmark = pytest.mark.slow
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "8"))
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
        options: dict[str, Any] = {}
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
    """What another tool has captured of the portal, on some day before or just after a night."""
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
    if was_killed:  # compared after the next run has taken up what a killed one left
        world.live(Night(night.began_at + timedelta(days=1), Troubled(1, {})))
        check_rebuild(world, tmp_path / "rebuilt-last")
