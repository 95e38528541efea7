"""A response's text, decoded once, by evidence and not by declaration (`vietnamese.charset`).

Scrapy believes the header, then the markup, and where both are silent asks a detector that took a quarter of a crawl's
time (measured on 57 KB pages) and that knows no Vietnamese code page. Text in TCVN3, VNI and the like comes out as
Unicode, between tags, in entities and in attributes that are shown; so every reader of a page sees the same letters.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from scrapy.http import TextResponse
from w3lib.encoding import http_content_type_encoding

from danvan_crawler.vietnamese.charset import Decoded, decode

_DECODED: WeakKeyDictionary[TextResponse, Decoded] = WeakKeyDictionary()


def decoded(response: TextResponse) -> Decoded:
    """The text of a response, the charset that its bytes are in, and what header and markup had said."""
    known = _DECODED.get(response)
    if known is None:
        content_type = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        known = _DECODED[response] = decode(response.body, http_content_type_encoding(content_type))
    return known


def text_of(response: TextResponse) -> str:
    """The text of a response."""
    return decoded(response).text
