"""A damaged record affects only itself: if a listing is damaged, a rebuild still gives the articles that it listed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nights import HOME, LISTINGS, STORIES, Troubled
from simulation import Night, World

from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items
from danvan_crawler.warc.reader import iter_records

pytestmark = pytest.mark.slow
NIGHT = Night(datetime(2026, 3, 1, 1, 30, tzinfo=UTC), Troubled())


def exported(database: Path) -> dict[str, dict[str, Any]]:
    with open_for_reading(database).connect() as connection:
        return {item["item_id"]: item for item in items(connection, Filter())}


def damage(world: World, url: str) -> int:
    """Zeroes ten bytes in the middle of each response of an address. Returns the number of responses."""
    count = 0
    for path in world.archive.glob("warc/**/*.warc.gz"):
        records = list(iter_records(path))
        data = bytearray(path.read_bytes())
        ends = [record.offset for record in records[1:]] + [len(data)]
        for record, end in zip(records, ends, strict=True):
            if record.type == "response" and record.url == url:
                middle = (record.offset + end) // 2
                data[middle : middle + 10] = bytes(10)
                count += 1
        path.write_bytes(data)
    return count


@pytest.mark.parametrize("target", [LISTINGS[0], f"{LISTINGS[1]}trang-2/"])
def test_a_damaged_listing_loses_none_of_its_articles(world: World, tmp_path: Path, target: str) -> None:
    world.live(NIGHT)
    before = exported(world.database)
    assert len(before) > 40
    assert damage(world, HOME.rstrip("/") + target) == 1
    database, found = world.rebuild(tmp_path / "rebuilt")
    assert len(found.damage) == 1
    assert exported(database) == before


def test_a_damaged_article_affects_no_other_article(world: World, tmp_path: Path) -> None:
    world.live(NIGHT)
    before = exported(world.database)
    assert damage(world, HOME.rstrip("/") + STORIES[10]) == 1
    database, _ = world.rebuild(tmp_path / "rebuilt")
    after = exported(database)
    [lost] = before.keys() - after.keys()
    assert before[lost]["url"].endswith(STORIES[10])
    assert {item: fields for item, fields in before.items() if item != lost} == after
