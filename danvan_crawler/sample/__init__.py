"""The bundled sample portal: a small Party site in the danvan_portal layout, served on loopback.

`danvan demo` crawls it, so that a newcomer sees the whole way of a page without a network, and the end-to-end tests
compare the items of a crawl with what the portal was given to print. Everything on it is invented.

    content/articles.toml   what is published: sections, articles, documents, and the edits of edition 2
    _content.py             reads it into SampleArticle, which says what a right item of that article holds
    _media.py               pictures and PDF files, drawn in code
    _html.py                the pages' markup
    portal.py               a path and a query in, a page out; pure
    server.py               SamplePortal: the same over HTTP/1.1
    profile.py              the site profile that crawls it

The portal has two editions. The second one rewrites an article under its old address and publishes a new one: what a
crawl a day later would meet.
"""

from __future__ import annotations

from danvan_crawler.sample.portal import SampleArticle, articles
from danvan_crawler.sample.profile import profile_toml
from danvan_crawler.sample.server import SamplePortal

__all__ = ["SampleArticle", "SamplePortal", "articles", "profile_toml"]
