"""Decodes legacy text on HTML pages where readers see it; the markup is not changed.

Visible text is the text between tags, one paragraph or cell at a time (`T<b>Ø</b>nh` is one word), and attributes
such as `title` and `alt`. Letters may be written as entities (`T&Oslash;nh`). A paragraph without legacy text stays
unchanged, including its entities. Addresses, scripts and comments are never changed.

The whole page is judged at once, because a link of two words is too short to show its charset. A font named `.VnTime`
or `VNI-Times` decides in doubt; it is not enough alone, because templates keep such names after their text was
converted.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from danvan_crawler.vietnamese._legacy import JOINT, decode_lines, has_unicode_letter

_OPAQUE = "\ufdd1"
"""Replaces an entity that is not a letter; a noncharacter like JOINT."""
_NONCHARACTERS = re.compile(f"[{JOINT}{_OPAQUE}]")

_MAX_LENGTH = 2_000_000
"""Longer pages are not decoded. This is two seconds of work, and a hundred times the length of a page of these
portals."""

_MARKUP = re.compile(
    r"<!\[CDATA\[|\]\]>|<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1|\Z)|<[!?/]?([a-z][a-z0-9:]*+)[^<>]*+>",
    re.IGNORECASE | re.DOTALL,
)
_INLINE = re.compile(
    "a|abbr|acronym|b|big|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|nobr|o:p|q|s|samp|small|span|strike|strong|sub"
    "|sup|tt|u|var|wbr",
    re.IGNORECASE,
)
_SHOWN_ATTRIBUTE = re.compile(
    r"""(?i)((?<=[\s"'])(?:title|alt|content|label|summary|placeholder|value)\s*=\s*(["']))(.*?)(\2)""", re.DOTALL
)
_ENTITY = re.compile(r"(?i)&(?:#[0-9]{1,6};?|#x[0-9a-f]{1,5};?|[a-z][a-z0-9]{1,31};)")
_LETTER = re.compile("[\u00a0-\u024f\u0300-\u036fẠ-ỹ€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_FONT = re.compile(r"""(?i)(?:\bface\s*=\s*|\bfont-family\s*:\s*)(?:["']|&quot;)*(\.vn|vni-)""")
_FONTS = {".vn": "TCVN3", "vni-": "VNI"}

_SIGNS = "®¶¸øäöðÐÞº"
"""Any two sentences in a legacy charset have one of these, Unicode Vietnamese hardly ever: đ á ả in TCVN3, à ậ ư in
VNI, đ ả in VISCII, đ and tones in windows-1258, a byte of ạ ả ấ ế in UTF-8 that was read as windows-1252. All have an
even code point: odd ones share their low byte with ạ to ỹ, and each of those would stop the search in a page."""
_WRITTEN_SIGN = re.compile(rb"&(?:reg;|para|micr|osla|ouml|auml|eth;|thor|#174|#182|#184|#228|#240|#246|#248)")
"""The same as entities, by their first four characters."""
_FEW_ENTITIES = 100


def may_be_legacy(body: bytes, text: str) -> bool:
    """Whether a page (its bytes and its text) may contain legacy text. This check takes microseconds."""
    if any(sign in text for sign in _SIGNS):
        return True
    # For a few ampersands, find() takes a third of the time of the regex engine.
    at = body.find(b"&")
    for _ in range(_FEW_ENTITIES):
        if at < 0 or _WRITTEN_SIGN.match(body, at):
            return at >= 0
        at = body.find(b"&", at + 1)
    return at >= 0 and _WRITTEN_SIGN.search(body, at) is not None


def decode_markup(page: str) -> tuple[str, str | None]:
    """The page with its legacy text decoded, and the charset of most of it; without any, the same page and None."""
    if len(page) > _MAX_LENGTH or _NONCHARACTERS.search(page):
        return page, None
    texts, markups = _split_markup(page)
    groups = list(_groups(texts, markups))
    attributes = [_Text.of(value) for markup in markups for value in _shown_values(markup.text)]
    lines = [JOINT.join(texts[number].shown for number in group) for group in groups]
    lines += [attribute.shown for attribute in attributes]
    decoded, charset = decode_lines(lines, _font_charset(page))
    if charset is None:
        return page, None
    written = [text.written for text in texts]
    for group, line in zip(groups, decoded[: len(groups)], strict=True):
        for number, shown in zip(group, line.split(JOINT), strict=True):
            written[number] = texts[number].rewritten(shown)
    values = (text.rewritten(line) for text, line in zip(attributes, decoded[len(groups) :], strict=True))
    tags = [_with_values(markup.text, values) for markup in markups]
    return "".join(part for pair in zip(written, [*tags, ""], strict=True) for part in pair), charset


@dataclass(frozen=True, slots=True)
class _Markup:
    text: str
    inline: bool


@dataclass(frozen=True, slots=True)
class _Text:
    """Text as written in the page, and as shown: letters instead of their entities, _OPAQUE for other entities."""

    written: str
    shown: str

    @classmethod
    def of(cls, written: str) -> _Text:
        if "&" not in written:
            return cls(written, written)
        return cls(written, _ENTITY.sub(lambda entity: _letter(entity[0]) or _OPAQUE, written))

    def rewritten(self, shown: str) -> str:
        """The text to write so that the page shows `shown`; unchanged if it already shows that."""
        if shown == self.shown:
            return self.written
        others = (entity for entity in _ENTITY.findall(self.written) if not _letter(entity))
        return re.sub(_OPAQUE, lambda _: next(others), shown)


def _letter(entity: str) -> str | None:
    """The character of an entity if legacy text can contain it, else None (always for markup characters)."""
    character = html.unescape(entity)
    return character if _LETTER.fullmatch(character) else None


def _split_markup(page: str) -> tuple[list[_Text], list[_Markup]]:
    """Split a page into texts and the markup between them; there is one text more than markups."""
    texts: list[_Text] = []
    markups: list[_Markup] = []
    position = 0
    for part in _MARKUP.finditer(page):
        texts.append(_Text.of(page[position : part.start()]))
        markups.append(_Markup(part[0], _INLINE.fullmatch(part[2] or "") is not None))
        position = part.end()
    texts.append(_Text.of(page[position:]))
    return texts, markups


def _groups(texts: Sequence[_Text], markups: Sequence[_Markup]) -> Iterator[list[int]]:
    """Yield groups of texts that form one line: only inline markup is between them.

    Lines in ASCII are left out. If a line has a letter that only Unicode has, each of its texts is a line of its own.
    """
    group: list[int] = []
    for number in range(len(texts)):
        group.append(number)
        if number == len(markups) or not markups[number].inline:
            shown = [texts[member].shown for member in group]
            if any(has_unicode_letter(text) for text in shown):
                yield from ([member] for member in group)
            elif not all(map(str.isascii, shown)):
                yield group
            group = []


def _shown_values(markup: str) -> list[str]:
    """Values of a tag's text attributes; empty if none of them can be legacy text."""
    if markup.startswith("<!") or (markup.isascii() and "&" not in markup):
        return []
    return [value[3] for value in _SHOWN_ATTRIBUTE.finditer(markup)]


def _with_values(markup: str, values: Iterator[str]) -> str:
    """The tag with the values that `_shown_values` finds in it replaced by the next of `values`."""
    if not _shown_values(markup):
        return markup
    return _SHOWN_ATTRIBUTE.sub(lambda value: f"{value[1]}{next(values)}{value[4]}", markup)


def _font_charset(page: str) -> str | None:
    """The charset of most font names on a page."""
    fonts = Counter(_FONTS[font.lower()] for font in _FONT.findall(page))
    return fonts.most_common(1)[0][0] if fonts else None
