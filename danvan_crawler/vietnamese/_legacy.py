"""Detects and decodes TCVN3, VNI, VISCII or windows-1258 text that was read as Latin letters.

Nothing in the text names its charset, and a wrong guess destroys correct text. So each line is scored: a charset is
accepted if decoding turns words that are not Vietnamese into valid syllables (`_text_syllables`) and does not damage
the other words. Lines with a letter that only Unicode has are never changed. Text in other languages is rejected
because of its plain words. In doubt:

- A *strong* word has a sign that no Latin orthography has: a symbol within the word (`d©n`), a capital after a small
  letter (`quyÕt`), a vowel with its mark beside it (`daân`). A line with strong words is decided on its own.
- A line without strong words is accepted only if all its odd words become common ones (`Tïnh üy` in VISCII).
- A line that is still undecided follows its document: with the charset of the lines around it, one syllable is enough.

UTF-8 that was read as windows-1252 is recognised by its form alone: other text never consists of such sequences.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from danvan_crawler.vietnamese._legacy_tables import BYTE_OF, DECODERS, UNWRITTEN, western
from danvan_crawler.vietnamese._text_syllables import is_common, is_syllable

JOINT = "\ufdd0"
"""Replaces markup inside a word; a noncharacter, which no text contains."""

_C1 = "\u0080-\u009f" + re.escape("".join(map(chr, BYTE_OF)))
_SYMBOLS = "\u00a1-\u00ac\u00ae-\u00bf×÷"
_SYMBOL = re.compile(f"[{_SYMBOLS}{_C1}]")
_WORD = re.compile(f"[A-Za-z\u00a1-\u024f{_C1}{JOINT}]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_INNER_SYMBOL = re.compile(rf"[^\W\d_][{_SYMBOLS}]+[^\W\d_]")
_MISREAD = re.compile("[\u00a1-\u00ff]")
_UNICODE = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u036f]")
"""Characters that a one-byte charset read as windows-1252 never shows: the line is Unicode (or was read as
windows-1258)."""

_ODD = "ÄÅÆÇËÎÏÐÑÖØÛÜÞßäåæçëîïðñöøûüþÿ\u00ad"
"""Latin letters that Vietnamese does not write."""
# Begins with one character class, so that the regex engine can skip to it quickly. Pairs such as `oà`, which both VNI
# and Vietnamese write, are not a sign.
_SIGN = re.compile(
    f"[\u00a1-\u00ff](?:(?<=[{_ODD}])|(?<=[AEae][âáàãÂÁÀÃ])|(?<=[Oo][âÂ])|(?<=[Aa][éèêúÉÈÊÚ])|(?<=[AEOUYÔaeouyô][ùõÙÕ])"
    f"|(?<=[a-zà-ÿ][À-Þ])|(?<=[A-Za-zÀ-ÿ][{_SYMBOLS}])|(?<=[{_SYMBOLS}])(?=[A-Za-zÀ-ÿ])"
    f"|(?<=[AEIOUYÂÊÔÃÕÝaeiouyâêôãõý][ÌÒÞìò])|(?<=[ÂÃá])(?=[\u00a0-\u00bf{_C1}]))"
)
_STRONG = {
    "TCVN3": re.compile(f"[{_SYMBOLS}][A-Za-z{_SYMBOLS}À-ÿ]|[A-Za-zÀ-ÿ][{_SYMBOLS}]|[a-z][À-Þ]"),
    "VNI": re.compile("[aeAE][âáàåãäÂÁÀÅÃÄùøõÙØÕ]|[aA][êéèúüëûÊÉÈÚÜËÛ]|[oO][âåäøõÂÅÄØÕ]|[uyôöUYÔÖ][øõïûùØÕÏÛÙ]"),
    "windows-1258": re.compile("[a-zà-ÿ][ÌÒÞ]|[âăêôãõý][ìò]|[ÂÊÔÃÕÝ][ÌÒ]"),
}
_STRONG["VISCII"] = _STRONG["TCVN3"]

_FINAL = re.compile(f"[®»©¼½¾¨{JOINT}]+$")
"""TCVN3's đ, â and letters with a breve: no syllable ends in them, so at the end of a word they are symbols."""
_INITIAL = re.compile(f"^[«»©·{JOINT}]+")
_QUOTES = f"“”‘’–…«»{JOINT}"
"""Capitals in VISCII; if a word is not a syllable with them, they are quotation marks around it."""
_SHORT = {"TCVN3": "¸µ¹", "VISCII": "·±"}
"""Symbols that are a word of one letter; other single symbols are kept."""
_O_ALONE = re.compile("(?<=[^\\s] )«(?![^\\s.,;:?!)])")
"""TCVN3's ô as a word, if it cannot be a quotation mark or the arrow of a pager."""

