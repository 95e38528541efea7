"""Crawl state: discovering, marking, pending work of a later run, and completed walks."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from danvan_crawler.clock import warc_date
from danvan_crawler.store.frontier import ARCHIVED, FAILED, MAX_ATTEMPTS, NEW, PENDING, REJECTED, WalkProgress
from danvan_crawler.store.writes import Store

SITE = "vi-du-danvan"
NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
URL = "http://danvan.example.vn"


def discover(store: Store, *keys: str, section: str = "Tin tức") -> dict[str, str]:
    return store.frontier.discover(SITE, {key: URL + key for key in keys}, section)


def waiting(store: Store, site: str = SITE, now: datetime = NOW) -> list[str]:
    return [left.url.removeprefix(URL) for left in store.frontier.waiting(site, warc_date(now))]


def test_an_address_is_new_once_and_pending_afterwards(store: Store) -> None:
    assert discover(store, "/a", "/b") == {"/a": NEW, "/b": NEW}
    assert discover(store, "/b", "/c") == {"/b": PENDING, "/c": NEW}


def test_an_address_keeps_the_section_in_which_it_was_discovered(store: Store) -> None:
    discover(store, "/a", section="Tin tức")
    discover(store, "/a", section="Văn bản")
    assert [left.section for left in store.frontier.waiting(SITE, warc_date(NOW))] == ["Tin tức"]


def test_sites_have_separate_crawl_states(store: Store) -> None:
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


def test_a_later_run_fetches_pending_and_failed_addresses(store: Store) -> None:
    discover(store, "/pending", "/failed", "/archived", "/rejected")
    for key, state in (("/failed", FAILED), ("/archived", ARCHIVED), ("/rejected", REJECTED)):
        store.frontier.mark(SITE, key, state)
    assert waiting(store) == ["/failed", "/pending"]


def test_a_failing_address_is_retried_after_growing_delays_and_then_abandoned(store: Store) -> None:
    discover(store, "/a")
    store.frontier.fail(SITE, "/a", "HTTP 500", warc_date(NOW))
    assert waiting(store) == ["/a"]
    tried = [0]
    for day in range(1, 40):
        tonight = NOW + timedelta(days=day)
        if waiting(store, now=tonight):
            tried.append(day)
            store.frontier.fail(SITE, "/a", "HTTP 500", warc_date(tonight))
    assert tried == [0, 1, 2, 3, 6]
    assert len(tried) == MAX_ATTEMPTS


def test_an_archived_article_that_fails_once_stays_archived_and_is_due_a_day_later(
    store: Store,
) -> None:
    discover(store, "/a")
    store.frontier.mark(SITE, "/a", ARCHIVED)
    store.frontier.fail(SITE, "/a", "HTTP 503", warc_date(NOW))
    assert discover(store, "/a") == {"/a": ARCHIVED}
    assert store.frontier.due(SITE, warc_date(NOW)) == []
    assert [one.url for one in store.frontier.due(SITE, warc_date(NOW + timedelta(days=1)))] == [URL + "/a"]


def test_failures_before_an_address_was_archived_do_not_count_later(store: Store) -> None:
    discover(store, "/a")
    for state in (*[FAILED] * (MAX_ATTEMPTS - 1), ARCHIVED, FAILED):
        store.frontier.mark(SITE, "/a", state)
    assert waiting(store) == ["/a"]


def test_a_written_article_marks_its_link_its_address_and_its_canonical_address(store: Store, desk: Any) -> None:
    discover(store, "/cu.html", "/in/moi.html", "/moi.html", "/khac.html")
    desk.publish(store, "/in/moi.html", "08:00", link="/cu.html", canonical_url=f"{URL}/moi.html")
    assert waiting(store) == ["/khac.html"]


def test_a_walk_is_stored_from_its_first_page_to_its_end(store: Store) -> None:
    section, later = f"{URL}/tin-tuc/", f"{URL}/tin-tuc/trang-2"
    assert store.frontier.walk_of(SITE, section) is None
    store.frontier.begin_walk(SITE, section, "2026-11-23T08:00:00.000000Z")
    store.frontier.note_cursor(SITE, section, later, 1, last_page=section)
    assert store.frontier.walk_of(SITE, section) == WalkProgress(
        "2026-11-23T08:00:00.000000Z", None, None, later, 1, section
    )
    store.frontier.complete_walk(SITE, section, "2026-11-23T09:00:00.000000Z", swept=True)
    walked = store.frontier.walk_of(SITE, section)
    assert walked is not None
    assert (walked.completed_at, walked.swept_at, walked.cursor) == (*["2026-11-23T09:00:00.000000Z"] * 2, None)
    store.frontier.complete_walk(SITE, section, "2026-11-24T09:00:00.000000Z", cursor=later)
    walked = store.frontier.walk_of(SITE, section)
    assert walked is not None
    assert (walked.completed_at, walked.swept_at) == ("2026-11-24T09:00:00.000000Z", "2026-11-23T09:00:00.000000Z")
    assert walked.cursor == later
    assert store.frontier.walk_of(SITE, f"{URL}/van-ban/") is None
    assert store.frontier.walk_of("khac-danvan", section) is None


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


@pytest.mark.slow
def test_a_run_that_is_killed_loses_no_state(database: Any) -> None:
    killed = subprocess.run([sys.executable, "-c", DYING, str(database)], check=False)
    assert killed.returncode == -signal.SIGKILL
    store = Store(database)
    assert waiting(store) == [f"/{n:03}" for n in range(100, 200)]
    store.close()
