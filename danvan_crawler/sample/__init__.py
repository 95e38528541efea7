"""The bundled sample portal: a small Party site in the danvan_portal layout, served on loopback.

`danvan demo` crawls it to show a complete crawl without a network, and the end-to-end tests compare the items of a
crawl with the portal's content. All content is invented.

    content/articles.toml   the content: sections, articles, documents, and the edits of edition 2
    _content.py             reads it into SampleArticle, which has the values of a correct item of that article
    _media.py               pictures and PDF files, drawn in code
    _html.py                the pages' markup
    portal.py               pure function from path and query to a page
    server.py               SamplePortal: serves these pages over HTTP/1.1
    profile.py              the site profile for crawling it

The portal has two editions. The second one changes an article under its old address and publishes a new one, like a
portal on the next day.
"""

from __future__ import annotations

from danvan_crawler.sample.portal import SampleArticle, articles
from danvan_crawler.sample.profile import profile_toml
from danvan_crawler.sample.server import SamplePortal

__all__ = ["SampleArticle", "SamplePortal", "articles", "profile_toml"]
