"""What hangs on an article page: its pictures and attachments, which have to be archived with it.

They are crawl state of their own: rows of the frontier without a section. So a run that is stopped between an article
and its pictures leaves them to the next one, and a dead picture is asked for once.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache
from html import unescape
from urllib.parse import urljoin

from scrapy.http import TextResponse
from w3lib.html import get_base_url
from w3lib.url import safe_url_string

from danvan_crawler.items import Article
from danvan_crawler.pages import text_of
from danvan_crawler.urls import host_of, path_key

NO_SECTION = ""
"""Section of a requisite in the frontier; sections of a profile always have a name."""
FINAL_STATUSES = frozenset({404, 410})
"""Answers that say that there is no such file; asking again at the next run would give the same."""
_BASE_WITHIN = 4096
"""Characters in which a page's <base> is looked for, as Scrapy does."""
_PICTURE = re.compile(r"""(?i)<img\b[^>]*?\s(?:data-src|data-original|src)\s*=\s*["']?([^"'\s>]+)""")


def requisite_urls(response: TextResponse, article: Article, hosts: Container[str]) -> list[str]:
    """Addresses of an article's images and attachments and of the page's other pictures, each once, on these hosts."""
    linked = [image.url for image in article.images] + [file.url for file in article.attachments]
    text = text_of(response)
    base = get_base_url(text[:_BASE_WITHIN], response.url)
    # What begins at the root is the same wherever on the site it stands, and menus repeat it on every page.
    front = urljoin(base, "/")
    pictures = (
        _absolute(front if src.startswith("/") else base, unescape(src))
        for src in dict.fromkeys(_PICTURE.findall(text))
    )
    found = (url for url in (*linked, *pictures) if url is not None and host_of(url) in hosts)
    return list({path_key(url): url for url in reversed(list(found))}.values())[::-1]


@lru_cache(maxsize=16384)
def _absolute(base: str, src: str) -> str | None:
    try:
        url: str = safe_url_string(urljoin(base, src)).split("#", 1)[0]
        host_of(url)
    except ValueError:  # "http://[" and the like
        return None
    return url if url.lower().startswith(("http://", "https://")) else None
