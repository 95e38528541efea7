"""Legacy text on HTML pages: decoded where readers see it, with the markup left as it is, byte for byte.

What readers see is the text between tags, a paragraph or cell at a time (`T<b>Ø</b>nh` is one word), and attributes
such as `title` and `alt`. Letters may be written as entities (`T&Oslash;nh`). A paragraph without legacy text stays as
it was, entities included; addresses, scripts and comments always do.

Whole pages are judged, since a link of two words cannot tell its charset and the page around it can. A font named
`.VnTime` or `VNI-Times` speaks for a charset where the letters leave a doubt; alone it decides nothing, since such
names outlive their text.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from danvan_crawler.vietnamese._legacy import JOINT, decode_lines, has_unicode_letter

_OPAQUE = "\ufdd1"
"""Stands for an entity that is no letter; a noncharacter, as JOINT is."""
_NONCHARACTERS = re.compile(f"[{JOINT}{_OPAQUE}]")

_MAX_LENGTH = 2_000_000
"""Characters of a page that is looked at: two seconds' work, and a hundred times a page of these portals."""

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
"""One of these at least is in any two sentences of each charset, and hardly ever in Unicode Vietnamese: đ á ả in TCVN3,
à ậ ư in VNI, đ ả in VISCII, đ and tones in windows-1258, a byte of ạ ả ấ ế in UTF-8 that was read as windows-1252. All
have an even code point: odd ones share their low byte with ạ to ỹ, at which a search in a page would stop each time."""
_WRITTEN_SIGN = re.compile(rb"&(?:reg;|para|micr|osla|ouml|auml|eth;|thor|#174|#182|#184|#228|#240|#246|#248)")
"""The same as entities, by their first four characters."""
_FEW_ENTITIES = 100


def may_be_legacy(body: bytes, text: str) -> bool:
    """Whether a page (its bytes and its text) may hold legacy text: a look that costs microseconds."""
    if any(sign in text for sign in _SIGNS):
        return True
    # A few ampersands are found one by one in a third of the time that the regex engine takes for the way between them.
    at = body.find(b"&")
    for _ in range(_FEW_ENTITIES):
        if at < 0 or _WRITTEN_SIGN.match(body, at):
            return at >= 0
        at = body.find(b"&", at + 1)
    return at >= 0 and _WRITTEN_SIGN.search(body, at) is not None


def decode_markup(page: str) -> tuple[str, str | None]:
    """A page with its legacy text decoded, and the charset of most of that; the same page and None without any."""
    if len(page) > _MAX_LENGTH or _NONCHARACTERS.search(page):
        return page, None
    texts, markups = _apart(page)
    groups = list(_groups(texts, markups))
    attributes = [_Text.of(value) for markup in markups for value in _shown_values(markup.text)]
    lines = [JOINT.join(texts[number].shown for number in group) for group in groups]
    lines += [attribute.shown for attribute in attributes]
    decoded, charset = decode_lines(lines, _hinted(page))
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
    """Text as the page writes it, and as it is shown: with letters for entities, and a placeholder for others."""

    written: str
    shown: str

    @classmethod
    def of(cls, written: str) -> _Text:
        if "&" not in written:
            return cls(written, written)
        return cls(written, _ENTITY.sub(lambda entity: _letter(entity[0]) or _OPAQUE, written))

    def rewritten(self, shown: str) -> str:
        """What the page has to write in order to show this; what it wrote, when it shows that already."""
        if shown == self.shown:
            return self.written
        others = (entity for entity in _ENTITY.findall(self.written) if not _letter(entity))
        return re.sub(_OPAQUE, lambda _: next(others), shown)


def _letter(entity: str) -> str | None:
    """The character of an entity, when text in a legacy charset could show it; markup characters never."""
    character = html.unescape(entity)
    return character if _LETTER.fullmatch(character) else None


def _apart(page: str) -> tuple[list[_Text], list[_Markup]]:
    """Texts and the pieces of markup between them: one text more."""
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
    """Which texts are one line: those with nothing but inline markup between them.

    Lines of ASCII alone are left out. Where a letter shows that a line is Unicode in part, each text is its own line.
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
    """Values of the attributes that hold text, of a tag in which any of them can be legacy text."""
    if markup.startswith("<!") or (markup.isascii() and "&" not in markup):
        return []
    return [value[3] for value in _SHOWN_ATTRIBUTE.finditer(markup)]


def _with_values(markup: str, values: Iterator[str]) -> str:
    """The tag with the next of `values` in the place of those that `_shown_values` finds in it."""
    if not _shown_values(markup):
        return markup
    return _SHOWN_ATTRIBUTE.sub(lambda value: f"{value[1]}{next(values)}{value[4]}", markup)


def _hinted(page: str) -> str | None:
    """The charset that most font names of a page belong to."""
    fonts = Counter(_FONTS[font.lower()] for font in _FONT.findall(page))
    return fonts.most_common(1)[0][0] if fonts else None
