"""Which charset a page is in: from its bytes first, then from what header and markup say.

Portals declare what their template declared. The bytes are better evidence: text in any other charset is hardly ever
valid UTF-8, so a page that is valid UTF-8 is UTF-8, whatever it says. A page that says UTF-8 and is not is read in its
other declaration, or as windows-1258: the Vietnamese code page, which holds the letters of windows-1252 that French and
English text needs. windows-1258 writes tones as combining marks; the result is composed (NFC).
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

_META = re.compile(rb"""(?i)<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.-]{2,40})""")
_HEAD_BYTES = 4096
"""Where a declaration in the markup is looked for; HTML asks for it in the first 1,024 bytes, portals do not know."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BROKEN_SHARE = 0.25
"""Broken sequences per whole letter up to which a page is damaged UTF-8; in another charset nearly all are broken."""
_FALLBACK = "cp1258"
# What these names mean on the web (WHATWG Encoding Standard, "Names and labels"); windows-1252 pages from Viet Nam that
# hold bytes outside of ASCII are windows-1258 as a rule, and equal where it matters where they are not.
_WEB_NAMES = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text and how its charset was found."""

    text: str
    charset: str
    """Python's name of the charset that was used."""
    declared: str | None
    """What the header says, else the markup; Python's name, None when neither says anything that is known."""

    @property
    def disagrees(self) -> bool:
        """Whether the bytes are in another charset than the one declared."""
        return self.declared is not None and self.declared != self.charset


def decode(body: bytes, header: str | None = None) -> Decoded:
    """The text of a page. `header` is the charset that Content-Type names. Never raises; what is broken is U+FFFD.

    >>> decode("Tỉnh ủy".encode(), "windows-1252").text
    'Tỉnh ủy'
    >>> decode("dân vâòn".encode("cp1252"), "utf-8").text
    'dân vận'
    """
    in_header, in_markup = _known(header), _declared_in_markup(body)
    declared = in_header or in_markup
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return Decoded(body[len(mark) :].decode(charset, "replace"), charset, declared)
    if declared in ("utf-16-le", "utf-16-be", "utf-16") and b"\0" in body[:64]:
        return Decoded(body.decode(declared, "replace"), declared, declared)
    try:
        return Decoded(body.decode("utf-8"), "utf-8" if not body.isascii() else declared or "utf-8", declared)
    except UnicodeDecodeError:
        pass
    repaired = body.decode("utf-8", "replace")
    if _is_damaged_utf8(repaired):
        return Decoded(repaired, "utf-8", declared)
    charset = next((name for name in (in_header, in_markup) if name not in (None, "utf-8")), None) or _FALLBACK
    if charset in ("cp1252", "cp1258"):
        return Decoded(unicodedata.normalize("NFC", body.decode(_FALLBACK, "replace")), _FALLBACK, declared)
    return Decoded(body.decode(charset, "replace"), charset, declared)


def _is_damaged_utf8(repaired: str) -> bool:
    """Whether text decoded with replacements is UTF-8 with a few broken bytes: a page cut in a letter, a bad file."""
    broken = repaired.count("\ufffd")
    letters = sum(1 for character in repaired if character > "\x7f") - broken
    return broken <= max(1, _BROKEN_SHARE * letters) and letters > 0


def _declared_in_markup(body: bytes) -> str | None:
    match = _META.search(body[:_HEAD_BYTES])
    return _known(match[1].decode("ascii", "replace")) if match else None


def _known(name: str | None) -> str | None:
    """Python's name of a charset as pages call it; None for one that nobody knows, or that is no text encoding."""
    if not name:
        return None
    cleaned = name.strip().strip("\"'").lower()
    try:
        found = codecs.lookup(_WEB_NAMES.get(cleaned, cleaned))
    except (LookupError, ValueError):
        return None
    return found.name if found._is_text_encoding else None  # what str.encode checks