_D_SHORT = re.compile("[®§](?=/[A-Za-z])")
"""TCVN3's đ as an abbreviation, most of all in đ/c for đồng chí."""

_LONGEST = 40
"""Maximum length of a word that is checked; the longest syllable has eight letters."""
_ENOUGH = 4000
"""Maximum number of words that are scored; more words would not change the result."""


@dataclass(slots=True)
class _Evidence:
    """The effect of decoding words by a charset. All are counts of words."""

    broken: int = 0
    """Words that are not syllables before decoding."""
    fixed: int = 0
    damaged: int = 0
    strong: int = 0
    fixed_common: int = 0
    common: int = 0
    unread_common: int = 0
    """Words that are common before decoding."""
    kept: int = 0
    """Words with marks that are syllables before and after."""
    hyphened: bool = False

    @property
    def score(self) -> int:
        return self.fixed + self.common - 2 * self.damaged


@dataclass(frozen=True, slots=True)
class _Reading:
    """A word read by a charset."""

    text: str
    syllable: bool | None
    """None for abbreviations and symbols, which are not meant as syllables."""
    common: bool
    strong: bool


def decode_text(text: str) -> str:
    """Implementation of `text.decode_legacy`."""
    if text.isascii() or not _SIGN.search(text):
        return text
    lines = re.split("([\r\n\u2028\u2029]+)", text)
    decoded, _ = decode_lines(lines[::2])
    if decoded == lines[::2]:
        return text
    lines[::2] = decoded
    return "".join(lines)


def has_unicode_letter(text: str) -> bool:
    """Whether text has a letter that only Unicode has, or a combining mark."""
    return _UNICODE.search(text) is not None


def decode_lines(lines: Sequence[str], hint: str | None = None) -> tuple[list[str], str | None]:
    """Decode the legacy lines of one document. Returns all lines, and the charset of most decoded ones or None.

    `hint` is a charset that other evidence suggests, such as the name of a font.
    """
    found = [_repair_utf8(line) for line in lines]
    unicode_lines = [has_unicode_letter(line) for line in found]
    own = [None if foreign else _choose([line]) for line, foreign in zip(found, unicode_lines, strict=True)]
    votes = Counter[str]()
    for line, charset in zip(found, own, strict=True):
        if charset is not None:
            votes[charset] += len(line)
    among_unicode = any(unicode_lines)
    undecided = [line for line, foreign in zip(found, unicode_lines, strict=True) if not foreign]
    prevailing = votes.most_common(1)[0][0] if votes else hint
    if prevailing is None and len(undecided) > 1:
        prevailing = _choose(undecided)
    used = Counter[str](["UTF-8 twice"] if found != list(lines) else [])
    for number, line in enumerate(found):
        if unicode_lines[number]:
            bytewise = _reread_as_1252(line)
            charset = None if bytewise is None else _choose([bytewise])
            if bytewise is not None and charset is not None:
                found[number] = _decoded(bytewise, charset)
        else:
            charset = _charset_in_document(prevailing, line, own[number], among_unicode)
            if charset is not None:
                found[number] = _decoded(line, charset)
        if charset is not None:
            used[charset] += len(line)
    return found, used.most_common(1)[0][0] if used else None


def _charset_in_document(prevailing: str | None, line: str, own: str | None, among_unicode: bool) -> str | None:
    """The charset of a line, if `prevailing` is the charset of most lines of the document."""
    if prevailing is None or prevailing == own:
        return own
    words = [word[0] for word in islice(_WORD.finditer(line), _ENOUGH)]
    if own is not None and _collect_evidence(words, prevailing).fixed < _collect_evidence(words, own).fixed:
        return own
    evidence = _collect_evidence(words, prevailing)
    good, bad = _plain_words(words)
    if evidence.damaged or bad > good + 1:
        return own
    if evidence.broken:
        return prevailing if evidence.fixed and evidence.fixed * 2 >= evidence.broken else own
    # All words are syllables both before and after, such as `bé` (bộ in TCVN3): prefer the one with more common words.
    if among_unicode or not (evidence.hyphened or evidence.common > evidence.unread_common):
        return own
    return prevailing


