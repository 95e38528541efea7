"""Which charset a page is in."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.vietnamese.charset import decode

WORDS = "Đảng bộ Tỉnh ủy Quảng Ngãi, dân vận khéo"


@pytest.mark.parametrize("header", [None, "utf-8", "windows-1252", "iso-8859-1", "x-unknown", '"UTF-8"'])
def test_a_utf8_page_is_utf8_whatever_its_header_says(header: str | None) -> None:
    found = decode(WORDS.encode(), header)
    assert (found.text, found.charset) == (WORDS, "utf-8")


@pytest.mark.parametrize("header", [None, "utf-8", "windows-1252", "windows-1258"])
def test_a_windows_1258_page_is_read_and_composed_whatever_its_header_says(header: str | None) -> None:
    found = decode("dân v\u00e2\u0323n khéo".encode("cp1258"), header)  # the code page writes tones behind their letter
    assert (found.text, found.charset) == ("dân vận khéo", "cp1258")


def test_a_windows_1252_page_that_says_utf8_keeps_its_letters() -> None:
    assert decode("café, Genève".encode("cp1252"), "utf-8").text == "café, Genève"


def test_a_lie_is_told() -> None:
    assert decode(WORDS.encode(), "windows-1252").disagrees
    assert not decode(WORDS.encode(), "utf-8").disagrees
    assert not decode(WORDS.encode()).disagrees


def test_plain_ascii_disagrees_with_nothing() -> None:
    assert not decode(b"<p>abc</p>", "windows-1258").disagrees


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_the_markup_is_read_where_the_header_is_silent(quote: str) -> None:
    page = f"<html><head><meta charset={quote}shift_jis{quote}></head>".encode() + "日本".encode("shift_jis")
    assert decode(page).charset == "shift_jis"


def test_a_byte_order_mark_decides_and_is_no_text() -> None:
    assert decode(codecs.BOM_UTF8 + WORDS.encode(), "windows-1252").text == WORDS
    assert decode(codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"), "utf-8").text == WORDS


def test_a_page_cut_within_a_letter_stays_utf8() -> None:
    page = (WORDS * 20).encode()[:-2] + b"\xe1\xbb"
    found = decode(page, "windows-1258")
    assert found.charset == "utf-8"
    assert found.text.startswith(WORDS)


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["utf-16", "hex", "rot13"])))
def test_no_bytes_and_no_header_raise(body: bytes, header: str | None) -> None:
    decode(body, header)


@given(st.text(max_size=200))
def test_any_text_in_utf8_reads_back(text: str) -> None:
    encoded = text.encode("utf-8", "ignore")
    expected = encoded.decode()
    assert decode(encoded, "windows-1252").text == expected.removeprefix("\ufeff")
