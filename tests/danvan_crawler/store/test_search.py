"""Search: marks count if they are typed, any input is accepted, and the snippet of every hit shows the match."""

from __future__ import annotations

import doctest
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from danvan_crawler.store import search as searching
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter
from danvan_crawler.store.search import MARK_END, MARK_START, Hit, search
from danvan_crawler.store.writes import Store

TITLES = {
    "khéo": "Phong trào dân vận khéo",
    "vần": "Bài thơ dẫn vần khéo",
    "đảng": "Đảng bộ tỉnh Đắk Lắk",
    "dạng": "Đa dạng sinh học",
    "cũ": "Tỉnh uỷ Hoà Bình họp",
    "mới": "Tỉnh ủy Hòa Bình họp kín",
    "số": "Công văn số 131-KH/TU ngày 23/5",
    "nhạc": "Khéo vận dân",
    "hoàng": "Hoàng Thành",
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory, desk: Any) -> Iterator[Connection]:
    """A database with one article per title, published on successive days."""
    store = Store(tmp_path_factory.mktemp("search") / "danvan.sqlite")
    for day, (name, title) in enumerate(TITLES.items(), start=1):
        at = f"2017-05-{day:02}T00:00:00+07:00"
        desk.publish(store, f"/{name}.html", f"08:{day:02}", title, lead="", body_text="Thân bài.", published_at=at)
    store.close()
    with open_for_reading(store.path).connect() as opened:
        yield opened


def test_the_docstring_examples_are_correct() -> None:
    assert doctest.testmod(searching).failed == 0


def hits(connection: Connection, query: str, limit: int = 50, **criteria: str) -> list[Hit]:
    return list(search(connection, query, Filter(**criteria), limit))


def names(connection: Connection, query: str, **criteria: str) -> set[str]:
    found = {hit.item["title"] for hit in hits(connection, query, **criteria)}
    return {name for name, title in TITLES.items() if title in found}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dân vận khéo", {"khéo", "nhạc"}),
        ("dẫn vần khéo", {"vần"}),
        ("dan van kheo", {"khéo", "vần", "nhạc"}),
        ("DÂN VẬN KHÉO", {"khéo", "nhạc"}),
        ("DAN VAN", {"khéo", "vần", "nhạc"}),
        ("đảng", {"đảng"}),
        ("Đảng", {"đảng"}),
        ("dang", {"đảng", "dạng"}),
        ("dak lak", {"đảng"}),
        ("tỉnh ủy hòa bình", {"cũ", "mới"}),
        ("tỉnh uỷ hoà bình", {"cũ", "mới"}),
        ("tinh uy hoa binh", {"cũ", "mới"}),
        (unicodedata.normalize("NFD", "dân vận khéo"), {"khéo", "nhạc"}),
        (unicodedata.normalize("NFD", "tỉnh uỷ"), {"cũ", "mới"}),
        ("Ðảng", {"đảng"}),  # the letter eth, as some fonts and charsets write it
        ("dân van", {"khéo", "nhạc"}),
        ('"dân vận khéo"', {"khéo"}),
        ('"dan van kheo"', {"khéo", "vần"}),
        ('"dân vận', {"khéo"}),
        ("khé*", {"khéo", "vần", "nhạc"}),
        ("vậ*", {"khéo", "nhạc"}),
        ("va*", {"khéo", "vần", "số", "nhạc"}),
        ("khéo -vần", {"khéo", "nhạc"}),
        ("kheo -dan", set()),
        ('khéo -"dân vận"', {"vần", "nhạc"}),
        ("kheo -vần -nhac -thơ", {"khéo", "nhạc"}),
        ("-vần khéo", {"khéo", "nhạc"}),
        ("131-KH/TU", {"số"}),
        ("131-kh/tu*", {"số"}),
        ("23/5", {"số"}),
        ("“dân vận khéo”", {"khéo"}),
        ("„dan van kheo‟", {"khéo", "vần"}),
        ("«dân vận", {"khéo"}),
        ("khéo –vần", {"khéo", "nhạc"}),
        ("khéo — vần", {"vần"}),
        ("khéo −“dân vận”", {"vần", "nhạc"}),
        ("hoà*", {"cũ", "mới", "hoàng"}),
        ("hòa*", {"cũ", "mới"}),
        ("Hoà* -bình*", {"hoàng"}),
        ("dân & vận!", {"khéo", "nhạc"}),
        ("dân _ vận", {"khéo", "nhạc"}),
        ("dân AND vận", set()),
        ("title:dân", set()),
        ("không có", set()),
    ],
)
def test_a_query_finds(query: str, expected: set[str], connection: Connection) -> None:
    assert names(connection, query) == expected


