"""Pages that say that an article is not there and answer 200 all the same."""

from __future__ import annotations

import re

from scrapy.http import Response, TextResponse
from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.pages import text_of
from danvan_crawler.vietnamese.text import fold

_SAYS_SO = re.compile(
    r"\b(?:khong tim thay|khong ton tai|khong co (?:bai viet|noi dung|du lieu)|da bi (?:xoa|go|thu hoi)|not found"
    r"|(?:loi|error|http) 404|404 (?:not|error))\b"
)
_LONGEST = 200
"""Characters of a line that says so; a paragraph that tells of a lost document is longer."""
_WITHIN = 200_000
"""Characters of a page that are looked at."""


def says_not_found(response: Response) -> bool:
    """Whether a page's title or one of its short lines says that what was asked for is not there.

    To be asked about pages without an article only.
    """
    if not isinstance(response, TextResponse):
        return False
    tree = LexborHTMLParser(text_of(response)[:_WITHIN])
    lines = [node.text(deep=True) for node in tree.css("title, h1, h2, h3, h4, p, li, td, strong, b")]
    lines += [node.text(deep=False) for node in tree.css("div, span, center, section, article")]
    return any(_SAYS_SO.search(fold(line)) for line in lines if len(line) <= _LONGEST)
