"""Three levels of normalising Vietnamese text.

    clean      for items: NFC, plain spaces, one newline between paragraphs; spelling exactly as printed
    canonical  for hashing and search: clean, look-alike letters corrected, one tone placement; case kept
    fold       for search without marks: canonical, lower case, no marks, đ -> d

The order of steps is fixed: entities, NFC with mark order, look-alikes, spaces, tone placement, folding. Legacy
charsets (TCVN3, VNI) have to be decoded first (`decode_legacy`, or `charset.decode` for a whole page): TCVN3 writes ư
as a soft hyphen, which every level removes.
The database does not fold text, because SQLite never folds đ and PostgreSQL does.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from danvan_crawler.vietnamese._legacy import decode_text
from danvan_crawler.vietnamese._text_letters import (
    FAKE_D,
    FOLDED,
    INVISIBLE,
    LINE_BREAKS,
    ODD_SPACES,
    compose,
    fold_quickly,
)
from danvan_crawler.vietnamese._text_tones import place_all

_BREAK = re.compile(f"\r\n|[{LINE_BREAKS}]")
_SPACE = re.compile(f"[{ODD_SPACES}]")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
# Broken JSON escapes give half a surrogate pair, which cannot be encoded in a database or file.
_SURROGATE = re.compile("[\ud800-\udfff]")
# One search for every unusual character: most texts have none and need no further work.
_UNUSUAL = re.compile(f"[{LINE_BREAKS}{ODD_SPACES}{INVISIBLE}\ud800-\udfff\u0300-\u036f]")
_MARK = re.compile("[\u0300-\u036f]")
_SPACE_RUN = re.compile(r"[ \n]{2,}")
_PAIRS = ("  ", " \n", "\n ", "\n\n")

# Decoded until no entity is left: a page that encoded its text twice shows `&nbsp;` to its readers. A name needs its
# semicolon, so that addresses with `&copy=1` stay. A nested ampersand is replaced at once, because `&amp;amp;amp;…`
# would take quadratic time.
_NESTED_AMPERSAND = re.compile(r"&(?:(?:amp|#0*38|#x0*26);)+(?=#?\w{1,32};)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)

_FAKE_D = re.compile("[" + "".join(FAKE_D) + "]")
_TRUE_D = str.maketrans(FAKE_D)
_CYRILLIC = str.maketrans("аеорсухіАВЕКМНОРСТУХІ", "aeopcyxiABEKMHOPCTYXI")
_CYRILLIC_LETTER = re.compile("[аеорсухіАВЕКМНОРСТУХІ]")
_WORD = re.compile("[^\\W\\d_][\\w\u0300-\u036f]*")
_LATIN = re.compile("[A-Za-zÀ-ÖØ-öø-ɏẠ-ỹ]")

_FOLDED = str.maketrans(FOLDED)


def clean(text: str) -> str:
    """Return `text` as items store it: NFC, single spaces, one newline between lines, no white space at either end.

    Tone placement and look-alike letters stay as printed, entities stay too (the HTML parser decoded them once).
    Invisible characters are removed, so the parts around a soft hyphen are joined. Half surrogates become U+FFFD.

    >>> clean("  Tỉnh\\u00a0uỷ  Thanh Hoá \\r\\n\\r\\n Ban\\u200b Dân vận ")
    'Tỉnh uỷ Thanh Hoá\\nBan Dân vận'
    """
    if _UNUSUAL.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        text = _BREAK.sub("\n", text)
        text = _SPACE.sub(" ", text)
        text = _INVISIBLE.sub("", text)
        text = compose(text)
    elif not unicodedata.is_normalized("NFC", text):
        text = compose(text)
    if any(pair in text for pair in _PAIRS):  # takes a tenth of the time of the pattern
        text = _SPACE_RUN.sub(lambda run: "\n" if "\n" in run[0] else " ", text)
    return text.strip(" \n")


def decode_legacy(text: str) -> str:
    """Decode the lines of `text` that are in TCVN3 (ABC), VNI, VISCII or windows-1258 read as Latin letters.

    UTF-8 that was read as windows-1252 is decoded too. Every line is judged by its syllables and by the lines around
    it. Ordinary Vietnamese (NFC or NFD), other languages and doubtful lines are unchanged; a text without legacy lines
    is returned as the same string. A single word (`khÐo`) is doubtful. TCVN3 has no toned capitals: they are restored
    if the other letters of the word are capitals. Never raises on a string.

    >>> decode_legacy("TØnh ñy Qu¶ng Ng·i"), decode_legacy("daân vaän kheùo")
    ('Tỉnh ủy Quảng Ngãi', 'dân vận khéo')
    >>> decode_legacy("§¶NG Bé TØNH"), decode_legacy("Tá»‰nh á»§y"), decode_legacy("Noël à Genève")
    ('ĐẢNG BỘ TỈNH', 'Tỉnh ủy', 'Noël à Genève')
    """
    return decode_text(text)


def canonical(text: str) -> str:
    """Return the form that is hashed and searched; idempotent, case kept.

    In addition to `clean`: remaining entities are decoded, eth becomes đ, Cyrillic look-alikes inside a Latin word
    become Latin (Москва stays), and tones are placed in old style.

    >>> canonical("Tỉnh uỷ, Thanh Hoá"), canonical("Ðảng bộ"), canonical("Москва")
    ('Tỉnh ủy, Thanh Hóa', 'Đảng bộ', 'Москва')
    """
    text = _correct_lookalikes(text)
    # Removing characters can complete an entity (`&am\u00adp;`), so repeat both until nothing changes.
    while (decoded := _unescaped(text)) != text:
        text = _correct_lookalikes(decoded)
    return place_all(text)


def fold(text: str) -> str:
    """Return `canonical(text)` in lower case without marks, đ as d, for queries typed without marks.

    >>> fold("Đảng bộ Tỉnh uỷ ĐẮK LẮK")
    'dang bo tinh uy dak lak'
    """
    return forms(text)[1]


@lru_cache(maxsize=16)  # called twice for an article's texts: for its content hash and for the index
def forms(text: str) -> tuple[str, str]:
    """Return `canonical(text)` and `fold(text)`; the second costs little after the first.

    >>> forms("Tỉnh uỷ")
    ('Tỉnh ủy', 'tinh uy')
    """
    exact = canonical(text)
    folded = fold_quickly(exact)
    return exact, folded if folded is not None else _folded(exact)


def _folded(exact: str) -> str:
    folded = exact.lower().translate(_FOLDED)
    if folded.isascii():
        return folded
    # The rest are letters of other languages: remove the marks of Latin letters, keep those of other scripts. A removed
    # single mark may leave two spaces side by side.
    return clean(_MARK.sub("", unicodedata.normalize("NFD", folded)))


def _correct_lookalikes(text: str) -> str:
    """Return `clean(text)` with look-alike letters replaced."""
    text = clean(text)
    if _FAKE_D.search(text):
        text = text.translate(_TRUE_D)
    if _CYRILLIC_LETTER.search(text):
        # Unlike its look-alike, a Latin letter may be composable with the mark after it.
        text = compose(_WORD.sub(_latin_word, text))
    return text


def unescape(text: str) -> str:
    """Return `clean(text)` with remaining entities decoded; it has the same words as `canonical(text)`.

    >>> unescape("&amp;quot;Tỉnh uỷ&amp;quot; R&amp;D")
    '"Tỉnh uỷ" R&D'
    """
    text = clean(text)
    while (decoded := _unescaped(text)) != text:
        text = clean(decoded)
    return text


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), _NESTED_AMPERSAND.sub("&", text))


def _latin_word(word: re.Match[str]) -> str:
    return word[0].translate(_CYRILLIC) if _LATIN.search(word[0]) else word[0]
