"""The activity of a site, and the changes of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from danvan_crawler.store.activity import activity, change_counts, last_days, sections_with_articles
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.writes import Store

SITE = "vi-du-danvan"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def reading(store: Store) -> Connection:
    store.flush()
    return open_for_reading(store.path).connect()


def published(desk: Any, store: Store, path: str, time: str, day: str | None) -> None:
    at = f"{day}T08:00:00+07:00" if day is not None else None
    desk.publish(store, path, time, published_at=at)


def test_articles_are_counted_by_their_day_of_publication(desk: Any, store: Store) -> None:
    for number, day in enumerate(("2026-11-22", "2026-11-17", "2026-11-01", "2017-05-23", "2027-03-01", None)):
        published(desk, store, f"/{number}.html", "08:00", day)
    with reading(store) as connection:
        found = activity(connection, SITE, NOW)
        assert found.published == {7: 2, 30: 3}
        assert found.newest == "2026-11-22T08:00:00+07:00"
        assert found.articles == 6
        days = last_days(connection, SITE, NOW)
    assert days == [date(2026, 11, 22), date(2026, 11, 17), date(2026, 11, 1), date(2017, 5, 23)]


def test_the_last_new_article_is_the_one_that_was_captured_last_for_the_first_time(desk: Any, store: Store) -> None:
    desk.publish(store, "/a.html", "08:00")
    desk.publish(store, "/b.html", "08:30")
    desk.publish(store, "/a.html", "10:00")
    with reading(store) as connection:
        assert activity(connection, SITE, NOW).last_new == "2026-11-23T08:30:00.000000Z"


def test_a_site_without_articles_has_no_activity(store: Store) -> None:
    with reading(store) as connection:
        found = activity(connection, SITE, NOW)
        assert (found.articles, found.newest, found.last_new, found.published) == (0, None, None, {7: 0, 30: 0})
        assert last_days(connection, SITE, NOW) == []


def test_articles_of_a_run_are_counted_like_changes(desk: Any, store: Store) -> None:
    desk.publish(store, "/edited.html", "08:00", "Hội nghị")
    desk.publish(store, "/same.html", "08:00")
    desk.publish(store, "/edited.html", "10:00", "Hội nghị sơ kết")
    desk.publish(store, "/same.html", "10:00")
    desk.publish(store, "/new.html", "10:00")
    with reading(store) as connection:
        assert change_counts(connection, SITE, SINCE) == {"new": 1, "edited": 1, "gone": 0, "revived": 0}
        assert change_counts(connection, "khac-danvan", SINCE) == {"new": 0, "edited": 0, "gone": 0, "revived": 0}


def test_a_gone_article_is_counted(desk: Any, store: Store) -> None:
    desk.publish(store, "/a.html", "01:00")
    for day, is_first in ((23, True), (25, False)):
        missing = desk.capture("/a.html", f"10:{day}", date=f"2026-11-{day}T10:00:00.000000Z", status=404)
        store.note_capture(SITE, missing)
        missed = store.note_absence(SITE, missing, missing.url)
        assert missed is not None
        assert missed.is_first is is_first
    with reading(store) as connection:
        assert change_counts(connection, SITE, SINCE)["gone"] == 1
        assert change_counts(connection, SITE, datetime(2026, 11, 26, tzinfo=UTC))["gone"] == 0


def test_sections_that_have_listed_articles_are_known(desk: Any, store: Store) -> None:
    desk.list(store, "Tin tức", "08:00", "/a.html")
    with reading(store) as connection:
        assert sections_with_articles(connection, SITE) == {"Tin tức"}


def test_the_state_of_a_site_is_kept_for_the_next_run(store: Store) -> None:
    store.state.set(SITE, "not_before", "2026")
    store.state.set(SITE, "not_before", "2027")
    assert store.state.get(SITE, "not_before") == "2027"
    store.state.set(SITE, "not_before", None)
    assert store.state.get(SITE, "not_before") is None
