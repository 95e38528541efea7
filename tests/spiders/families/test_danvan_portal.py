"""The family danvan_portal on pages of the described layout in the markup of several authors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.families import load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import timestamps

Case = Callable[[str], tuple[Page, dict[str, Any]]]
ARTICLES = ["bare", "div-soup", "html5", "table-font", "webforms"]
LISTINGS = ["listing-dates", "listing-table", "listing-webforms"]


def _parsed(case: Case, make_site: Callable[..., Site], name: str) -> tuple[Article, VisitCounters, dict[str, Any]]:
    page, expected = case(f"danvan_portal/{name}")
    found = list(load_family(make_site()).parse_article(page))
    (article,) = [item for item in found if isinstance(item, Article)]
    (counters,) = [item for item in found if isinstance(item, VisitCounters)]
    return article, counters, expected


@pytest.mark.parametrize("name", ARTICLES)
def test_the_article_is_read_once_and_completely(case: Case, make_site: Callable[..., Site], name: str) -> None:
    article, _, expected = _parsed(case, make_site, name)
    assert article.title == expected["title"]
    assert article.lead == expected["lead"]
    assert article.body_text == expected["body_text"]


@pytest.mark.parametrize("name", ARTICLES)
def test_the_displayed_date_line_is_kept_and_reads_as_a_day(
    case: Case, make_site: Callable[..., Site], name: str
) -> None:
    article, _, expected = _parsed(case, make_site, name)
    assert article.published_raw == expected["published_raw"]
    stamp = timestamps.parse(article.published_raw)
    assert stamp is not None
    assert (stamp.at.isoformat(), stamp.precision) == (expected["published_at"], expected["precision"])


@pytest.mark.parametrize("name", ARTICLES)
def test_the_text_has_nothing_from_around_the_article(case: Case, make_site: Callable[..., Site], name: str) -> None:
    article, _, expected = _parsed(case, make_site, name)
    text = f"{article.lead}\n{article.body_text}"
    assert [part for part in expected["forbidden"] if part in text] == []


@pytest.mark.parametrize("name", ARTICLES)
def test_the_visit_box_is_read_as_numbers(case: Case, make_site: Callable[..., Site], name: str) -> None:
    _, counters, expected = _parsed(case, make_site, name)
    found = [counters.today, counters.yesterday, counters.this_week, counters.this_month, counters.total]
    assert found == expected["counters"]


@pytest.mark.parametrize("name", ARTICLES)
def test_pictures_of_the_article_are_found(case: Case, make_site: Callable[..., Site], name: str) -> None:
    article, _, expected = _parsed(case, make_site, name)
    assert [image.url for image in article.images] == expected["images"]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_gives_its_entries_with_their_dates(case: Case, make_site: Callable[..., Site], name: str) -> None:
    page, expected = case(f"danvan_portal/{name}")
    listing = load_family(make_site(section=page.url)).parse_section(page)
    entries = {link["url"]: link for link in expected["links"]}
    found = {link.url: link for link in listing.links}
    assert set(entries) <= set(found)
    assert set(found) <= set(entries) | set(expected["optional"])
    for url, entry in entries.items():
        assert found[url].title == entry["title"]
        assert (found[url].published_raw is None) == (entry["date"] is None)
        assert (entry["date"] or "") in (found[url].published_raw or "")


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_gives_its_next_page(case: Case, make_site: Callable[..., Site], name: str) -> None:
    page, expected = case(f"danvan_portal/{name}")
    assert load_family(make_site(section=page.url)).parse_section(page).next_url == expected["next_page"]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_not_an_article(case: Case, make_site: Callable[..., Site], name: str) -> None:
    page, _ = case(f"danvan_portal/{name}")
    found = load_family(make_site()).parse_article(page)
    assert [item for item in found if isinstance(item, Article)] == []
