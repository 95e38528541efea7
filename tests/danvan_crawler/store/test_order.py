"""A crawl and a rebuild give the same rows, in any order in which captures are written."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danvan_crawler.items import Attachment, Image
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import history
from danvan_crawler.store.writes import Store

pytestmark = pytest.mark.slow

# name of the event -> its effect. Article a is seen as A, A, B, A over its variants; b has its section in one revision
# only; c is reached over a redirect, and is linked under both addresses.
PICTURES = [Image("http://danvan.example.vn/anh.jpg")]
FILES = [Attachment("http://danvan.example.vn/tep/kh.pdf", "kh.pdf")]
Event = Callable[[Any, Store], object]
EVENTS: dict[str, Event] = {
    "listing, second": lambda desk, store: desk.list(store, "Tin tức", "07:30", "/a.html", "/b.html"),
    "listing, first": lambda desk, store: desk.list(store, "Hoạt động", "07:00", "/a.html"),
    "listing with both addresses": lambda desk, store: desk.list(store, "Văn bản", "07:40", "/moi.html", "/cu.html"),
    "listing, later": lambda desk, store: desk.list(store, "Nổi bật", "12:00", "/cu.html", "/b.html"),
    "a as A, print": lambda desk, store: desk.publish(store, "/a.html?print=1", "08:00", "Tựa A", images=PICTURES),
    "a as A": lambda desk, store: desk.publish(store, "/a.html", "08:10", "Tựa A", images=PICTURES, tags=["x"]),
    "a as B": lambda desk, store: desk.publish(store, "/a.html", "09:00", "Tựa B", attachments=FILES),
    "a as A again": lambda desk, store: desk.publish(store, "/a.html", "10:00", "Tựa A", tags=["y"]),
    "b with a breadcrumb": lambda desk, store: desk.publish(store, "/b.html", "08:00", "Tựa C", section="Kiểm tra"),
    "b without": lambda desk, store: desk.publish(store, "/b.html", "09:00", "Tựa D"),
    "c": lambda desk, store: desk.publish(store, "/moi.html", "08:00", "Tựa E", link="/cu.html"),
    "picture": lambda desk, store: store.note_capture(
        desk.site, desk.capture("/anh.jpg", "08:11", media_type="image/jpeg")
    ),
    "picture, later": lambda desk, store: store.note_capture(
        desk.site, desk.capture("/anh.jpg", "10:01", media_type="image/png")
    ),
}


def outcome(desk: Any, exported: Any, order: list[str], run_ends: int) -> Any:
    """Exports, histories and the remembered listings after these events, with a new run after `run_ends` of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "danvan.sqlite"
        for run in (order[:run_ends], order[run_ends:]):
            store = Store(path)
            for name in run:
                EVENTS[name](desk, store)
            store.close()
        found = exported(path)
        histories = []
        with open_for_reading(path).connect() as connection:
            for item in found:
                past = history(connection, item["item_id"])
                seen = [{k: v for k, v in row.items() if k not in ("id", "article_id")} for row in past.captures]
                histories.append((past.item, past.revisions, seen))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            links = connection.execute("SELECT * FROM listing_links ORDER BY 1, 2, 3").fetchall()
        return found, histories, links


def test_in_order_of_time_the_rows_are_the_expected_ones(desk: Any, exported: Any) -> None:
    found, _, _ = outcome(desk, exported, list(EVENTS), 0)
    told = [(item["title"], item["section"], item["revision"], item["url"][24:], item["tags"]) for item in found]
    assert sorted(told) == [
        ("Tựa A", "Hoạt động", 1, "/a.html", ["x"]),
        ("Tựa D", "Tin tức", 2, "/b.html", []),
        ("Tựa E", "Văn bản", 1, "/moi.html", []),
    ]
    (pictured,) = [item for item in found if item["images"]]
    assert pictured["images"][0]["media_type"] == "image/jpeg"


@pytest.fixture(scope="module")
def expected(desk: Any, exported: Any) -> Any:
    """What the events in their order of time give, made once for all examples."""
    return outcome(desk, exported, list(EVENTS), 0)


@settings(max_examples=60)
@given(order=st.permutations(list(EVENTS)), run_ends=st.integers(0, len(EVENTS)))
def test_any_order_over_two_runs_gives_the_same_rows(
    order: list[str], run_ends: int, desk: Any, exported: Any, expected: Any
) -> None:
    assert outcome(desk, exported, order, run_ends) == expected


@settings(max_examples=20)
@given(order=st.lists(st.sampled_from(list(EVENTS)), max_size=8))
def test_events_that_happen_twice_change_nothing(order: list[str], desk: Any, exported: Any, expected: Any) -> None:
    assert outcome(desk, exported, [*EVENTS, *order], len(EVENTS)) == expected