@pytest.mark.parametrize("query", ["", "  ", '""', "*", "()", "-", "_", "!?"])
def test_a_query_without_words_gives_the_newest_items(query: str, connection: Connection) -> None:
    assert [hit.item["title"] for hit in hits(connection, query, 2)] == [TITLES["hoàng"], TITLES["nhạc"]]


@pytest.mark.parametrize("query", ["-vần", '-"dân vận"', "-a -b"])
def test_a_query_of_exclusions_only_finds_nothing(query: str, connection: Connection) -> None:
    assert hits(connection, query) == []


def test_hits_come_newest_first_and_up_to_the_limit(connection: Connection) -> None:
    assert [hit.item["title"] for hit in hits(connection, "kheo", 2)] == [TITLES["nhạc"], TITLES["vần"]]


@pytest.fixture
def mixed(store: Store, desk: Any) -> Path:
    """Articles that have `nông thôn` in the title (1, 3), only in the body (2, 4), or one here and one there (5)."""
    for number in (1, 2, 3, 4, 5):
        day = f"2017-05-{number:02}T00:00:00+07:00"
        title = "Nông dân" if number == 5 else "Nông thôn mới" if number % 2 else "Tựa"
        body = "Bài về thôn Hạ." if number == 5 else f"Bài {number} về nông thôn mới."
        desk.publish(store, f"/{number}.html", "08:00", title, lead=str(number), body_text=body, published_at=day)
    return store.path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("nông thôn", "31542"),
        ("nong thon", "31542"),
        ('"nông thôn mới"', "3142"),
        ("nông* thôn*", "31542"),
        ("nông thôn -“bài 3”", "1542"),
        ("nông thôn tựa", "42"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("many", [0, 1000])
def test_articles_with_all_words_in_the_title_come_before_newer_ones(
    query: str, expected: str, limit: int, many: int, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_MANY", many)
    with open_for_reading(mixed).connect() as connection:
        assert "".join(hit.item["lead"] for hit in hits(connection, query, limit)) == expected[:limit]


def test_title_hits_excluded_by_the_filter_are_not_found(mixed: Path) -> None:
    with open_for_reading(mixed).connect() as connection:
        found = hits(connection, "nông thôn", since="2017-05-02", until="2017-05-04")
        assert [hit.item["lead"] for hit in found] == ["3", "4", "2"]


@pytest.mark.slow
def test_the_limit_may_exceed_the_number_of_sqlite_parameters(crowded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_for_reading(crowded).connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, searching._CHUNK + 10)
        monkeypatch.setattr(searching, "_MANY", searching._CHUNK)
        for query in ("dân", ""):
            found = [hit.item["item_id"] for hit in hits(connection, query, 100_000)]
            assert len(found) == len(set(found)) == CROWD


def test_filters_apply_to_hits(connection: Connection) -> None:
    assert names(connection, "kheo", since="2017-05-02") == {"vần", "nhạc"}
    assert names(connection, "kheo", until="2017-05-01") == {"khéo"}
    assert names(connection, "kheo", site="khac-danvan") == set()


def test_a_snippet_shows_the_matching_words_as_printed(store: Store, desk: Any) -> None:
    body = "Mở đầu. " + "chữ " * 80 + "Tỉnh uỷ Hoà Bình họp. " + "chữ " * 80
    desk.publish(store, "/1.html", "08:00", "Tựa", body_text=body)
    with open_for_reading(store.path).connect() as connection:
        for query in ("tỉnh ủy", "tinh uy"):
            (hit,) = hits(connection, query)
            assert f"{MARK_START}Tỉnh{MARK_END} {MARK_START}uỷ{MARK_END}" in hit.snippet
            assert len(hit.snippet) < 300


@pytest.mark.parametrize("query", ["tỉnh ủy", "tinh uy", '"tỉnh uỷ"', "tỉn* ủ*"])
def test_a_twice_encoded_entity_does_not_shift_the_highlighting(query: str, store: Store, desk: Any) -> None:
    body = "&quot;Dân vận&quot; &amp; R&amp;D của Đ&agrave;o: " + "chữ " * 40 + "&nbsp;họp Tỉnh uỷ Hoà Bình."
    desk.publish(store, "/1.html", "08:00", "Tựa", body_text=body)
    desk.publish(store, "/2.html", "08:00", "Tựa", body_text="Tỉnh uỷ R&D")
    with open_for_reading(store.path).connect() as connection:
        marked = f"{MARK_START}Tỉnh{MARK_END} {MARK_START}uỷ{MARK_END}"
        shown = [hit.snippet.replace(f"{MARK_START}Tỉnh uỷ{MARK_END}", marked) for hit in hits(connection, query)]
    assert len(shown) == 2
    assert all(marked in snippet for snippet in shown)
    assert [hit for hit in shown if "họp" in hit and "&" not in hit]


def test_an_entity_is_shown_as_its_character(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tựa", lead="", body_text="&quot;Dân vận&quot; khéo")
    with open_for_reading(store.path).connect() as connection:
        (hit,) = hits(connection, "van")
    assert hit.snippet.strip() == f'"Dân {MARK_START}vận{MARK_END}" khéo'
    assert hit.item["body_text"] == "&quot;Dân vận&quot; khéo"


def test_without_a_query_the_snippet_is_the_lead(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", lead="Sapô.")
    with open_for_reading(store.path).connect() as connection:
        assert [hit.snippet for hit in hits(connection, "")] == ["Sapô."]


def test_an_edited_article_is_found_by_its_new_words_only(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "Tựa cũ kỹ")
    desk.publish(store, "/1.html", "09:00", "Tựa tươi mới")
    with open_for_reading(store.path).connect() as connection:
        assert [len(hits(connection, query)) for query in ("kỹ", "ky", "tươi", "tuoi")] == [0, 0, 1, 1]


CROWD = searching._MANY + 50


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, desk: Any) -> Path:
    """A database in which `dân` has more matches than search sorts, a hundred of them in March 2017."""
    store = Store(tmp_path_factory.mktemp("search") / "danvan.sqlite")
    for number in range(CROWD):
        day = f"20{10 + number % 10}-03-{1 + number % 28:02}T00:00:00+07:00"
        section = "Hiếm" if number % 100 == 0 else "Tin tức"
        desk.publish(
            store, f"/{number}.html", "08:00", f"Dân bài {number}", body_text="x", published_at=day, section=section
        )
    store.close()
    return store.path


@pytest.mark.slow
@pytest.mark.parametrize(
    "criteria", [{}, {"section": "Hiếm"}, {"since": "2017-01-01", "until": "2017-12-31"}, {"site": "vi-du-danvan"}]
)
def test_many_matches_give_the_same_hits_in_the_same_order_as_a_full_sort(
    criteria: dict[str, str], crowded: Path
) -> None:
    with open_for_reading(crowded).connect() as connection:
        newest = [hit.item["item_id"] for hit in hits(connection, "", 30, **criteria)]
        assert [hit.item["item_id"] for hit in hits(connection, "dân", 30, **criteria)] == newest
        assert all(f"{MARK_START}Dân{MARK_END}" in hit.snippet for hit in hits(connection, "dân", 30, **criteria))


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "dân " * 2000, "dân" + "".join(f" -v{number}" for number in range(1500)), " ".join(map(str, range(1500))),
        "(" * 500, '"' * 501, "d" * 100_000, "dân AND (vận OR", "NEAR(dân vận, 2)", "^dân + vận", "{title} : dân",
        "articles_fts MATCH 'x'", "'; DROP TABLE articles; --", ":expression ?1 @x $y", "\0", "dân\0vận", "\ud800 dân",
        "dân " + "".join(f" “v{number}”" for number in range(10_000)), '"' + "dân vận " * 5000,
        "".join(f"v{number}* " for number in range(10_000)),
        "dân" + "".join(f" –v{number}" for number in range(10_000)),
        "\u202edân", "a\u0301" * 100, "*dân*", "- -dân", "--dân", "-*", "dân -_", "ﬁ İ ẞ ٣ 一 👩‍👩‍👧",
    ],
    ids=lambda query: ascii(query[:20]),
)  # fmt: skip
def test_an_unusual_query_is_answered(query: str, connection: Connection) -> None:
    assert len(hits(connection, query)) <= len(TITLES)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    query=st.text()
    | st.text(alphabet="dân vận\"“”«-–*()_:^{}+,.\0'\\ANDORNTEAR&#;\ud800 ", max_size=60)
    | st.lists(st.sampled_from(["dân", "dan*", "hoà*", "“", '"', "-", "–", "\0", "d" * 40_000, "&quot;", " "])).map(
        "".join
    )
)
@example(query="dân vận")
def test_no_query_raises(query: str, connection: Connection) -> None:
    hits(connection, query)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    words=st.lists(st.sampled_from(sorted({word for title in TITLES.values() for word in title.split()})), min_size=1)
)
def test_words_of_an_article_find_it(words: list[str], connection: Connection) -> None:
    expected = {title for title in TITLES.values() if set(words) <= set(title.split())}
    assert expected <= {hit.item["title"] for hit in hits(connection, " ".join(words))}
