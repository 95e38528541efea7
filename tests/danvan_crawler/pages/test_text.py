"""A response's text, by evidence."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse, TextResponse

from danvan_crawler.pages.text import decoded, text_of

URL = "http://danvan.example.vn/tin-61.html"


def page(body: bytes, media_type: str = "text/html; charset=windows-1252") -> HtmlResponse:
    return HtmlResponse(URL, headers={"Content-Type": media_type}, body=body)


def test_the_text_of_a_page_is_unicode_whatever_its_charset_is() -> None:
    for served in ("TØnh ñy Qu¶ng Ng·i", "Tænh uûy Quaûng Ngaõi", "Tïnh üy Quäng Ngãi", "TiÒnh uÒy QuaÒng NgaÞi"):
        assert text_of(page(f"<h1>{served}</h1>".encode("latin-1"))) == "<h1>Tỉnh ủy Quảng Ngãi</h1>"


def test_a_soft_hyphen_is_decoded_before_anybody_can_drop_it() -> None:
    assert "ưu tiên hướng dẫn" in text_of(page("<p>\u00adu tiªn h\u00adíng dÉn ®ång bµo</p>".encode("latin-1")))


def test_a_page_is_decoded_once() -> None:
    response = page("<h1>Tỉnh ủy</h1>".encode())
    assert decoded(response) is decoded(response)


def test_what_the_header_says_is_kept_for_a_warning() -> None:
    assert decoded(page("<h1>Tỉnh ủy</h1>".encode())).disagreement == (
        "charset: header says windows-1252, bytes are utf-8"
    )


@pytest.mark.parametrize("media_type", ["", "text/html", "text/html; charset=", "text/html; charset=\xff"])
def test_a_header_that_says_nothing_is_no_evidence(media_type: str) -> None:
    found = decoded(page("<h1>Tỉnh ủy</h1>".encode(), media_type))
    assert (found.text, found.header, found.disagreement) == ("<h1>Tỉnh ủy</h1>", None, None)


def test_a_response_without_a_body_is_empty() -> None:
    assert text_of(TextResponse(URL)) == ""
