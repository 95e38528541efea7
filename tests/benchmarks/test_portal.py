"""The pages that are crawled: the same everywhere, of the size they should have, and of the layout they should have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from portal import PICTURES, SECTIONS, Portal, listing_path, profile

from danvan_crawler import _layout
from danvan_crawler.families import Family, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.vietnamese import timestamps

pytestmark = pytest.mark.soak

HOME = "http://127.0.0.1:8080"
PORTAL = Portal(60, 8)
KNOWN = "332f3dcd25e9accb58fe09d3958032d5da4dd235461ab6a47bf57d93cc1bda65"


@pytest.fixture(scope="module")
def family() -> Family:
    _layout.activate()
    return load_family(Site.parse(profile("do-mot", 8080)))


def test_the_same_numbers_give_the_same_bytes_on_every_machine() -> None:
    """Another digest means other pages: figures of before and after are then not to be compared."""
    digest = hashlib.sha256()
    for name, content in Portal(16, 4).files():
        digest.update(name.encode() + content)
    assert digest.hexdigest() == KNOWN


def test_pages_are_of_30_to_60_kilobytes() -> None:
    portal = Portal(400, 8)
    sizes = [len(portal.article(number)[1]) for number in range(portal.pages)]
    assert min(sizes) >= 30_000
    assert max(sizes) <= 60_000
    assert max(sizes) - min(sizes) > 15_000


@pytest.mark.parametrize("number", range(PORTAL.pages))
def test_the_family_reads_every_article_right(make_page: Callable[..., Page], family: Family, number: int) -> None:
    story, body = PORTAL.article(number)
    found = list(family.parse_article(make_page(body, HOME + story.path)))
    (article,) = [item for item in found if isinstance(item, Article)]
    assert [type(item) for item in found if not isinstance(item, Article)] == [VisitCounters]
    read = (article.title, article.lead, article.body_text, article.section, article.author, tuple(article.tags))
    assert read == (
        story.title, story.lead, "\n".join(story.paragraphs), story.section, story.author, story.tags
    )  # fmt: skip
    assert article.published_raw == story.published_raw
    assert [image.url for image in article.images] == [HOME + story.photo]
    stamp = timestamps.parse(article.published_raw)
    assert stamp is not None
    assert stamp.at.replace(tzinfo=None) == story.published


@pytest.mark.parametrize("section", SECTIONS)
def test_the_family_walks_every_listing_to_its_end(
    make_page: Callable[..., Page], family: Family, section: str
) -> None:
    for page in range(1, PORTAL.listings_a_section + 1):
        path = listing_path(section, page)
        listing = family.parse_section(make_page(PORTAL.listing(section, page), HOME + path))
        assert {HOME + PORTAL.path(number) for number in PORTAL.listed(section, page)} <= {
            link.url for link in listing.links
        }
        last = page == PORTAL.listings_a_section
        assert listing.next_url == (None if last else HOME + listing_path(section, page + 1))


def test_every_article_is_in_one_listing() -> None:
    listed = [
        number
        for section in SECTIONS
        for page in range(1, PORTAL.listings_a_section + 1)
        for number in PORTAL.listed(section, page)
    ]
    assert sorted(listed) == list(range(PORTAL.pages))


def test_every_link_and_picture_of_the_host_exists(tmp_path: Path) -> None:
    PORTAL.write(tmp_path)
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) == PORTAL.pages + PORTAL.listings
    links = {
        link for page in pages for link in re.findall(r'(?:href|src)="(/[^"#]*)"', page.read_text(encoding="utf-8"))
    }
    missing = [link for link in links if not (tmp_path / f"{link[1:]}{'index.html' * link.endswith('/')}").is_file()]
    assert missing == []
    assert len(list(tmp_path.rglob("*.png"))) == PICTURES


@pytest.mark.parametrize(("pages", "listings"), [(100, 6), (100, 0), (3, 4)])
def test_a_portal_that_cannot_be_spread_over_its_sections_is_refused(pages: int, listings: int) -> None:
    with pytest.raises(ValueError, match="must be a multiple of 4"):
        Portal(pages, listings)
