"""Crawl state: discovering, marking, what a later run still has to do, and which walks reached their end."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from danvan_crawler.store.frontier import ARCHIVED, FAILED, MAX_ATTEMPTS, NEW, PENDING, REJECTED
from danvan_crawler.store.writes import Store

SITE = "vi-du-danvan"
URL = "http://danvan.example.vn"


def discover(store: Store, *keys: str, section: str = "Tin tức") -> dict[str, str]:
    return store.frontier.discover(SITE, {key: URL + key for key in keys}, section)


def waiting(store: Store, site: str = SITE) -> list[str]:
    return [left.url.removeprefix(URL) for left in store.frontier.waiting(site)]


def test_an_address_is_new_once_and_pending_then(store: Store) -> None:
    assert discover(store, "/a", "/b") == {"/a": NEW, "/b": NEW}
    assert discover(store, "/b", "/c") == {"/b": PENDING, "/c": NEW}


def test_an_address_keeps_the_section_in_which_it_was_discovered(store: Store) -> None:
    discover(store, "/a", section="Tin tức")
    discover(store, "/a", section="Văn bản")
    assert [left.section for left in store.frontier.waiting(SITE)] == ["Tin tức"]


def test_sites_know_nothing_of_each_other(store: Store) -> None:
    discover(store, "/a")
    assert store.frontier.discover("khac-danvan", {"/a": URL + "/a"}, "Tin tức") == {"/a": NEW}
    store.frontier.mark(SITE, "/a", ARCHIVED)
    assert waiting(store) == []
    assert waiting(store, "khac-danvan") == ["/a"]


@pytest.mark.parametrize("state", [ARCHIVED, FAILED, REJECTED])
def test_a_marked_address_has_its_state(state: str, store: Store) -> None:
    discover(store, "/a")
    store.frontier.mark(SITE, "/a", state, "why")
    assert discover(store, "/a") == {"/a": state}


def test_an_unknown_address_stays_unknown_when_it_is_marked(store: Store) -> None:
    store.frontier.mark(SITE, "/a", ARCHIVED)
    assert discover(store, "/a") == {"/a": NEW}


def test_a_later_run_has_to_fetch_what_is_pending_and_what_failed(store: Store) -> None:
    discover(store, "/pending", "/failed", "/archived", "/rejected")
    for key, state in (("/failed", FAILED), ("/archived", ARCHIVED), ("/rejected", REJECTED)):
        store.frontier.mark(SITE, key, state)
    assert waiting(store) == ["/failed", "/pending"]


def test_an_address_that_fails_in_every_run_is_left_alone_in_the_end(store: Store) -> None:
    discover(store, "/a")
    for _ in range(MAX_ATTEMPTS):
        assert waiting(store) == ["/a"]
        store.frontier.mark(SITE, "/a", FAILED, "HTTP 500")
    assert waiting(store) == []


def test_failures_before_an_address_was_archived_do_not_count_later(store: Store) -> None:
    discover(store, "/a")
    for state in (*[FAILED] * (MAX_ATTEMPTS - 1), ARCHIVED, FAILED):
        store.frontier.mark(SITE, "/a", state)
    assert waiting(store) == ["/a"]


def test_an_article_that_is_written_marks_its_link_its_address_and_its_canonical_address(
    store: Store, desk: Any
) -> None:
    discover(store, "/cu.html", "/in/moi.html", "/moi.html", "/khac.html")
    desk.publish(store, "/in/moi.html", "08:00", link="/cu.html", canonical_url=f"{URL}/moi.html")
    assert waiting(store) == ["/khac.html"]


def test_only_a_walk_that_reached_its_end_is_remembered(store: Store) -> None:
    assert not store.frontier.walked(SITE, f"{URL}/tin-tuc/")
    store.frontier.complete_walk(SITE, f"{URL}/tin-tuc/", "2026-11-23T08:00:00.000000Z")
    store.frontier.complete_walk(SITE, f"{URL}/tin-tuc/", "2026-11-24T08:00:00.000000Z")
    assert store.frontier.walked(SITE, f"{URL}/tin-tuc/")
    assert not store.frontier.walked(SITE, f"{URL}/van-ban/")
    assert not store.frontier.walked("khac-danvan", f"{URL}/tin-tuc/")


DYING = """
import os, signal, sys
from pathlib import Path
from danvan_crawler.store.writes import Store
store = Store(Path(sys.argv[1]))
store.frontier.discover("vi-du-danvan", {f"/{n:03}": f"http://danvan.example.vn/{n:03}" for n in range(200)}, "Tin tức")
for n in range(100):
    store.frontier.mark("vi-du-danvan", f"/{n:03}", "archived")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_loses_no_state(database: Any) -> None:
    killed = subprocess.run([sys.executable, "-c", DYING, str(database)], check=False)
    assert killed.returncode == -signal.SIGKILL
    store = Store(database)
    assert waiting(store) == [f"/{n:03}" for n in range(100, 200)]
    store.close()
