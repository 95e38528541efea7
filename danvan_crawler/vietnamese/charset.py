"""The charset of a page: from its bytes first, then from header and markup, then from its letters.

Portals declare the charset of their template, not of their text. The bytes are better evidence: text in any other
charset is hardly ever valid UTF-8, so a page that is valid UTF-8 is read as UTF-8, whatever it declares. A page that
declares UTF-8 but is not valid is read in its other declaration, else as windows-1258. That is the Vietnamese code
page, and it has the letters of windows-1252 that French and English need. windows-1258 writes tones as combining marks;
the result is composed (NFC).

Portals of the 2000s wrote for special fonts: TCVN3, VNI or VISCII in pages that declare windows-1252 or no charset,
later pasted into UTF-8 pages letter by letter. No declaration names these charsets, so such text is detected by its
syllables (`_legacy`) and decoded where it is visible, before TCVN3's ư, a soft hyphen, can be dropped.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from danvan_crawler.vietnamese._legacy_markup import decode_markup, may_be_legacy
from danvan_crawler.vietnamese._legacy_tables import DECODERS, western

_META = re.compile(rb"""(?i)<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.-]{2,40})""")
_EVERY_BYTE = bytes(range(256))
_HEAD_BYTES = 4096
"""Bytes searched for a declaration in the markup. HTML requires it in the first 1,024, but portals do not comply."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BROKEN_SHARE = 0.25
"""Maximum broken sequences per valid letter in damaged UTF-8; in another charset nearly all are broken."""
_FALLBACK = "cp1258"
# Meaning of these names on the web (WHATWG Encoding Standard, "Names and labels"). windows-1252 pages from Viet Nam
# with bytes outside of ASCII are usually windows-1258; for the others both charsets give the same letters.
_WEB_NAMES = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}
_ONE_BYTE = ("cp125", "iso8859", "koi8", "mac")
"""Prefixes of Python's names of one-byte charsets. Nearly every byte is a letter in them, so legacy text is valid."""
_LEGACY_NAMES = {
    "viscii": "VISCII",
    "csviscii": "VISCII",
    "tcvn": "TCVN3",
    "tcvn-5712": "TCVN3",
    "x-viet-tcvn5712": "TCVN3",
    "x-viet-vni": "VNI",
}
"""Names in pages for charsets that Python does not have: IANA's, glibc's and Mozilla's."""


_NON_WEB_CODECS = frozenset(("unicode-escape", "raw-unicode-escape", "utf-7"))
"""Python codecs that no browser has; they would produce surrogates, or hide markup."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text and the evidence for its charset."""

    text: str
    charset: str
    """Python's name of the charset that was used, or TCVN3, VNI or VISCII."""
    header: str | None = None
    """Charset in the header, by the same names; None if there is no known one."""
    markup: str | None = None
    """Charset in the markup, in the same way."""
    legacy: str | None = None
    """The charset of text within the page that was decoded by its letters: TCVN3, VNI, VISCII, windows-1258, or
    `UTF-8 twice` for UTF-8 that had been read as windows-1252; None without any."""

    @property
    def declared(self) -> str | None:
        """The charset in the header, else the one in the markup."""
        return self.header or self.markup

    @property
    def disagreement(self) -> str | None:
        """A warning if header, markup, bytes and letters do not agree on the charset; None if they agree.

        >>> decode("Tỉnh ủy".encode(), "windows-1252").disagreement
        'charset: header says windows-1252, bytes are utf-8'
        """
        said = {"header": self.header, "markup": self.markup}
        if self.header == self.markup:
            said = {"header and markup": self.header}
        wrong = [
            f"{who} {'say' if ' ' in who else 'says'} {_shown(name)}"
            for who, name in said.items()
            if name not in (None, self.charset)
        ]
        if self.legacy is not None and self.declared is None:
            wrong = ["nothing is declared"]
        found = [f"bytes are {_shown(self.charset)}"]
        if self.legacy not in (None, self.charset):
            found.append(f"letters are {self.legacy}")
        if self.text.isascii() or (not wrong and len(found) == 1):
            return None
        return "charset: " + ", ".join([*wrong, *found])


