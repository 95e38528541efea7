"""One page: the body of a response and its headers, decoded once and parsed once for all users.

Families, `pages.kind` and `pages.requisites` get the same page, whether it comes from a crawl, an archive or a test.

The text is decoded by evidence, not by declaration (`vietnamese.charset`). Scrapy trusts the header, then the markup,
and without both it uses a detector that took a quarter of a crawl's time (measured on 57 KB pages) and does not support
the Vietnamese code page. Text in TCVN3, VNI and similar charsets is converted to Unicode between tags, in entities and
in visible attributes.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import http_content_type_encoding

from danvan_crawler.pages.limits import within_limits
from danvan_crawler.urls import document_base
from danvan_crawler.vietnamese.charset import Decoded, decode

MARKS = ("\x1e", "\x01", "\x02", "\x03")
"""Control characters that are removed from every tree. Callers may insert them into their own tree to mark places."""
BEGINNING = 200_000
"""Characters of `Page.beginning`."""
_BASE = re.compile(r"<[bB][aA][sS][eE][\s/]")
_WITHOUT_MARKS = dict.fromkeys(map(ord, MARKS), " ")
_MARK_ENTITY = re.compile(r"&#(?:0*(?:1|2|3|30)(?![0-9])|[xX]0*(?:1|2|3|1[eE])(?![0-9a-fA-F]));?")
_COMMENT = re.compile(r"<!--(?!-?>).*?--!?>", re.DOTALL)


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """One page, made once per exchange. Two pages are equal only if they are the same object."""

    url: str
    status: int
    body: bytes
    """Without transfer framing and content coding."""
    _: KW_ONLY
    content_type: str = ""
    """The header Content-Type as it was sent, bytes read as latin-1; empty if there was none."""
    is_text: bool
    """False for a picture, a PDF and the like. Such a page has an empty text and an empty tree."""
    is_html: bool
    captured_at: str = ""
    """WARC-Date of the capture; empty outside a crawl or rebuild."""

    def __repr__(self) -> str:
        return f"<Page {self.status} {self.url}>"

    @cached_property
    def decoded(self) -> Decoded:
        """The text, the charset of the bytes, and the charsets in header and markup."""
        return decode(self.body if self.is_text else b"", http_content_type_encoding(self.content_type))

    @property
    def text(self) -> str:
        """The text; empty for a page that is not text."""
        return self.decoded.text

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The page as a tree, without comments. It is shared and must not be changed (see `own_tree`).

        A page that would take a parser minutes is truncated first (`pages.limits`).
        """
        return _tree_of(self._whole)

    def own_tree(self) -> LexborHTMLParser:
        """A copy of the tree that the caller may change. It takes two fifths of the time of parsing (measured).

        The copy lacks the content of <template> elements, which browsers do not show.
        """
        return self.tree.clone()

    @cached_property
    def beginning(self) -> LexborHTMLParser:
        """The tree of the first BEGINNING characters: `tree` itself for all but the longest pages. Also shared.

        For checks that need only the beginning of a page and must be fast for pages of any length.
        """
        return self.tree if len(self._whole) <= BEGINNING else _tree_of(self._whole[:BEGINNING])

    @cached_property
    def _whole(self) -> str:
        """The text, truncated on hostile pages so that it can be parsed in reasonable time."""
        return within_limits(self.text)

    @cached_property
    def base_url(self) -> str:
        """Base of relative addresses, as in browsers: the page's first <base> if it is valid, else its address."""
        node = self.tree.css_first("base[href]") if _BASE.search(self.text) is not None else None
        return document_base(self.url, node.attributes.get("href") or "") if node is not None else self.url


def _tree_of(text: str) -> LexborHTMLParser:
    if any(mark in text for mark in MARKS):  # a plain search costs a hundredth of the substitution
        text = text.translate(_WITHOUT_MARKS)
    if "&#" in text:
        text = _MARK_ENTITY.sub(" ", text)
    if "<!--" in text:  # a comment in a sentence would break its line
        text = _COMMENT.sub("", text)
    return LexborHTMLParser(text)
