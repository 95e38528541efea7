"""The full-text index contains the words of the current texts, exactly and folded, and no others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from danvan_crawler.store.writes import Store


def words(path: Path) -> set[tuple[str, str]]:
    """(word, column) of everything in the index."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, articles_fts, instance)")
        return set(connection.execute("SELECT term, col FROM words"))


def instances(path: Path) -> list[tuple[Any, ...]]:
    """(word, row, column, position) of everything in the index."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, articles_fts, instance)")
        return sorted(connection.execute("SELECT term, doc, col, offset FROM words"))


def test_articles_written_in_one_transaction_are_indexed_as_if_written_one_by_one(
    store: Store, desk: Any, tmp_path: Path
) -> None:
    together = Store(tmp_path / "together.sqlite")
    with together.batch():
        for one in (store, together):
            for time, title in (("08:00", "Tựa một cũ"), ("09:00", "Tựa hai hoà"), ("10:00", "Tựa ba")):
                desk.publish(one, "/1.html", time, title, body_text=f"Thân bài {title}")
                desk.publish(one, f"/{title}.html", time, title, body_text=f"Thân bài {title}")
        assert instances(together.path) == []
    assert instances(together.path) == instances(store.path) != []
    together.close()


def test_words_are_indexed_in_one_spelling_and_folded(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tỉnh uỷ Hoà Bình", lead="Đảng bộ", body_text="Ðoàn kết")
    assert words(store.path) == {
        ("tỉnh", "title"), ("ủy", "title"), ("hòa", "title"), ("bình", "title"),
        ("đảng", "lead"), ("bộ", "lead"), ("đoàn", "body_text"), ("kết", "body_text"),
        ("tinh", "folded_title"), ("uy", "folded_title"), ("hoa", "folded_title"), ("binh", "folded_title"),
        ("dang", "folded_text"), ("bo", "folded_text"), ("doan", "folded_text"), ("ket", "folded_text"),
    }  # fmt: skip


def test_after_edits_only_the_last_text_is_indexed(store: Store, desk: Any, tmp_path: Path) -> None:
    for time, title in (("08:00", "Tựa một cũ"), ("09:00", "Tựa hai hoà"), ("10:00", "Tựa ba"), ("07:00", "Tựa không")):
        desk.publish(store, "/1.html", time, title, lead=f"Sapô của {title}", body_text=f"Thân bài {title}\nđoạn hai")
    fresh = Store(tmp_path / "fresh.sqlite")
    desk.publish(fresh, "/1.html", "10:00", "Tựa ba", lead="Sapô của Tựa ba", body_text="Thân bài Tựa ba\nđoạn hai")
    fresh.close()
    assert instances(store.path) == instances(fresh.path)


def test_the_index_is_consistent_after_many_edits(store: Store, desk: Any) -> None:
    for number in range(120):
        desk.publish(store, f"/{number % 7}.html", f"{8 + number // 60:02}:{number % 60:02}", f"Tựa {number} dân vận")
    store.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO articles_fts(articles_fts) VALUES ('integrity-check')")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (indexed,) = connection.execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'dan'").fetchone()
    assert indexed == 7


def test_an_edit_outside_of_the_indexed_text_does_not_change_the_index(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tựa")
    before = instances(store.path)
    desk.publish(store, "/1.html", "09:00", "Tựa", author="Lê Văn A")
    assert instances(store.path) == before


def test_a_capture_of_the_same_text_does_not_change_the_index(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tựa")
    before = instances(store.path)
    desk.publish(store, "/1.html", "09:00", "Tựa")
    assert instances(store.path) == before


def test_the_columns_of_the_index_show_the_printed_text(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tỉnh uỷ", lead="Sapô", body_text="Thân bài")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        shown = connection.execute("SELECT * FROM articles_fts").fetchall()
    assert shown == [("Tỉnh uỷ", "Sapô", "Thân bài", "Tỉnh uỷ", "Sapô\nThân bài")]
