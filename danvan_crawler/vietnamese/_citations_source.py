"""Text normalised for the citation patterns, with a map back to the printed characters.

This is `_stamp_view` with one step before it: feeds and NukeViet titles hold 464-QĐ&#x002F;TU, so the remaining
entities are decoded, and the position of each is kept.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from danvan_crawler.vietnamese._stamp_view import View, view

# A text may have been encoded twice or thrice, `&amp;#x2F;`; a name needs its semicolon.
_ENTITY = re.compile(r"&(?:amp;){0,3}(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_AMPERSANDS = re.compile(r"&(?:amp;)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """`shown` is what patterns match, `lower` the same in lower case, of the same length."""

    text: str
    seen: View
    # Position in `text` of each decoded character, and the end of the last one; None if nothing was decoded.
    places: list[int] | None

    @property
    def shown(self) -> str:
        return self.seen.shown

    @property
    def lower(self) -> str:
        return self.seen.lower

    def raw(self, start: int, end: int) -> str:
        """The original characters behind shown[start:end], which must not be empty."""
        if self.places is None:
            return self.seen.raw(start, end)
        first, last = start, end
        if self.seen.starts is not None and self.seen.ends is not None:
            first, last = self.seen.starts[start], self.seen.ends[end - 1]
        return self.text[self.places[first] : self.places[last]]


def read(text: str) -> Source:
    """Return the source of any string.

    >>> source = read("số 20-QĐ&#x002F;TW")
    >>> source.shown, source.raw(3, 11)
    ('số 20-QĐ/TW', '20-QĐ&#x002F;TW')
    """
    places: list[int] | None = None
    decoded = text
    if "&" in text and _ENTITY.search(text):
        decoded, places = _decoded(text)
    seen = view(decoded)
    return Source(text, seen, places)


def _decoded(text: str) -> tuple[str, list[int]]:
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for entity in _ENTITY.finditer(text):
        start, end = entity.span()
        pieces.append(text[done:start])
        places.extend(range(done, start))
        letters = html.unescape(_AMPERSANDS.sub("&", entity[0]))
        pieces.append(letters)
        places.extend([start] * len(letters))
        done = end
    pieces.append(text[done:])
    places.extend(range(done, len(text) + 1))
    return "".join(pieces), places
