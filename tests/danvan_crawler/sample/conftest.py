"""A running portal, a simple reader of pages, and the fixture folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from danvan_crawler.sample import SamplePortal

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
INLINE = {"a", "b", "em", "font", "i", "small", "span", "strong", "time", "o:p", "button", "img", "input"}
SILENT = {"head", "script", "style"}


class PageReader(HTMLParser):
    """Collects a page's text lines, links and pictures in order, independently of its layout.

    Every tag that is not in INLINE ends a line; hidden text counts, text of the head does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._silent = 0
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.canonical: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in SILENT:
            self._silent += 1
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag == "img":
            self.pictures.append(values.get("src") or "")
        if tag == "link" and values.get("rel") == "canonical":
            self.canonical = values["href"]
        if tag not in INLINE:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent -= 1
        if tag not in INLINE:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A line end inside a text is a space; only tags end lines.
            self._parts.append(re.sub(r"\s+", " ", data))

    @property
    def lines(self) -> list[str]:
        lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(self._parts).split("\n"))
        return [line for line in lines if line]


@pytest.fixture
def read_page() -> Callable[[str | bytes], PageReader]:
    def read(html: str | bytes) -> PageReader:
        reader = PageReader()
        reader.feed(html.decode("utf-8") if isinstance(html, bytes) else html)
        reader.close()
        return reader

    return read


@pytest.fixture
def portal() -> Iterator[SamplePortal]:
    with SamplePortal() as running:
        yield running


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return FIXTURES
