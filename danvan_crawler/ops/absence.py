"""Pages that stand in the place of an article and answer 200 all the same: those that say that it is not there, and
those that say nothing of it, because something else is the matter or nothing came."""

from __future__ import annotations

import re

from scrapy.http import Response, TextResponse
from selectolax.lexbor import LexborHTMLParser

from danvan_crawler.ops.page_kind import LOGIN, page_kind
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
BLANK = "shows next to no text"
"""What is noted of such a page."""
_NEXT_TO_NOTHING = 200
"""Characters of text on a page that broke down: an error of PHP or of a database, or nothing; a menu alone has more."""


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


def is_blank(response: Response) -> bool:
    """Whether a page shows next to no text, as when a portal breaks down and answers 200 all the same.

    To be asked about pages without an article only.
    """
    if not isinstance(response, TextResponse):
        return False
    tree = LexborHTMLParser(text_of(response)[:_WITHIN])
    for node in tree.css("script, style, noscript, title"):
        node.decompose()
    text = tree.body.text(separator=" ") if tree.body is not None else ""
    return len(" ".join(text.split())) < _NEXT_TO_NOTHING


def stands_in_the_way(response: Response, *, redirected: bool) -> str | None:
    """What hides an article for now: `challenge`, `maintenance`, `parked`, or a `login` that the address leads to.

    To be asked about pages without an article only. Nearly every portal has a login box on all of its pages, so that
    one counts only where a redirect has led to it.
    """
    kind = page_kind(text_of(response)) if isinstance(response, TextResponse) else None
    return None if kind == LOGIN and not redirected else kind