def decode(body: bytes, header: str | None = None) -> Decoded:
    """Decode a page. `header` is the charset in Content-Type. Never raises; broken bytes become U+FFFD.

    >>> decode("Tỉnh ủy".encode(), "windows-1252").text
    'Tỉnh ủy'
    >>> decode("dân vâòn".encode("cp1252"), "utf-8").text
    'dân vận'
    >>> decode("<p>TØnh ñy Qu¶ng Ng·i</p>".encode("latin-1"), "iso-8859-1").text
    '<p>Tỉnh ủy Quảng Ngãi</p>'
    """
    in_header, in_markup = _known(header), _declared_in_markup(body)
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return _with_legacy_decoded(
                body, body[len(mark) :].decode(charset, "replace"), charset, in_header, in_markup
            )
    declared = in_header or in_markup
    if declared in ("utf-16-le", "utf-16-be", "utf-16") and b"\0" in body[:64]:
        return Decoded(body.decode(declared, "replace"), declared, in_header, in_markup)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return _with_legacy_decoded(
            body, text, declared or "utf-8" if text.isascii() else "utf-8", in_header, in_markup
        )
    repaired = body.decode("utf-8", "replace")
    if _is_damaged_utf8(repaired):
        return _with_legacy_decoded(body, repaired, "utf-8", in_header, in_markup)
    return _decode_one_byte(body, in_header, in_markup)


def _with_legacy_decoded(body: bytes, text: str, charset: str, header: str | None, markup: str | None) -> Decoded:
    """A page whose byte charset is certain, but which may contain legacy text."""
    legacy = None
    if may_be_legacy(body, text):
        text, legacy = decode_markup(text)
    return Decoded(text, charset, header, markup, legacy)


def _decode_one_byte(body: bytes, header: str | None, markup: str | None) -> Decoded:
    """A page that is not UTF-8: as declared, unless the declared charset accepts any bytes and the text is legacy."""
    charset = next((name for name in (header, markup) if name not in (None, "utf-8")), None) or _FALLBACK
    if charset in DECODERS:
        return Decoded(DECODERS[charset](western(body)), charset, header, markup, charset)
    if charset.startswith(_ONE_BYTE):
        seen = western(body)
        text, legacy = decode_markup(seen)
        # windows-1258 is decoded below as a whole: that needs no guess and includes the invisible parts of the page.
        if legacy not in (None, "windows-1258"):
            return Decoded(text, legacy if legacy in DECODERS else charset, header, markup, legacy)
    if charset in ("cp1252", "cp1258"):
        text = unicodedata.normalize("NFC", body.decode(_FALLBACK, "replace"))
        same = charset == "cp1252" and text == western(body)
        return Decoded(text, "cp1252" if same else _FALLBACK, header, markup)
    return Decoded(body.decode(charset, "replace"), charset, header, markup)


def _is_damaged_utf8(repaired: str) -> bool:
    """Whether text decoded with replacements is UTF-8 with a few broken bytes: a truncated page, a bad file."""
    broken = repaired.count("\ufffd")
    letters = sum(1 for character in repaired if character > "\x7f") - broken
    return broken <= max(1, _BROKEN_SHARE * letters) and letters > 0


def _declared_in_markup(body: bytes) -> str | None:
    match = _META.search(body[:_HEAD_BYTES])
    return _known(match[1].decode("ascii", "replace")) if match else None


@lru_cache(maxsize=256)
def _known(name: str | None) -> str | None:
    """Python's name of a charset that a page names; None if it is unknown or not for pages."""
    if not name:
        return None
    cleaned = name.strip().strip("\"'").lower()
    if cleaned in _LEGACY_NAMES:
        return _LEGACY_NAMES[cleaned]
    try:
        found = codecs.lookup(_WEB_NAMES.get(cleaned, cleaned))
        if found.name in _NON_WEB_CODECS:
            return None
        # Python also has codecs for other purposes (`undefined`, `idna`, `hex`), which fail or do not give text.
        _EVERY_BYTE.decode(found.name, "replace")
    except (LookupError, ValueError):
        return None
    return found.name


def _shown(charset: str | None) -> str:
    """A charset by its usual name in pages."""
    return re.sub("^cp(?=125)", "windows-", charset or "nothing")
