"""The letters of TCVN3, VNI, VISCII and windows-1258 as they look when their bytes are read as windows-1252.

Sources of the TCVN3 and VNI tables: UniKey, viparse and the npm package vietnamese-conversion. They agree on all 74
letters of TCVN3, as does glibc, and on 122 of 134 letters of VNI; for the rest two of three agree. VISCII is RFC 1456.
All tables are keyed by character, since a page may also be UTF-8 that contains the misread letters.

- TCVN3 (ABC, fonts `.VnTime`): one character per letter. There are no toned capitals: a headline has ASCII capitals
  with small toned letters between them. ư is the soft hyphen.
- VNI (fonts `VNI-Times`): a base letter and a mark after it; đ ơ ư and i with its tones are single characters.
- VISCII: one character per letter; capitals are where windows-1252 has its quotation marks, or no character. Its six
  letters among ASCII's control characters (Ẳ Ẵ Ẫ Ỷ Ỹ Ỵ) are omitted: on the web, these are stray control characters.
- windows-1258: letters with a shape mark are single characters, tones are marks after their letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from danvan_crawler.vietnamese._text_letters import compose


def western(body: bytes) -> str:
    """Bytes as windows-1252; the five undefined bytes become control characters, as in browsers."""
    return body.decode("latin-1").translate(_WESTERN)


_WESTERN = {
    byte: shown
    for byte in range(0x80, 0xA0)
    if (shown := bytes([byte]).decode("cp1252", "replace")) != "\ufffd"
}  # fmt: skip
BYTE_OF = {ord(shown): byte for byte, shown in _WESTERN.items()}
"""Code points of the windows-1252 characters in 0x80-0x9F, as bytes."""

_TCVN3 = dict(
    zip(
        map(ord, "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ"),
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)

_VISCII_LETTERS = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ"  # 0x80
    "ÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"  # 0xA0
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡư"  # 0xC0
    "àáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"  # 0xE0
)
_VISCII = dict(enumerate(_VISCII_LETTERS, start=0x80))
_VISCII |= {shown: _VISCII[byte] for shown, byte in BYTE_OF.items()}
del _VISCII[0xA0]  # far more often a no-break space than Õ

# Base letter -> the marks of VNI, and the letters that they form with it. Single letters follow below.
_VNI_MARKS = {
    "a": ("âáàåãäêéèúüëùøûõï", "âấầẩẫậăắằẳẵặáàảãạ"),
    "e": ("âáàåãäùøûõï", "êếềểễệéèẻẽẹ"),
    "o": ("âáàåãäùøûõï", "ôốồổỗộóòỏõọ"),
    "u": ("ùøûõï", "úùủũụ"),
    "y": ("ùøûõï", "ýỳỷỹỵ"),
    "i": ("ùø", "íì"),
    "ô": ("ùøûõï", "ớờởỡợ"),
    "ö": ("ùøûõï", "ứừửữự"),
}
_VNI = {
    base + mark: letter
    for base, (marks, letters) in _VNI_MARKS.items()
    for mark, letter in zip(marks, letters, strict=True)
} | dict(zip("ñôöìíæóòî", "đơưìíỉĩịỵ", strict=True))
_VNI |= {seen.upper(): letter.upper() for seen, letter in _VNI.items()}
_VNI |= {seen[0].upper() + seen[1]: letter.upper() for seen, letter in _VNI.items() if len(seen) == 2}
_VNI_PART = re.compile("[aeouyiôöAEOUYIÔÖ][âáàåãäêéèúüëùøûõïÂÁÀÅÃÄÊÉÈÚÜËÙØÛÕÏ]|[ñôöìíæóòîÑÔÖÌÍÆÓÒÎ]")

_CP1258 = dict(zip(map(ord, "ÃÌÐÒÕÝÞãìðòõýþ"), "Ă\u0300Đ\u0309ƠƯ\u0303ă\u0301đ\u0323ơư₫", strict=True))


def _vni(text: str) -> str:
    return _VNI_PART.sub(lambda part: _VNI.get(part[0]) or part[0][0] + _VNI.get(part[0][1:], part[0][1:]), text)


DECODERS: Mapping[str, Callable[[str], str]] = {
    "TCVN3": lambda text: text.translate(_TCVN3),
    "VNI": _vni,
    "VISCII": lambda text: text.translate(_VISCII),
    "windows-1258": lambda text: compose(text.translate(_CP1258)),
}
"""Charset name -> function that converts misread text to Unicode, letter by letter and without any check."""

_CAPITALS = re.escape("".join(map(chr, BYTE_OF)))
UNWRITTEN: Mapping[str, re.Pattern[str]] = {
    "TCVN3": re.compile("[ÀÁÂÃÄÅÍÙÚÛàðÿ]|[a-z][¡-§]"),
    "VNI": re.compile("(?<![aAoOeEuUyYôÔöÖiI])[âáàåãäêéèúüëùøûõïÂÁÀÅÃÄÊÉÈÚÜËÙØÛÕÏ]"),
    "VISCII": re.compile(f"[a-zà-ÿ][{_CAPITALS}]"),
    "windows-1258": re.compile("(?<![A-Za-zÀ-ÿ])[ÌÒÞìò]"),
}
"""Charset name -> pattern that its text never matches: letters that it does not have, marks without a letter before
them, and windows-1252 quotation marks after a small letter, where VISCII has capitals."""
