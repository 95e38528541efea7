"""Character tables for text and timestamps.

Vietnamese has twelve vowels, six of them with a *shape* mark (â ă ê ô ơ ư), and one of five *tone* marks on at most
one vowel of a syllable. đ is a separate letter and has no decomposition in Unicode. Pages contain every spelling:
composed (NFC), decomposed (NFD), the two marks in the wrong order, Icelandic eth for đ, and invisible characters from
word processors.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

# Grave, acute, tilde, hook above, dot below: the numbers 1 to 5 of `VOWELS` and `_text_tones`; 0 is no tone.
TONE_MARKS = "\u0300\u0301\u0303\u0309\u0323"

# Each vowel without tone, then with its five tones, in the order of TONE_MARKS.
VOWELS = (
    "aàáãảạ",
    "ăằắẵẳặ",
    "âầấẫẩậ",
    "eèéẽẻẹ",
    "êềếễểệ",
    "iìíĩỉị",
    "oòóõỏọ",
    "ôồốỗổộ",
    "ơờớỡởợ",
    "uùúũủụ",
    "ưừứữửự",
    "yỳýỹỷỵ",
)

# Parts of a character class: line breaks other than \n, spaces other than U+0020, and invisible characters. U+00AD is
# ư in TCVN3 text: decode legacy charsets before removing any of these.
LINE_BREAKS = "\x0b\x0c\r\u2028\u2029"
ODD_SPACES = "\t\u00a0\u2000-\u200a\u202f\u205f\u3000"
INVISIBLE = "\x00-\x08\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"

# Eth and African d, which look like đ; windows-1252 shows them for text in other charsets.
FAKE_D = {"ð": "đ", "Ð": "Đ", "ɖ": "đ", "Ɖ": "Đ"}

# é + circumflex: canonical ordering does not swap a tone and a shape mark, since both have class 230, and NFC then
# cannot compose ế. Only vowels that take a shape mark are corrected; other languages stack marks on purpose.
_TONE_BEFORE_SHAPE = re.compile("([aeoAEO]\u0323?)([\u0300\u0301\u0303\u0309])([\u0302\u0306])")

_SHAPELESS = dict(zip("ăâêôơư", "aaeoou", strict=True))
FOLDED = {letter: _SHAPELESS.get(row[0], row[0]) for row in VOWELS for letter in row} | {"đ": "d"}
"""Small Vietnamese letter -> the letter it folds to."""

_ASCII = "\n" + "".join(map(chr, range(0x20, 0x7F)))
_MARKED = "".join(letter for letter in FOLDED if not letter.isascii())
_PUNCTUATION = "“”‘’–—…•·°«»′″×€"
_LETTERS = _ASCII + _MARKED + _MARKED.upper() + _PUNCTUATION
# In charmap codecs U+FFFE marks a byte that no character is encoded to.
_FROM = codecs.charmap_build(_LETTERS.ljust(256, "\ufffe"))
_TO = "".join(FOLDED.get(letter.lower(), letter.lower()) for letter in _LETTERS).ljust(256, "\ufffe")


def compose(text: str) -> str:
    """Return `text` in NFC with shape marks before tone marks, so that every Vietnamese letter is one code point.

    >>> compose("\\u00e9\\u0302") == "ế"
    True
    """
    swapped = _TONE_BEFORE_SHAPE.sub(r"\1\3\2", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", swapped)


def fold_quickly(text: str) -> str | None:
    """`text` (canonical) in lower case without marks; None if it has a character that is not in the table.

    `str.translate` looks up every character in a dict. A charmap codec does the same in C in a fifth of the time, if
    all characters are in a table of 256: ASCII, the 134 letters that Vietnamese adds, and the punctuation of
    newspapers. For other text the caller needs a fallback.
    """
    try:
        coded = codecs.charmap_encode(text, "strict", _FROM)[0]
    except UnicodeEncodeError:
        return None
    return codecs.charmap_decode(coded, "strict", _TO)[0]
