"""The family nukeviet on pages of its versions and views, in text and markup of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from danvan_crawler.families import Listing, load_family
from danvan_crawler.items import Article
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import timestamps

Case = Callable[[str], tuple[Page, dict[str, Any]]]
Sites = Callable[..., Site]
ARTICLES = [
    "article-3.4", "article-3.4-modern", "article-4.0.00", "article-4.0.10", "article-4.0.29", "article-4.5",
    "article-egov", "article-no-time", "article-own-theme", "article-real-midnight",
]  # fmt: skip
LISTINGS = [
    "listing-3.4", "listing-3.4-modern", "listing-front-page", "listing-grid", "listing-last-page", "listing-list",
    "listing-main", "listing-module-prefix", "listing-own-theme", "listing-page-new", "listing-page-old",
    "listing-two-column",
]  # fmt: skip
OTHERS = ["other-about", "other-contact", "other-no-permission", "other-search", "other-siteterms", "other-tag"]


def _article(case: Case, make_site: Sites, name: str) -> tuple[Article, dict[str, Any]]:
    page, expected = case(f"nukeviet/{name}")
    (article,) = load_family(make_site(family="nukeviet")).parse_article(page)
    assert isinstance(article, Article)
    return article, expected


def _listing(case: Case, make_site: Sites, name: str) -> tuple[Listing, dict[str, Any]]:
    page, expected = case(f"nukeviet/{name}")
    return load_family(make_site(family="nukeviet")).parse_section(page), expected


@pytest.mark.parametrize("name", ARTICLES)
@pytest.mark.parametrize(
    "field", ["title", "lead", "body_text", "section", "author", "source", "published_raw", "canonical_url", "tags"]
)
def test_an_article_page_gives_each_field(case: Case, make_site: Sites, name: str, field: str) -> None:
    article, expected = _article(case, make_site, name)
    assert getattr(article, field) == expected[field]


@pytest.mark.parametrize("name", ARTICLES)
def test_the_displayed_date_line_is_the_time_of_publication(case: Case, make_site: Sites, name: str) -> None:
    article, expected = _article(case, make_site, name)
    stamp = timestamps.parse(article.published_raw or "")
    assert stamp is not None
    assert article.published_from == "visible"
    assert stamp.at.isoformat() == expected["published_at"]
    assert (article.published_precision or stamp.precision) == expected["precision"]


@pytest.mark.parametrize("name", ARTICLES)
def test_the_text_has_nothing_from_around_the_article(case: Case, make_site: Sites, name: str) -> None:
    article, expected = _article(case, make_site, name)
    text = f"{article.lead}\n{article.body_text}\n{article.title}"
    assert [part for part in expected["forbidden"] if part in text] == []


@pytest.mark.parametrize("name", ARTICLES)
def test_pictures_are_found_with_their_captions(case: Case, make_site: Sites, name: str) -> None:
    article, expected = _article(case, make_site, name)
    assert [[image.url, image.caption] for image in article.images] == expected["images"]


@pytest.mark.parametrize("name", ARTICLES)
def test_attachments_are_those_of_the_list_below_the_text(case: Case, make_site: Sites, name: str) -> None:
    article, expected = _article(case, make_site, name)
    assert [[file.url, file.name] for file in article.attachments] == expected["attachments"]


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_has_the_site_and_no_parsed_times(case: Case, make_site: Sites, name: str) -> None:
    article, _ = _article(case, make_site, name)
    assert (article.site, article.published_at, article.updated_at) == ("vi-du-danvan", None, None)


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_gives_its_entries_in_order(case: Case, make_site: Sites, name: str) -> None:
    listing, expected = _listing(case, make_site, name)
    assert [(link.url, link.title) for link in listing.links] == [
        (link["url"], link["title"]) for link in expected["links"]
    ]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_gives_the_dates_that_it_shows(case: Case, make_site: Sites, name: str) -> None:
    listing, expected = _listing(case, make_site, name)
    for link, entry in zip(listing.links, expected["links"], strict=True):
        assert (link.published_raw is None) == (entry["date"] is None)
        assert (entry["date"] or "") in (link.published_raw or "")


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_gives_its_next_page(case: Case, make_site: Sites, name: str) -> None:
    listing, expected = _listing(case, make_site, name)
    assert listing.next_url == expected["next_page"]
    assert listing.is_feed is False


@pytest.mark.parametrize("name", [*LISTINGS, *OTHERS])
def test_a_page_that_is_no_article_gives_none(case: Case, make_site: Sites, name: str) -> None:
    page, _ = case(f"nukeviet/{name}")
    assert list(load_family(make_site(family="nukeviet")).parse_article(page)) == []


@pytest.mark.parametrize("name", ["listing-page-new", "listing-list"])
def test_a_category_whose_name_ends_in_a_number_is_no_article(
    case: Case, make_page: Callable[..., Page], make_site: Sites, name: str
) -> None:
    page, expected = case(f"nukeviet/{name}")
    category = "http://danvan.example.vn/dai-hoi-nhiem-ky-2019-2020/"
    body = page.body.replace(
        b'<div class="panel-body">', f'<h4><a href="{category}">Đại hội nhiệm kỳ này</a></h4>'.encode(), 1
    )
    family = load_family(make_site(family="nukeviet", section=category))
    found = family.parse_section(make_page(body, page.url))
    assert {link.url for link in found.links} == {link["url"] for link in expected["links"]}
