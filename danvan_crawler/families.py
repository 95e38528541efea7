"""A family is the parser for one CMS platform. All families have the same hooks.

The hooks are `section_requests`, `parse_section` and `parse_article`, in this order. A family uses only the given page:
no clock, no network, no settings. So it gives the same result for a live page, a fixture and a WARC record. Families
are in `spiders/families`, one module each, and are loaded by name at run time: this library never imports them.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from w3lib.url import safe_url_string

from danvan_crawler.captures import CaptureRecord
from danvan_crawler.items import Article, ArticleLink, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of one page of a section."""

    links: tuple[ArticleLink, ...]
    next_url: str | None = None
    is_feed: bool = False
    """Read from a feed or sitemap."""


FEED = "(feed)"
"""Section of a feed or sitemap that names articles of all sections. It is requested on walks through all pages of a
section, it may be missing, and its articles get no section from it."""


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """A start page: the first page of a section, or a feed."""

    url: str
    """Percent-encoded, as it is sent."""
    section: str
    """Name of the section, or FEED."""
    is_site_wide: bool = False
    """A feed that should name what is new in all sections. If it proves to, it may be requested instead of listings."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", safe_url_string(self.url))


class Family(ABC):
    """Base of the families. One instance parses one site."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Increased if the same page gives other items; part of `Article.extractor`."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def section_requests(self) -> Iterator[SectionRequest]:
        """The first page of each section, and feeds if the platform has any."""
        for section in self.site.sections:
            yield SectionRequest(section.url, section.name)

    @abstractmethod
    def parse_section(self, page: Page) -> Listing:
        """The articles that a listing page links, in order, and its next page."""

    @abstractmethod
    def parse_article(self, page: Page) -> Iterable[Article | VisitCounters]:
        """The article on a page, if there is one, and the numbers of its visit box."""

    def _selectors(self, page: Page) -> Mapping[str, str]:
        """The profile's overrides that are valid for the day on which the page was captured."""
        return self.site.selectors_at(page.captured_at)


def load_family(site: Site) -> Family:
    """The parser of a site. Needs `_layout.activate()`; the name was checked when the profile was read."""
    module = importlib.import_module(f"spiders.families.{site.family}")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Family) and value.__module__ == module.__name__
    ]
    (family,) = [value for value in classes if not value.__name__.startswith("_")]
    return family(site)


def extract(family: Family, page: Page, capture: CaptureRecord) -> Iterator[Article | VisitCounters]:
    """The items of one archived page, with the fields that come from the profile and the capture.

    This is the only way from bytes to items, for a crawl and for a rebuild.
    """
    if not page.is_text:
        return
    for found in family.parse_article(page):
        if isinstance(found, Article):
            found.site, found.province, found.body = family.site.slug, family.site.province, family.site.body
            found.rights = family.site.rights
            found.extractor = f"{family.name}/{family.version}"
            found.captured_at = capture.date
            found.warc_file, found.warc_offset = capture.warc_file, capture.warc_offset
            found.warc_record_id, found.payload_digest = capture.warc_record_id, capture.payload_digest
            if (disagreement := page.decoded.disagreement) is not None:
                found.warnings.append(disagreement)
        yield found
