"""Which article cites which document: found by any spelling of its number, updated by every write."""

from __future__ import annotations

import doctest
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import dialect

from danvan_crawler.exceptions import UsageError
from danvan_crawler.store import citations
from danvan_crawler.store.database import open_for_reading, open_for_writing
from danvan_crawler.store.queries import Filter, count, items, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.store.search import search
from danvan_crawler.store.writes import Store


def cited(number: str, code: str | None, **facts: str) -> dict[str, str | None]:
    known = {"raw": f"{number}-{code}", "type": None, "number": number, "code": code, "issuer": None, "date": None}
    return known | facts


@pytest.fixture
def citing(store: Store, desk: Any) -> Path:
    """Articles that cite the document in their title."""
    for number, (title, *documents) in enumerate(
        [
            ("09-NQ/TU", cited("09", "NQ/TU")),
            ("9-NQ/TU và 35-CT/TW", cited("9", "NQ/TU"), cited("35", "CT/TW")),
            ("35-CT/TƯ", cited("35", "CT/TƯ", date="2024-06-14")),
            ("35-CT/TU hai lần", cited("35", "CT/TU"), cited("35", "CT-TU", date="2019-05-30")),
            ("90-NQ/TU", cited("90", "NQ/TU")),
            ("100/2019/NĐ-CP", cited("100/2019", "NĐ-CP")),
            ("Chỉ thị 35", cited("35", None, type="chỉ thị")),
            ("nothing",),
        ]
    ):
        desk.publish(store, f"/{number}.html", "08:00", title, documents=documents)
    return store.path


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        *[
            (spelling, {"09-NQ/TU", "9-NQ/TU và 35-CT/TW"})
            for spelling in (
                "09-NQ/TU", "9-NQ/TU", "009-NQ/TU", "09 – NQ/TU", "09-nq/tu", "09/NQ-TU", " 09 - NQ/TU ",
                "số 09-NQ/TU", "Nghị quyết số 09-NQ/TU ngày 15/7/2021", "NGHI QUYET SO 09-NQ/TU", "09—NQ/TU",
            )
        ],
        ("35-CT/TW", {"9-NQ/TU và 35-CT/TW", "35-CT/TƯ"}),
        ("35-CT/TƯ", {"9-NQ/TU và 35-CT/TW", "35-CT/TƯ"}),
        ("Chỉ thị 35-CT/T.Ư", {"9-NQ/TU và 35-CT/TW", "35-CT/TƯ"}),
        ("35-CT/TU", {"35-CT/TU hai lần"}),
        ("35-ct/tu", {"35-CT/TU hai lần"}),
        ("100/2019/NĐ-CP", {"100/2019/NĐ-CP"}),
        ("100/2019/nd-cp", {"100/2019/NĐ-CP"}),
        ("100/2020/NĐ-CP", set()),
        ("100/NĐ-CP", set()),
        ("9-NQ/TW", set()),
    ],
)  # fmt: skip
def test_a_document_is_found_by_any_spelling_of_its_number(document: str, expected: set[str], citing: Path) -> None:
    with open_for_reading(citing).connect() as connection:
        criteria = Filter(document=document)
        assert {item["title"] for item in items(connection, criteria)} == expected
        assert {hit.item["title"] for hit in search(connection, "", criteria, 20)} == expected
        assert count(connection, criteria) == len(expected)


def test_a_document_restricts_a_search_for_words(citing: Path) -> None:
    with open_for_reading(citing).connect() as connection:
        found = search(connection, "CT", Filter(document="9-NQ/TU"), 20)
        assert [hit.item["title"] for hit in found] == ["9-NQ/TU và 35-CT/TW"]


@pytest.mark.parametrize(
    "text", ["", "NQ/TU", "09", "15/7/2021", "Chỉ thị 35", "dân vận", "10/GP-BC", "%", "\0", "\ud800", "9" * 5000]
)
def test_a_text_without_a_document_number_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="is not a document number: give number and code, like 09-NQ/TU") as caught:
        Filter(document=text)
    assert repr(text) in str(caught.value)


def test_two_documents_at_once_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="names 2 documents: give one"):
        Filter(document="09-NQ/TU và 10-NQ/TU")


def rows(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT document, title FROM citations JOIN articles ON articles.id = article_id ORDER BY 1, 2"
        ).fetchall()


def test_an_edited_article_has_only_its_current_citations(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "một", documents=[cited("09", "NQ/TU"), cited("5", "KH/TU")])
    desk.publish(store, "/1.html", "09:00", "một, sửa", documents=[cited("5", "KH/TU"), cited("6", "KH/TU")])
    assert rows(store.path) == [("5-kh-tu", "một, sửa"), ("6-kh-tu", "một, sửa")]
    desk.publish(store, "/1.html", "10:00", "một, sửa hai", documents=[])
    assert rows(store.path) == []


def test_an_older_capture_written_later_changes_no_citation(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "09:00", "mới", documents=[cited("6", "KH/TU")])
    desk.publish(store, "/1.html", "08:00", "cũ", documents=[cited("5", "KH/TU")])
    assert rows(store.path) == [("6-kh-tu", "mới")]


def test_articles_written_in_one_transaction_are_found_by_their_citations(store: Store, desk: Any) -> None:
    with store.batch():
        desk.publish(store, "/1.html", "08:00", "một", documents=[cited("5", "KH/TU")])
        desk.publish(store, "/1.html", "09:00", "hai", documents=[cited("6", "KH/TU")])
    assert rows(store.path) == [("6-kh-tu", "hai")]


def test_a_deleted_article_has_no_citations(citing: Path) -> None:
    with closing(sqlite3.connect(citing, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM articles")
        assert connection.execute("SELECT count(*) FROM citations").fetchone() == (0,)


def test_an_older_database_gets_the_index_with_its_citations(citing: Path) -> None:
    before = rows(citing)
    assert len(before) == 7
    with closing(sqlite3.connect(citing, isolation_level=None)) as connection:
        connection.execute("DROP TABLE citations")
    with open_for_writing(citing).begin() as connection:
        citations.create(connection)
    assert rows(citing) == before


def test_a_look_up_reads_only_articles_that_cite_the_document(citing: Path) -> None:
    """A scan would read every body."""
    criteria = Filter(document="09-NQ/TU").conditions()
    statement = newest_first(select(articles.c.id).where(*criteria)).limit(20)
    asked = str(statement.compile(dialect=dialect(), compile_kwargs={"literal_binds": True}))
    with closing(sqlite3.connect(citing)) as connection:
        plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {asked}")]
    assert [step for step in plan if step.startswith("SCAN")] == []


def test_the_docstring_examples_are_correct() -> None:
    assert doctest.testmod(citations).failed == 0
