"""Feeds and sitemaps: XML with addresses of articles.

Their dates are not read. `lastmod` may be the last edit, and some portals print the month instead of the minutes in
`pubDate`; neither is displayed to readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from parsel import Selector

from danvan_crawler.items import ArticleLink
from danvan_crawler.pages.page import Page
from danvan_crawler.urls import canonical, path_key
from spiders.extract.outline import absolute, squeeze

_ROOT = re.compile(r"[\s\ufeff]*(?:<[?!][^>]*>\s*)*<(?:\w+:)?(?:rss|RDF|feed|urlset|sitemapindex)\b")
_ROOT_WITHIN = 4096
"""The first element has to begin within these characters, so that HTML pages are not searched to their end."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Content of one feed, sitemap or sitemap index."""

    links: tuple[ArticleLink, ...] = ()
    """Articles in order, each address once, without dates; a sitemap has no titles."""
    sitemaps: tuple[str, ...] = ()
    """Addresses of the sitemaps that an index names."""


def read_feed(page: Page) -> Feed | None:
    """Parse an RSS or Atom feed, a sitemap or a sitemap index; None for anything else. Never raises on bad XML."""
    text = page.text
    if not _ROOT.match(text[:_ROOT_WITHIN]):
        return None
    root = Selector(text=text, type="xml")
    found: dict[str, ArticleLink] = {}
    for entry in root.xpath('//*[local-name()="item" or local-name()="entry" or local-name()="url"]'):
        title = entry.xpath('string(*[local-name()="title"])').get() or ""
        for address in _addresses(entry):
            url = absolute(page.url, address)
            if url is not None:
                found.setdefault(path_key(url), ArticleLink(canonical(url), squeeze(unescape(title))))
    sitemaps = root.xpath('//*[local-name()="sitemap"]/*[local-name()="loc"]/text()').getall()
    absolutes = (absolute(page.url, address) for address in sitemaps)
    return Feed(tuple(found.values()), tuple(dict.fromkeys(url for url in absolutes if url is not None)))


def _addresses(entry: Selector) -> list[str]:
    """The first address of an entry: RSS has it in `link`, Atom in `link/@href`, a sitemap in `loc`."""
    found = entry.xpath(
        '*[local-name()="link" or local-name()="loc"]/text()'
        ' | *[local-name()="link"][not(@rel) or @rel="alternate"]/@href'
    )
    return [address for address in found.getall() if address.strip()][:1]
