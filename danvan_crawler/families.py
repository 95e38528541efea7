"""What a family is: the parser for one CMS platform, in one vocabulary of hooks.

`section_requests`, `parse_section`, `parse_article` have these names in every family, in this order. A family reads the
response that it is given and nothing else, no clock, network or settings, so that a live page, a fixture and a WARC
record are the same thing to it. Families live in `spiders/families`, one module each, and are loaded by name at run
time: this library never imports them.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from scrapy import Request
from scrapy.http import Response, TextResponse

from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.text import decoded
from danvan_crawler.sites.profile import Site


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """One entry of a listing."""

    url: str
    title: str
    published_raw: str | None = None
    """The date line beside the entry, None when it shows none."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one page of a section shows."""

    links: tuple[ArticleLink, ...]
    next_url: str | None = None
    is_feed: bool = False
    """Read from a feed or sitemap."""


FEED = "(feed)"
"""`meta["section"]` of a request for a feed or sitemap that names articles of all sections. It is asked for on walks
that do not know a section to its end, may be missing, and gives its articles no section."""
SITE_WIDE = "site_wide"
"""Key in `meta` of a request for a feed that ought to name what is new in all sections: one that proves to do so may be
asked in the place of listings."""


class Family(ABC):
    """Base of the families. One instance parses one site."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Goes up when the same page would give other items; stands in `Article.extractor`."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def section_requests(self) -> Iterator[Request]:
        """One request for the first page of each section; `meta["section"]` is the section's name, or FEED.

        Of feeds that cover the whole site `meta` also has SITE_WIDE.
        """
        for section in self.site.sections:
            yield Request(section.url, meta={"section": section.name})

    @abstractmethod
    def parse_section(self, response: TextResponse) -> Listing:
        """The articles that a listing page links, in its order, and its next page."""

    @abstractmethod
    def parse_article(self, response: TextResponse) -> Iterable[Article | VisitCounters]:
        """The article on a page, none when the page holds none, and the numbers of its visit box."""

    def _selectors(self, response: Response) -> Mapping[str, str]:
        """The profile's overrides that hold for a page captured when this one was."""
        return self.site.selectors_at(captured_at(response))


def captured_at(response: Response) -> str:
    """WARC-Date of the response; empty outside a crawl or rebuild."""
    capture = response.meta.get("capture") if response.request is not None else None
    return capture.date if capture is not None else ""


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


def extract(family: Family, response: Response) -> Iterator[Article | VisitCounters]:
    """The items of one archived response: what the family reads, with what the profile and the capture know.

    This is the one way from bytes to items; a crawl and a rebuild both go it.
    """
    if not isinstance(response, TextResponse):
        return
    capture = response.meta["capture"]
    for found in family.parse_article(response):
        if isinstance(found, Article):
            found.site, found.province, found.body = family.site.slug, family.site.province, family.site.body
            found.rights = family.site.rights
            found.extractor = f"{family.name}/{family.version}"
            found.captured_at = capture.date
            found.warc_file, found.warc_offset = capture.warc_file, capture.warc_offset
            found.warc_record_id, found.payload_digest = capture.warc_record_id, capture.payload_digest
            if (disagreement := decoded(response).disagreement) is not None:
                found.warnings.append(disagreement)
        yield found
