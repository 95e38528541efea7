"""One page: the body of an answer with what was said about it, decoded once and parsed once for all its readers.

Families, verdicts (`pages.kind`) and requisites (`pages.requisites`) get the same page. None of them sees where it came
from: a crawl, an archive or a test.

The text is decoded by evidence and not by declaration (`vietnamese.charset`). Scrapy believes the header, then the
markup, and if both are silent it asks a detector that took a quarter of a crawl's time (measured on 57 KB pages) and
that knows no Vietnamese code page. Text in TCVN3, VNI and the like comes out as Unicode, between tags, in entities and
in attributes that are shown; so every reader of a page sees the same letters.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import http_content_type_encoding
from w3lib.html import get_base_url

from danvan_crawler.pages.limits import within_limits
from danvan_crawler.vietnamese.charset import Decoded, decode

MARKS = ("\x1e", "\x01", "\x02", "\x03")
"""Control characters that no tree of a page holds. Readers can put them into a tree of their own, to mark places."""
BEGINNING = 200_000
"""Characters of `Page.beginning`."""
_BASE_WITHIN = 4096
"""Characters in which a page's <base> is looked for, as Scrapy does."""
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
        """The text, the charset of the bytes, and what header and markup say about it."""
        return decode(self.body if self.is_text else b"", http_content_type_encoding(self.content_type))

    @property
    def text(self) -> str:
        """The text; empty for a page that is not text."""
        return self.decoded.text

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The page as a tree, without comments. All readers share it, so none may change it (see `own_tree`).

        A page that would take a parser minutes is cut first (`pages.limits`).
        """
        return _tree_of(self._whole)

    def own_tree(self) -> LexborHTMLParser:
        """A copy of the tree that its reader may change. It takes two fifths of the time of parsing (measured).

        The copy lacks what is inside <template> elements, which no browser shows.
        """
        return self.tree.clone()

    @cached_property
    def beginning(self) -> LexborHTMLParser:
        """The tree of the first BEGINNING characters: `tree` itself for all but the longest pages. Shared as well.

        It is for questions that the beginning of a page answers, and that have to cost little for a page of any length.
        """
        return self.tree if len(self._whole) <= BEGINNING else _tree_of(self._whole[:BEGINNING])

    @cached_property
    def _whole(self) -> str:
        """All of the text that can be parsed in a reasonable time: for all pages but hostile ones the text itself."""
        return within_limits(self.text)

    @cached_property
    def base_url(self) -> str:
        """What relative addresses are relative to for a browser: the page's <base>, else its address."""
        base: str = get_base_url(self.text[:_BASE_WITHIN], self.url)
        return base


def _tree_of(text: str) -> LexborHTMLParser:
    if any(mark in text for mark in MARKS):  # a plain search costs a hundredth of the substitution
        text = text.translate(_WITHOUT_MARKS)
    if "&#" in text:
        text = _MARK_ENTITY.sub(" ", text)
    if "<!--" in text:  # a comment in a sentence would break its line
        text = _COMMENT.sub("", text)
    return LexborHTMLParser(text)