def _choose(lines: Iterable[str]) -> str | None:
    """The charset of the lines; None if in doubt."""
    words = list(islice((word[0] for line in lines if _MISREAD.search(line) for word in _WORD.finditer(line)), _ENOUGH))
    if all(map(str.isascii, words)):
        return None
    plain = _plain_words(words)
    evidence_of = {charset: _collect_evidence(words, charset) for charset in DECODERS}
    accepted = [charset for charset, evidence in evidence_of.items() if _is_accepted(charset, evidence, *plain)]
    if not accepted:
        return None
    best = max(accepted, key=lambda charset: evidence_of[charset].score)
    rivals = [evidence for charset, evidence in evidence_of.items() if charset != best]
    return best if all(_is_clearer(evidence_of[best], rival, best) for rival in rivals) else None


def _is_clearer(best: _Evidence, rival: _Evidence, charset: str) -> bool:
    """Whether a charset fits clearly better than a rival. VISCII, by far the rarest, needs a larger margin."""
    if charset != "VISCII" and best.common > rival.common:
        return best.score > rival.score
    return best.score > rival.score + 1


def _is_accepted(charset: str, evidence: _Evidence, good: int, bad: int) -> bool:
    broken, fixed = evidence.broken, evidence.fixed
    if not fixed or fixed < 0.65 * broken or evidence.damaged > 0.15 * fixed or bad > good + 0.5 * fixed:
        return False
    if evidence.strong >= max(1, 0.2 * fixed):
        if evidence.common:
            return fixed + evidence.strong >= 3 or evidence.common > 1 or (good > 0 and not bad)
        return fixed >= 4 or (fixed == broken > 1 and evidence.strong > 1)
    if bad > 0.25 * good or charset == "VNI":  # nearly every VNI word has a mark beside its letter, so is strong
        return False
    familiar = evidence.fixed_common >= (fixed if fixed < 8 else 0.5 * fixed)
    return familiar and fixed + evidence.kept > 1 and fixed > 0.9 * broken


def _collect_evidence(words: Iterable[str], charset: str) -> _Evidence:
    evidence = _Evidence()
    for word in words:
        if word.isascii() or not _MISREAD.search(word):
            continue
        reading = _read(charset, word)
        if reading.syllable is None:
            continue
        before = _are_syllables(word.replace("\u00ad", ""))
        evidence.broken += not before
        evidence.damaged += before and not reading.syllable
        evidence.kept += before and reading.syllable
        evidence.common += reading.common
        evidence.unread_common += before and _is_common(word)
        evidence.hyphened |= "\u00ad" in word
        if reading.syllable and not before:
            evidence.fixed += 1
            evidence.strong += reading.strong
            evidence.fixed_common += reading.common
    return evidence


def _plain_words(words: Iterable[str]) -> tuple[int, int]:
    """Number of words without marks that are syllables, and of those that are not. Abbreviations are not counted."""
    good = bad = 0
    for word in words:
        if word.isascii() and len(word) > 1:
            if _are_syllables(word):
                good += 1
            elif not word.isupper():
                bad += 1
    return good, bad


def _read(charset: str, word: str) -> _Reading:
    """A word decoded by a charset; symbols around it that only look like its letters are kept."""
    if len(word) > _LONGEST:  # do not cache
        return _Reading(DECODERS[charset](word), False, False, False)
    return _read_short(charset, word)


@lru_cache(maxsize=16384)
def _read_short(charset: str, word: str) -> _Reading:
    letters = word.strip(JOINT)
    if _SYMBOL.fullmatch(letters):
        meant = letters in _SHORT.get(charset, "")
        return _Reading(DECODERS[charset](word) if meant else word, None, False, False)
    head, core, tail = "", word, ""
    decoded = DECODERS[charset](core)
    if not _are_syllables(decoded) or UNWRITTEN[charset].search(core):
        head, core, tail = _trimmed(word, charset)
        decoded = DECODERS[charset](core)
    syllable: bool | None = _are_syllables(decoded) and not UNWRITTEN[charset].search(core)
    if not syllable and (decoded.isupper() or (decoded == core and not re.search("[À-ÖØ-öø-ÿ]", core))):
        syllable = None
    common = bool(syllable) and _is_common(decoded)
    return _Reading(head + decoded + tail, syllable, common, _STRONG[charset].search(core) is not None)


