"""The pages in tests/fixtures/danvan_portal match their expected.json.

Five builders' markups of one article and three of a listing, to test parsers. Here a reader that is independent of the
layout confirms that the expectations can be met: every text is there in the platform's order, every link and picture
exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

Reader = Callable[[str | bytes], Any]
ARTICLES = ["bare", "div-soup", "html5", "table-font", "webforms"]
LISTINGS = ["listing-dates", "listing-table", "listing-webforms"]


@pytest.fixture
def case(fixtures: Path, read_page: Reader, request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any], str]:
    """(reader, expected, url of the page)"""
    folder = fixtures / "danvan_portal" / request.param
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    return read_page((folder / "page.html").read_bytes()), expected, meta["url"]


def test_every_case_is_named_here(fixtures: Path) -> None:
    assert sorted(path.name for path in (fixtures / "danvan_portal").iterdir()) == sorted(ARTICLES + LISTINGS)


@pytest.mark.parametrize("case", ARTICLES, indirect=True)
def test_article_is_on_the_page_twice_in_order(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, _ = case
    text = [expected["lead"], *expected["body_text"].split("\n")]
    wanted = [expected["title"], "Ngày 23/05/2017 00:00:00", *text, expected["title"], expected["published_raw"], *text]
    remaining = iter(reader.lines)
    assert [line for line in wanted if not any(shown.startswith(line) for shown in remaining)] == []
    for line in (expected["title"], *text):
        assert reader.lines.count(line) == 2


@pytest.mark.parametrize("case", ARTICLES, indirect=True)
def test_visit_box_shows_the_counters_before_the_article(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, _ = case
    start = reader.lines.index("Truy cập")
    assert reader.lines[start + 1 : start + 11] == [
        *("Hôm nay", "1", "Hôm qua", "0", "Tuần này", "1", "Tháng này", "0", "Tất cả", "92232")
    ]
    assert expected["counters"] == [1, 0, 1, 0, 92232]
    assert start < reader.lines.index(expected["title"])


@pytest.mark.parametrize("case", ARTICLES, indirect=True)
def test_forbidden_texts_are_on_the_page_and_not_in_the_article(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, _ = case
    page = "\n".join(reader.lines)
    article = "\n".join([expected["title"], expected["lead"], expected["body_text"]])
    for text in expected["forbidden"]:
        assert text in page
        assert text not in article


@pytest.mark.parametrize("case", ARTICLES, indirect=True)
def test_expected_images_are_on_the_page(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, url = case
    shown = {urljoin(url, picture).replace(" ", "%20") for picture in reader.pictures}
    assert expected["images"]
    assert set(expected["images"]) <= shown


@pytest.mark.parametrize("case", LISTINGS, indirect=True)
def test_listing_shows_the_expected_links_titles_and_dates(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, url = case
    shown = {urljoin(url, link) for link in reader.links}
    page = "\n".join(reader.lines)
    for link in expected["links"]:
        assert link["url"] in shown
        assert link["title"] in page
        assert link["date"] is None or link["date"] in page
    assert [link["title"] for link in expected["links"] if link["date"] is None] == ["Thông báo tuyển dụng viên chức"]


@pytest.mark.parametrize("case", LISTINGS, indirect=True)
def test_optional_links_and_next_page_are_on_the_listing(case: tuple[Any, dict[str, Any], str]) -> None:
    reader, expected, url = case
    shown = {urljoin(url, link) for link in reader.links}
    assert {*expected["optional"], expected["next_page"]} <= shown
    assert {link["url"] for link in expected["links"]}.isdisjoint({*expected["optional"], expected["next_page"]})
