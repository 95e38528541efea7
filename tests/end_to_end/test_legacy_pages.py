"""A portal of the 2000s: the sample portal with its letters in TCVN3, VNI or VISCII.

Each crawl is compared with one of the same portal in UTF-8: readers saw the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from danvan_crawler.sample import portal as sample

LETTERS = Path(__file__).parents[1] / "fixtures" / "vietnamese" / "legacy_letters.tsv"
COLUMNS = {"TCVN3": 1, "VNI": 2, "VISCII": 3}
FACTS = (
    *("title", "lead", "body_text", "section", "author", "source", "tags"),
    *("published_at", "published_raw", "canonical_url", "attachments", "images"),
)


def encoder(charset: str) -> Callable[[str], str]:
    """Unicode text as the charset's bytes look in windows-1252."""
    rows = [line.split("\t") for line in LETTERS.read_text(encoding="utf-8").split("\n")[1:-1]]
    seen = {row[0]: row[COLUMNS[charset]] for row in rows}
    return lambda text: "".join(seen.get(letter, letter) or seen[letter.lower()] for letter in text)


def as_bytes(text: str) -> bytes:
    """windows-1252 with all 256 bytes."""
    return b"".join(
        letter.encode("cp1252", "ignore") or letter.encode("latin-1", "xmlcharrefreplace") for letter in text
    )


def as_utf8(text: str) -> bytes:
    return text.encode()


def as_entities(text: str) -> bytes:
    return text.encode("ascii", "xmlcharrefreplace")


class Served(dict[str, Any]):
    """Answers of a portal: each HTML page of the sample, passed through `write`, as `media_type`."""

    def __init__(
        self, portal: Any, answer: Callable[..., bytes], write: Callable[[str], bytes], media_type: str
    ) -> None:
        super().__init__()
        self._portal, self._answer, self._write, self._media_type = portal, answer, write, media_type

    def get(self, target: str, default: Any = None) -> Any:
        parts = urlsplit(target)
        page = sample.render(parts.path, parts.query, base_url=self._portal.url)
        if page.status != 200 or not page.media_type.startswith("text/html"):
            return default
        html = re.sub('<meta charset="[^"]*">', "", page.body.decode())
        return self._answer(self._write(html), media_type=self._media_type)


@pytest.fixture(scope="module")
def crawl(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> Callable[[Callable[[str], bytes], str], dict[str, dict[str, Any]]]:
    """Crawls one section of the portal in the encoding of `write`; items by path, addresses without host and port."""

    def run(write: Callable[[str], bytes], media_type: str) -> dict[str, dict[str, Any]]:
        portal = new_portal()
        portal.pages = Served(portal, answer, write, media_type)
        desk = new_desk(portal, only="dan-van-kheo", connections="4")
        desk.crawl()
        return {urlsplit(item["canonical_url"]).path: facts(item, portal.url) for item in desk.export()}

    return run


def facts(item: dict[str, Any], url: str) -> dict[str, Any]:
    """The content of a page, without fields that depend on the crawl."""
    said = {name: item[name] for name in FACTS}
    said["canonical_url"] = said["canonical_url"].removeprefix(url)
    for name in ("attachments", "images"):
        said[name] = [
            {key: value.removeprefix(url) if value else value for key, value in each.items() if key != "capture"}
            for each in said[name]
        ]
    return said


@pytest.fixture(scope="module")
def unicode_items(crawl: Callable[..., dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    items = crawl(as_utf8, "text/html; charset=utf-8")
    assert len(items) > 10
    return items


def lowered(value: Any) -> Any:
    """A value in lower case: TCVN3 has no capitals with tones, `Ủy` comes back as `ủy`."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list):
        return [lowered(each) for each in value]
    return {key: lowered(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("charset", "write", "media_type"),
    [
        ("VNI", as_bytes, "text/html; charset=iso-8859-1"),
        ("VNI", as_utf8, "text/html; charset=utf-8"),
        ("VISCII", as_bytes, "text/html; charset=utf-8"),
    ],
)
def test_pages_in_a_legacy_charset_give_the_items_that_unicode_pages_give(
    charset: str,
    write: Callable[[str], bytes],
    media_type: str,
    crawl: Callable[..., dict[str, dict[str, Any]]],
    unicode_items: dict[str, dict[str, Any]],
) -> None:
    encode = encoder(charset)
    assert crawl(lambda html: write(encode(html)), media_type) == unicode_items


@pytest.mark.parametrize(
    ("write", "media_type"),
    [
        (as_bytes, "text/html; charset=windows-1252"),
        (as_entities, "text/html; charset=utf-8"),
    ],
)
def test_tcvn3_pages_give_the_items_that_unicode_pages_give_but_for_toned_capitals(
    write: Callable[[str], bytes],
    media_type: str,
    crawl: Callable[..., dict[str, dict[str, Any]]],
    unicode_items: dict[str, dict[str, Any]],
) -> None:
    encode = encoder("TCVN3")
    found = crawl(lambda html: write(encode(html)), media_type)
    assert lowered(found) == lowered(unicode_items)
    assert sum(item["body_text"].count("ư") for item in found.values()) > 50  # each was a soft hyphen in the response