def _trimmed(word: str, charset: str) -> tuple[str, str, str]:
    """A word without the quotation marks and signs around it: (before, word, after)."""
    if charset == "TCVN3":
        start = found.end() if (found := _INITIAL.search(word)) else 0
        end = found.start() if (found := _FINAL.search(word, start)) else len(word)
    elif charset == "VISCII":
        start = len(word) - len(word.lstrip(_QUOTES))
        end = len(word.rstrip(_QUOTES))
    else:
        return "", word, ""
    return (word[:start], word[start:end], word[end:]) if start < end else ("", word, "")


def _are_syllables(word: str) -> bool:
    """Whether every run of letters in a word is a syllable, with only ASCII or quotation marks between them."""
    return len(word) <= _LONGEST and _are_short_syllables(word)


@lru_cache(maxsize=16384)
def _are_short_syllables(word: str) -> bool:
    if _INNER_SYMBOL.search(word):
        return False
    parts = _LETTERS.findall(word.replace(JOINT, ""))
    return bool(parts) and all(map(is_syllable, parts))


def _is_common(word: str) -> bool:
    return all(is_common(part) for part in _LETTERS.findall(word.replace(JOINT, "")))


def _decoded(line: str, charset: str) -> str:
    if charset != "TCVN3":
        return _WORD.sub(lambda word: _read(charset, word[0]).text, line)
    cased = [letter for letter in line if letter.isascii() and letter.isalpha()]
    capitals = len(cased) > 2 and sum(map(str.isupper, cased)) > 0.8 * len(cased)
    line = _D_SHORT.sub(lambda sign: "đ" if sign[0] == "®" else "Đ", line)
    decoded = _WORD.sub(lambda word: _recased(_read(charset, word[0]).text, capitals), line)
    return decoded if "»" in decoded else _O_ALONE.sub("ô", decoded)


def _recased(word: str, among_capitals: bool) -> str:
    """The word in capitals if its letters without tone are capitals: TCVN3 has no toned capitals.

    One letter is not enough (`Bé` is Bộ), unless the whole line is in capitals.
    """
    showing = [letter for letter in word if letter.isalpha() and not _is_toned(letter)]
    if (among_capitals or len(showing) > 1) and all(map(str.isupper, showing)):
        return word.upper()
    return word


@lru_cache(maxsize=512)
def _is_toned(letter: str) -> bool:
    return any(mark in unicodedata.normalize("NFD", letter) for mark in "\u0300\u0301\u0303\u0309\u0323")


_TAIL = f"[\u00a0-\u00bf{_C1}]"
_UTF8 = re.compile(f"[Â-ß]{_TAIL}|[à-ï]{_TAIL}{_TAIL}")
_UTF8_IN_WORD = re.compile("(?:[a-z]|(?=..[a-z]))(?:Ã[¢£¨ª²³´¹º½]|Ä[ƒ‘]|Æ[¡°])")
_PLAUSIBLE = re.compile("[\u00a0-\u00ffĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u0323\u2010-\u2026\u20ab]")
_HIGH = re.compile(f"[\u00a1-\u00ff{_C1}]")


def _repair_utf8(line: str) -> str:
    """Decode a line of UTF-8 that was read as windows-1252; return any other line unchanged."""
    if not _HIGH.search(line) or not _UTF8.search(line):
        return line
    meant = [_from_utf8(part[0]) for part in _UTF8.finditer(line)]
    if not all(map(_PLAUSIBLE.fullmatch, meant)) or _HIGH.search(_UTF8.sub("", line)):
        return line
    clear = any("Ạ" <= letter <= "ỹ" for letter in meant) or sum(letter not in "\u00a0à" for letter in meant) > 1
    if not clear and not _UTF8_IN_WORD.search(line):
        return line
    letters = iter(meant)
    return unicodedata.normalize("NFC", _UTF8.sub(lambda _: next(letters), line))


def _from_utf8(seen: str) -> str:
    data = bytes(BYTE_OF.get(ord(character), ord(character)) for character in seen)
    return data.decode("utf-8", "replace")


def _reread_as_1252(line: str) -> str | None:
    """Re-read as windows-1252 a line that was read as windows-1258; None if the line is Vietnamese as it is."""
    words = _WORD.findall(line)
    broken = sum(not word.isascii() and not _are_syllables(word) for word in words)
    whole = sum(not word.isascii() and _are_syllables(word) for word in words)
    if broken < 3 or whole > 0.34 * (broken + whole) or not _SIGN.search(line):
        return None
    try:
        return western(b"".join(map(_byte_1258, line)))
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=512)
def _byte_1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        return unicodedata.normalize("NFD", letter).encode("cp1258")
