"""What a stylesheet refers to, by the tokens of CSS Syntax Level 3: comments, strings, url() and @import.

A regular expression is enough for these four, and takes time in proportion to the sheet's length. A parser of whole
stylesheets (tinycss2) finds the same addresses and takes thirty times as long.
"""

from __future__ import annotations

import re
from codecs import lookup

from w3lib.encoding import read_bom, resolve_encoding

_DOUBLE, _SINGLE = r'"((?:[^"\\\n]|\\.)*+)"', r"'((?:[^'\\\n]|\\.)*+)'"
_GAP = r"(?:\s|/\*.*?\*/)*+"
_TOKEN = re.compile(
    r"/\*.*?(?:\*/|\Z)"
    rf"|url\(\s*+(?:{_DOUBLE}|{_SINGLE}|((?:[^\"'()\\\s]|\\.)*+))\s*+\)"
    rf"|@import{_GAP}(?:{_DOUBLE}|{_SINGLE})"
    r"|@namespace\b[^;{}@]*+"  # names a vocabulary, no file
    r"|(image-set\()|([;{}])"
    rf"|(?:type|format|local)\(\s*+(?:{_DOUBLE}|{_SINGLE})".replace("((?:", "(?:(?:")
    + rf"|{_DOUBLE}|{_SINGLE}|[\"']",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|\s)?|(\r\n|[\n\r\f])|(.))", re.DOTALL)
_CHARSET = re.compile(rb'@charset "([!#-~]{1,40})";')
_LAST_CHARACTER = 0x10FFFF
_SET, _END_OF_SET = 6, 7
"""Groups of `image-set(`, in which bare strings are addresses, and of what it cannot go beyond."""
_STRINGS = (8, 9)
"""Groups of a bare string; those before `_SET` are addresses wherever they stand."""


def sheet_refs(css: str) -> list[str]:
    """The references of a stylesheet or a style attribute, in their order, as written but for escapes.

    >>> sheet_refs('@import "a.css"; b { background: url(c\\\\20 d.png) /* url(no.png) */; content: "url(no.png)" }')
    ['a.css', 'c d.png']
    """
    found = []
    in_set = False
    for token in _TOKEN.finditer(css):
        group = token.lastindex
        if group is None:
            continue
        if group in (_SET, _END_OF_SET):
            in_set = group == _SET
        elif group not in _STRINGS or in_set:
            found.append(unescape(token[group]))
    return found


def unescape(text: str) -> str:
    r"""CSS text without its escapes (CSS Syntax Level 3, section 4.3.7).

    >>> unescape(r"a\28 1\29.png")
    'a(1).png'
    """
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[3] or ""  # an escaped line break is no character at all
    number = int(match[1], 16)
    return "\ufffd" if number == 0 or number > _LAST_CHARACTER or 0xD800 <= number < 0xE000 else chr(number)


def sheet_text(body: bytes, declared: str | None) -> str:
    """A stylesheet's text. Byte order mark, HTTP header (`declared`), @charset in this order, else UTF-8 if it is that.

    CSS Syntax Level 3, section 3.2. Never raises: what no charset explains becomes U+FFFD.
    """
    marked, mark = read_bom(body)
    if marked is not None and mark is not None:
        return body[len(mark) :].decode(marked, "replace")
    named = _CHARSET.match(body)
    for name in (declared, named[1].decode("ascii") if named is not None else None):
        charset = resolve_encoding(name) if name else None
        if charset is not None and _is_text(charset):
            return body.decode(charset, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _is_text(charset: str) -> bool:
    """Whether a codec gives text: Python also has some that give bytes."""
    return lookup(charset)._is_text_encoding
