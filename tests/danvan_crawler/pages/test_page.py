"""A page: decoded by its charset evidence, decoded once, parsed once."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from danvan_crawler.pages import page as page_module
from danvan_crawler.pages.page import BEGINNING, MARKS, Page

MakePage = Callable[..., Page]
URL = "http://danvan.example.vn/tin-61.html"
WINDOWS = "text/html; charset=windows-1252"


def test_the_text_of_a_page_is_unicode_for_any_charset(make_page: MakePage) -> None:
    for served in ("TØnh ñy Qu¶ng Ng·i", "Tænh uûy Quaûng Ngaõi", "Tïnh üy Quäng Ngãi", "TiÒnh uÒy QuaÒng NgaÞi"):
        page = make_page(f"<h1>{served}</h1>".encode("latin-1"), content_type=WINDOWS)
        assert page.text == "<h1>Tỉnh ủy Quảng Ngãi</h1>"


def test_a_soft_hyphen_is_decoded_before_it_can_be_dropped(make_page: MakePage) -> None:
    page = make_page("<p>\u00adu tiªn h\u00adíng dÉn ®ång bµo</p>".encode("latin-1"), content_type=WINDOWS)
    assert "ưu tiên hướng dẫn" in page.text


def test_the_charset_of_the_header_is_kept_for_a_warning(make_page: MakePage) -> None:
    page = make_page("<h1>Tỉnh ủy</h1>", content_type=WINDOWS)
    assert page.decoded.disagreement == "charset: header says windows-1252, bytes are utf-8"


@pytest.mark.parametrize("content_type", ["", "text/html", "text/html; charset=", "text/html; charset=\xff"])
def test_a_header_without_a_charset_is_no_evidence(make_page: MakePage, content_type: str) -> None:
    found = make_page("<h1>Tỉnh ủy</h1>", content_type=content_type).decoded
    assert (found.text, found.header, found.disagreement) == ("<h1>Tỉnh ủy</h1>", None, None)


def test_a_page_without_a_body_is_empty(make_page: MakePage) -> None:
    assert make_page(b"").text == ""


def test_a_page_that_is_not_text_has_an_empty_text_and_an_empty_tree() -> None:
    page = Page(URL, 200, b"<h1>x</h1>", content_type="image/png", is_text=False, is_html=False)
    assert (page.text, page.tree.css("h1"), page.own_tree().css("h1")) == ("", [], [])
    assert (page.decoded.disagreement, page.base_url) == (None, URL)


def test_a_page_is_decoded_and_parsed_once(make_page: MakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def count(name: str) -> None:
        whole = getattr(page_module, name)
        monkeypatch.setattr(page_module, name, lambda *given: made.append(name) or whole(*given))

    count("decode")
    count("LexborHTMLParser")
    page = make_page("<base href='/goc/'><h1>Tỉnh ủy</h1>")
    assert made == []
    for _ in range(2):
        assert page.tree is page.beginning
        assert page.own_tree() is not page.tree
        assert page.own_tree().css_first("h1").text() == "Tỉnh ủy"
        assert page.decoded.text == page.text
        assert page.base_url == "http://danvan.example.vn/goc/"
    assert made == ["decode", "LexborHTMLParser"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", URL),
        ("<base href='/goc/'>", "http://danvan.example.vn/goc/"),
        ("<base\nhref='http://khac.vn/x/'>", "http://khac.vn/x/"),
        ("<script>" + "x" * 10_000 + "</script><BASE href=/goc/>", "http://danvan.example.vn/goc/"),
        ("<base target=_blank><base href='/goc/'><base href='/khac/'>", "http://danvan.example.vn/goc/"),
        ("<!-- <base href='/goc/'> -->", URL),
        ("<script>document.write('<base href=\"/goc/\">')</script>", URL),
        ("<base href=''>", URL),
        ("<base href='javascript:x'>", URL),
        ("<base href='http://[email=%22a@b.vn/'>", URL),
        ("<base href='http://example.vn:80.edu:80/'><base href='/goc/'>", URL),
        ("<base href='http://a b/'>", URL),
        ("<base target=_blank>", URL),
    ],
)
def test_addresses_are_relative_to_the_base_of_the_page(make_page: MakePage, head: str, expected: str) -> None:
    assert make_page(f"<html><head>{head}</head><body></body></html>", URL).base_url == expected


def test_a_separate_tree_can_be_changed_and_outlives_its_page(make_page: MakePage) -> None:
    page = make_page("<title>x</title><o:p a:b=1>Tỉnh <b>ủy</b></o:p><script>1</script>")
    before = page.tree.html
    own = page.own_tree()
    for node in own.css("script, title"):
        node.decompose()
    own.unwrap_tags(["b"])
    assert page.tree.html == before == page.own_tree().html
    del page
    gc.collect()
    assert own.body.html == '<body><o:p a:b="1">Tỉnh ủy</o:p></body>'


_PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<div>", "<a href=x>", "</a>", "<table>", "<td>", "<b>", "</b>", "<o:p>", "<svg>", "<math>"),
        *("<!--", "-->", "<script>", "</script>", "<title>", "<select>", "<option>", "<form>", "<body class=x>"),
        *("<head>", "<i id=a>", "<noscript>", "<style>", "</style>", "<textarea>", "<plaintext>", "Tỉnh ủy", "&amp;"),
        *("&#1;", "\x00", "\x1e", "<"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, max_size=40))
def test_a_separate_tree_equals_the_tree(make_page: MakePage, pieces: list[str]) -> None:
    page = make_page("".join(pieces))
    own = page.own_tree()
    assert own.html == page.tree.html
    assert own.text(separator="|") == page.tree.text(separator="|")


def test_two_pages_are_never_equal(make_page: MakePage) -> None:
    page, other = make_page("x"), make_page("x")
    assert page != other
    assert {page: 1, other: 2}[page] == 1


def test_the_repr_of_a_page_has_its_address_and_not_its_body(make_page: MakePage) -> None:
    assert repr(make_page("x" * 1000, URL)) == f"<Page 200 {URL}>"


@pytest.mark.parametrize("served", ["a\x01b", "a\x1eb", "a&#1;b", "a&#x1E;b", "a&#0000002b", "a&#3;b"])
def test_no_tree_contains_our_marks(make_page: MakePage, served: str) -> None:
    text = make_page(f"<p>{served}</p>").tree.text()
    assert not any(mark in text for mark in MARKS)
    assert text == "a b"


def test_a_comment_in_a_word_does_not_split_it(make_page: MakePage) -> None:
    assert make_page("<p>dân<!-- x --> vận</p>").tree.text(separator="|") == "dân vận"


def test_the_beginning_of_a_long_page_has_the_expected_end(make_page: MakePage) -> None:
    page = make_page("<p>" + "x" * BEGINNING + "<h1>Hết</h1>")
    assert len(page.beginning.text()) == BEGINNING - len("<p>")
    assert page.tree.css_first("h1").text() == "Hết"


@pytest.mark.slow
@pytest.mark.parametrize("filling", ["<div>" * 1_000_000, "<font size=1><p>x" * 300_000, "<p>x</p>" * 620_000])
def test_a_page_of_5_mb_is_parsed_in_seconds(make_page: MakePage, filling: str) -> None:
    """Without limits the first two would take hours, or all memory."""
    page = make_page(f"<h1>Hội nghị</h1>{filling}")
    for tree in (page.tree, page.beginning, page.own_tree()):
        assert tree.css_first("h1").text() == "Hội nghị"
