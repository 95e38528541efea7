"""Errors of other tools with dates and Vietnamese text: each is shown where possible, and our code does not make it.

The errors about SQLite files (read-only media, writers that wait) are in the tests of the store, those about exports in
the tests of the feeds.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from dateutil import parser as dateutil_parser

from danvan_crawler.store.search import ANYWHERE, fts_query
from danvan_crawler.vietnamese.dating import Candidate, choose
from danvan_crawler.vietnamese.text import canonical, clean, decode_legacy, fold
from danvan_crawler.vietnamese.timestamps import parse


def shown(text: str) -> str | None:
    stamp = parse(text)
    return None if stamp is None else stamp.at.isoformat()


def test_dateutil_takes_gmt_plus_seven_for_seven_hours_behind_and_we_do_not() -> None:
    # Fourteen hours apart, without a warning.
    theirs, ours = dateutil_parser.parse("2017-05-23 08:05 GMT+7"), parse("2017-05-23 08:05 GMT+7")
    assert ours is not None
    assert (theirs.utcoffset(), ours.at.utcoffset()) == (timedelta(hours=-7), timedelta(hours=7))


def test_dateutil_with_day_first_swaps_day_and_month_of_iso_dates_and_we_do_not() -> None:
    assert dateutil_parser.parse("2017-03-04", dayfirst=True).date().isoformat() == "2017-04-03"
    assert shown("2017-03-04") == "2017-03-04T00:00:00+07:00"


@pytest.mark.parametrize(
    "line", ["Hội nghị lần thứ 3 năm 2017", "Quý 2/2017", "Chỉ thị 05 năm 2016", "Khóa 12", "5/2017"]
)
def test_a_fuzzy_reader_invents_dates_and_we_do_not(line: str) -> None:
    assert shown(line) is None


def test_other_parsers_swap_day_and_month_when_the_month_is_thirteen_and_we_do_not() -> None:
    assert dateutil_parser.parse("12/13/2018", dayfirst=True).month == 12
    assert shown("12/13/2018") is None


@pytest.mark.parametrize("line", ["Đăng lúc: 7h5 23/05/2017", "Cập nhật lúc: 7h5, 23/05/2017", "7h5 - 23/05/2017"])
def test_labels_and_hours_in_common_spellings_do_not_break_the_date_line(line: str) -> None:
    assert shown(line) == "2017-05-23T07:05:00+07:00"


@pytest.mark.parametrize("stamp", ["Đăng lúc: 23/05/2017 08:00", "08:00 | 23/05/2017"])
def test_the_year_in_the_footer_is_never_taken_for_the_date_line(stamp: str) -> None:
    assert shown(f"{stamp}\nBản quyền © 2012 Ban Dân vận Tỉnh ủy") == "2017-05-23T08:00:00+07:00"
    assert shown("Bản quyền © 2012 Ban Dân vận Tỉnh ủy") is None


def test_the_garbled_metadata_of_nukeviet_is_read() -> None:
    assert shown("2017-05-23+0708:05:00") == "2017-05-23T08:05:00+07:00"


def test_the_modification_time_in_metadata_does_not_replace_the_displayed_date_line() -> None:
    found = choose([Candidate("json-ld", "2019-01-02T09:41:12+07:00"), Candidate("visible", "23/05/2017 08:05")])
    assert found.stamp is not None
    assert (found.stamp.at.date().isoformat(), found.published_from) == ("2017-05-23", "visible")
    assert found.warnings


def test_a_midnight_without_a_known_time_is_a_day() -> None:
    stamp = parse("Đăng lúc: 23/05/2017 00:00:00 (GMT+7)")
    assert stamp is not None
    assert (stamp.precision, stamp.raw) == ("day", "23/05/2017 00:00:00 (GMT+7)")


def test_a_displayed_foreign_zone_is_kept_as_displayed() -> None:
    stamp = parse("Ngày đăng: 23/05/2017 01:05")
    assert stamp is not None
    assert (stamp.raw, stamp.at.utcoffset()) == ("23/05/2017 01:05", timedelta(hours=7))


@pytest.mark.parametrize(
    ("printed", "other"),
    [("Tỉnh ủy", "Tỉnh uỷ"), ("hòa bình", "hoà bình"), ("Tỉnh ủy", "Ti\u0309nh u\u0309y"), ("đoàn kết", "ðoàn kết")],
)
def test_two_spellings_of_one_word_are_equal(printed: str, other: str) -> None:
    assert printed != other
    assert (canonical(printed), fold(printed)) == (canonical(other), fold(other))


def matches(tokenize: str, title: str, query: str) -> bool:
    """Whether FTS5 with this tokenizer finds a title; our index has the folded title in a second column."""
    with closing(sqlite3.connect(":memory:")) as connection:
        columns = f"{ANYWHERE.exact} {ANYWHERE.folded}".split(" ")
        connection.execute(f"CREATE VIRTUAL TABLE t USING fts5({', '.join(columns)}, tokenize='{tokenize}')")
        connection.execute("INSERT INTO t(title, folded_title) VALUES (?, ?)", (canonical(title), fold(title)))
        return connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (query,)).fetchone() == (1,)


def test_sqlite_folding_makes_different_words_equal_and_ours_does_not() -> None:
    folding, exact = "unicode61 remove_diacritics 2", "unicode61 remove_diacritics 0"
    assert matches(folding, "dẫn vần khéo", '"dân vận khéo"')
    assert not matches(exact, "dẫn vần khéo", fts_query("dân vận khéo") or "")
    assert matches(exact, "dẫn vần khéo", fts_query("dan van kheo") or "")


def test_sqlite_never_folds_d_with_stroke_and_we_do() -> None:
    folding, exact = "unicode61 remove_diacritics 2", "unicode61 remove_diacritics 0"
    assert not matches(folding, "đoàn kết", 'title : "doan ket"')
    assert matches(exact, "đoàn kết", fts_query("doan ket") or "")


def test_letters_of_tcvn3_in_soft_hyphens_survive_the_cleaning() -> None:
    served = "§¶ng bé tØnh L\u00ad¬ng T\u00ad ph\u00ad¬ng h\u00ad\u00edng"
    assert clean(decode_legacy(served)) == "Đảng bộ tỉnh Lương Tư phương hướng"
