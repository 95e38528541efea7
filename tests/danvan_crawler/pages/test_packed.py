"""Sitemaps that are gzip files."""

from __future__ import annotations

import gzip

import pytest

from danvan_crawler.exceptions import UndecodableBodyError
from danvan_crawler.pages import packed
from danvan_crawler.pages.packed import unpacked
from danvan_crawler.pages.page import Page


def served(body: bytes, *, is_text: bool) -> Page:
    return Page("http://thu.vn/sitemap.xml.gz", 200, body, is_text=is_text, is_html=False)


@pytest.mark.parametrize("is_text", [True, False])
def test_a_sitemap_in_a_gzip_file_is_text(is_text: bool) -> None:
    xml = "<?xml version='1.0'?><urlset><url><loc>http://thu.vn/tin-tức</loc></url></urlset>"
    page = unpacked(served(gzip.compress(xml.encode()), is_text=is_text))
    assert (page.text, page.is_text, page.is_html) == (xml, True, False)


def test_any_other_page_stays_the_same_page() -> None:
    for body in (b"", b"<urlset/>", b"\x1f\x8b", b"%PDF-1.4"):
        page = served(body, is_text=False)
        assert unpacked(page) is page


def test_a_sitemap_beyond_the_limit_or_cut_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_UNPACKED", 1000)
    with pytest.raises(UndecodableBodyError, match="larger than 1000 bytes"):
        unpacked(served(gzip.compress(b"<urlset>" * 1000), is_text=True))
    for damaged in (gzip.compress(b"<urlset>")[:-1], gzip.compress(b"<urlset>")[:-8] + b"\0" * 8, b"\x1f\x8b\x08"):
        with pytest.raises(UndecodableBodyError, match="is damaged"):
            unpacked(served(damaged, is_text=True))
