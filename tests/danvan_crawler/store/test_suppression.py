"""A suppressed article is not in the database; its captures are, and the article can be restored from them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.store import suppression
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter
from danvan_crawler.store.search import search
from danvan_crawler.store.suppressed_file import Takedown
from danvan_crawler.store.writes import Store

PAGE = "/bai-1.html"


def takedown(article: Any) -> Takedown:
    return Takedown(article.item_id, article.canonical_url, "đơn yêu cầu", date(2027, 3, 4))


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def holding(path: Path, text: str) -> set[str]:
    """Tables with a row that contains this text."""
    names = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name for name in names if any(text in str(row) for row in rows(path, f'SELECT * FROM "{name}"'))}


def test_no_table_contains_the_words_of_a_suppressed_article(store: Store, desk: Any, exported: Any) -> None:
    article = desk.publish(store, PAGE, "08:00", "Tựa đề riêng", body_text="Chữ không đâu có")
    desk.publish(store, "/bai-2.html", "08:00")
    assert holding(store.path, "Chữ không đâu có") == {"articles", "revisions", "articles_fts"}
    store.apply_takedowns([takedown(article)])
    assert holding(store.path, "Chữ không đâu có") == set()
    assert holding(store.path, "Tựa đề riêng") == set()
    assert len(exported(store.path)) == 1


def test_the_index_stays_consistent_and_does_not_find_it(store: Store, desk: Any) -> None:
    article = desk.publish(store, PAGE, "08:00", "Tựa đề riêng")
    store.apply_takedowns([takedown(article)])
    rows(store.path, "INSERT INTO articles_fts(articles_fts) VALUES ('integrity-check')")
    with open_for_reading(store.path).connect() as connection:
        assert list(search(connection, "riêng", Filter(), 9)) == []


def test_citations_are_removed_with_their_article(store: Store, desk: Any) -> None:
    cited = {"raw": "09-NQ/TU", "type": None, "number": "09", "code": "NQ/TU", "issuer": "TU", "date": None}
    article = desk.publish(store, PAGE, "08:00", documents=[cited])
    store.apply_takedowns([takedown(article)])
    assert rows(store.path, "SELECT * FROM citations") == []


def test_later_captures_of_it_are_not_shown(store: Store, desk: Any, exported: Any) -> None:
    article = desk.publish(store, PAGE, "08:00")
    store.apply_takedowns([takedown(article)])
    desk.publish(store, PAGE, "09:00", "Tựa mới")
    assert exported(store.path) == []
    assert rows(store.path, "SELECT count(*) FROM captures WHERE suppressed = '" + article.item_id + "'") == [(2,)]


def test_an_article_that_was_never_seen_can_be_suppressed(store: Store, desk: Any, exported: Any) -> None:
    store.apply_takedowns([takedown(desk.article(PAGE, "08:00"))])
    desk.publish(store, PAGE, "08:00")
    assert exported(store.path) == []


def test_it_is_not_due_for_visits(store: Store, desk: Any) -> None:
    desk.list(store, "Tin tức", "07:00", PAGE)
    article = desk.publish(store, PAGE, "08:00", published_at="2026-11-23T07:00:00+07:00")
    due = "SELECT count(*) FROM frontier WHERE due_at IS NOT NULL"
    assert rows(store.path, due) == [(1,)]
    store.apply_takedowns([takedown(article)])
    assert rows(store.path, due) == [(0,)]


def test_other_articles_are_unchanged(store: Store, desk: Any, exported: Any) -> None:
    article = desk.publish(store, PAGE, "08:00")
    desk.publish(store, "/bai-2.html", "08:00", "bài hai")
    (other,) = [item for item in exported(store.path) if item["item_id"] != article.item_id]
    store.apply_takedowns([takedown(article)])
    assert exported(store.path) == [other]


def test_lifting_returns_every_capture_at_its_addresses(store: Store, desk: Any) -> None:
    article = desk.publish(store, PAGE, "08:00", link="/cu.html")
    desk.publish(store, PAGE, "10:00", "Tựa mới")
    store.note_capture(desk.site, desk.capture(PAGE, "11:00", status=404))
    store.note_capture(desk.site, desk.capture("/khac.html", "08:00"))
    store.flush()
    store.apply_takedowns([takedown(article)])
    dates = {
        tuple(row[:2]): row[2] for row in rows(store.path, "SELECT warc_file, warc_offset, warc_date FROM captures")
    }
    assert [dates[place][11:16] for place in store.lift(article.item_id)] == ["08:00", "10:00", "11:00"]
    assert rows(store.path, "SELECT * FROM suppressed") == []


def test_an_article_read_again_is_as_if_never_suppressed(store: Store, desk: Any, exported: Any) -> None:
    desk.list(store, "Tin tức", "07:00", PAGE)
    article = desk.publish(store, PAGE, "08:00")
    desk.publish(store, PAGE, "09:00", "Tựa mới")
    before = exported(store.path)
    store.apply_takedowns([takedown(article)])
    with store.batch():
        store.lift(article.item_id)
        desk.publish(store, PAGE, "08:00")
        desk.publish(store, PAGE, "09:00", "Tựa mới")
    assert exported(store.path) == before


def test_applying_the_file_twice_changes_nothing(store: Store, desk: Any) -> None:
    article = desk.publish(store, PAGE, "08:00")
    assert store.apply_takedowns([takedown(article)]) == []
    before = rows(store.path, "SELECT * FROM captures"), rows(store.path, "SELECT * FROM suppressed")
    assert store.apply_takedowns([takedown(article)]) == []
    assert (rows(store.path, "SELECT * FROM captures"), rows(store.path, "SELECT * FROM suppressed")) == before


def test_a_takedown_removed_from_the_file_is_reported_and_still_applied(store: Store, desk: Any, exported: Any) -> None:
    article = desk.publish(store, PAGE, "08:00")
    entry = takedown(article)
    store.apply_takedowns([entry])
    assert store.apply_takedowns([]) == [entry]
    assert exported(store.path) == []


def test_a_reason_changed_in_the_file_is_updated(store: Store, desk: Any) -> None:
    entry = takedown(desk.article(PAGE, "08:00"))
    store.apply_takedowns([entry])
    store.apply_takedowns([Takedown(entry.item_id, entry.url, "lý do khác", entry.date)])
    assert rows(store.path, "SELECT reason FROM suppressed") == [("lý do khác",)]


@pytest.mark.parametrize("wanted", ["http://danvan.example.vn/bai-1.html", "https://www.danvan.example.vn/bai-1.html"])
def test_it_is_found_by_any_variant_of_its_address(wanted: str, store: Store, desk: Any) -> None:
    entry = takedown(desk.article(PAGE, "08:00"))
    store.apply_takedowns([entry])
    with open_for_reading(store.path).connect() as connection:
        assert suppression.find(connection, wanted) == entry
        assert suppression.find(connection, entry.item_id) == entry
        assert suppression.find(connection, "http://other.example.vn/bai-1.html") is None


def test_the_note_on_rights_of_the_profile_is_in_all_articles(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/a.html", "08:00")
    desk.publish(store, "/b.html", "08:00", site="khac-danvan")
    store.set_rights(desk.site, "© Ban Dân vận")
    desk.publish(store, "/c.html", "08:00", rights="© Ban Dân vận")
    found = {item["site"]: item["rights"] for item in exported(store.path)}
    assert found == {desk.site: "© Ban Dân vận", "khac-danvan": None}
    assert len(exported(store.path)) == 3


def test_a_note_on_rights_can_be_removed(store: Store, desk: Any, exported: Any) -> None:
    desk.publish(store, "/a.html", "08:00")
    store.set_rights(desk.site, "© Ban Dân vận")
    store.set_rights(desk.site, None)
    assert [item["rights"] for item in exported(store.path)] == [None]


def test_an_older_revision_that_is_current_again_has_the_current_note(store: Store, desk: Any, exported: Any) -> None:
    for time, title, rights in (("08:00", "A", "cũ"), ("09:00", "B", "cũ"), ("10:00", "A", "mới")):
        desk.publish(store, PAGE, time, title, rights=rights)
    (item,) = exported(store.path)
    assert (item["title"], item["rights"]) == ("A", "mới")
