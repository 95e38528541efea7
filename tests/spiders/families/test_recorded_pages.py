"""Pages that `danvan fixture` recorded: each family reads them as expected, field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from danvan_crawler import _layout
from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.derive import page_fixture
from danvan_crawler.derive.page_fixture import ARTICLE, LISTING, NO_ARTICLE, FixtureReader

_layout.activate()
PAGES = Path(__file__).parents[2] / "fixtures" / "pages"
FOLDERS = sorted(path.relative_to(PAGES).as_posix() for path in PAGES.glob("*/*"))


def test_articles_listings_and_other_pages_are_recorded() -> None:
    expected = [page_fixture.expectation(PAGES / name) for name in FOLDERS]
    assert {one["reads"] for one in expected} == {ARTICLE, LISTING, NO_ARTICLE}
    assert {name.split("/")[0] for name in FOLDERS} >= {"danvan_portal", "nukeviet"}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_recorded_page_reads_as_expected(name: str) -> None:
    fixture, expected = page_fixture.load(PAGES / name), page_fixture.expectation(PAGES / name)
    assert expected, "the page has no expectation"
    read = FixtureReader(fixture.site, project_settings({})).read(fixture.page, fixture.read_as)
    assert list(page_fixture.differences(expected, read)) == []


@pytest.mark.parametrize("name", FOLDERS)
def test_a_recorded_page_is_in_the_folder_of_its_family(name: str) -> None:
    assert page_fixture.load(PAGES / name).site.family == name.split("/")[0]
