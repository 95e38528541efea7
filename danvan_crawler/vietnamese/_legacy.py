"""Whether text is TCVN3, VNI, VISCII or windows-1258 that was read as Latin letters, and that text in Unicode.

Nothing in the text names its charset, and a wrong guess destroys what was right. So each line is weighed: a charset is
believed where reading by it turns words that no Vietnamese could have written into syllables (`_text_syllables`), and
leaves the others whole. Lines with a letter that only Unicode has are never touched. Text in other languages fails
by its plain words; what is left of doubt is decided thus:

- A *strong* word has what no Latin orthography has: a symbol within the word (`d©n`), a capital after a small letter
  (`quyÕt`), a vowel with its mark beside it (`daân`). One line with strong words stands for itself.
- A line without any is believed only when all its odd words become common ones (`Tïnh üy` in VISCII).
- What a line cannot tell alone, its document does: under the charset of the lines around it, one syllable is enough.

UTF-8 that was read as windows-1252 is told by its form alone: other text never has such sequences throughout.
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
"""Stands within a word where markup stood in its midst; a noncharacter, which no text holds."""

_C1 = "\u0080-\u009f" + re.escape("".join(map(chr, BYTE_OF)))
_SYMBOLS = "\u00a1-\u00ac\u00ae-\u00bf×÷"
_SYMBOL = re.compile(f"[{_SYMBOLS}{_C1}]")
_WORD = re.compile(f"[A-Za-z\u00a1-\u024f{_C1}{JOINT}]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_INNER_SYMBOL = re.compile(rf"[^\W\d_][{_SYMBOLS}]+[^\W\d_]")
_MISREAD = re.compile("[\u00a1-\u00ff]")
_UNICODE = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ\u0300-\u036f]")
"""What no charset of one byte shows as windows-1252: its line is Unicode (or was read as windows-1258)."""

_ODD = "ÄÅÆÇËÎÏÐÑÖØÛÜÞßäåæçëîïðñöøûüþÿ\u00ad"
"""Latin letters that Vietnamese does not write."""
# Begins with one character class, which the engine skips to; all else is looked at only there. Pairs such as `oà`,
# which both VNI and Vietnamese write, are no sign.
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
"""TCVN3's đ, â and letters with a breve: no syllable ends in them, so there they are what they look like."""
_INITIAL = re.compile(f"^[«»©·{JOINT}]+")
_QUOTES = f"“”‘’–…«»{JOINT}"
"""Capitals in VISCII; around a word that is no syllable with them, they are what they look like."""
_SHORT = {"TCVN3": "¸µ¹", "VISCII": "·±"}
"""Symbols that are a word of one letter; other symbols that stand alone mean themselves."""
_O_ALONE = re.compile("(?<=[^\\s] )«(?![^\\s.,;:?!)])")
"""TCVN3's ô as a word, where it cannot be a quotation mark or the arrow of a pager."""

_D_SHORT = re.compile("[®§](?=/[A-Za-z])")
"""TCVN3's đ as an abbreviation, most of all in đ/c for đồng chí."""

_LONGEST = 40
"""Characters of a word that is looked at; the longest syllable has eight."""
_ENOUGH = 4000
"""Words that are weighed; what they cannot tell, more of them cannot."""


@dataclass(slots=True)
class _Evidence:
    """What reading words by a charset does to them. All are counts of words."""

    broken: int = 0
    """Words that are no syllables as they stand."""
    fixed: int = 0
    harmed: int = 0
    strong: int = 0
    fixed_common: int = 0
    common: int = 0
    unread_common: int = 0
    """Words that are common as they stand."""
    kept: int = 0
    """Words with marks that are syllables before and after."""
    hyphened: bool = False

    @property
    def score(self) -> int:
        return self.fixed + self.common - 2 * self.harmed


@dataclass(frozen=True, slots=True)
class _Reading:
    """A word read by a charset."""

    text: str
    syllable: bool | None
    """None for what is neither a syllable nor meant as one: abbreviations, symbols."""
    common: bool
    strong: bool


def decode_text(text: str) -> str:
    """What `text.decode_legacy` answers."""
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
    """Lines of one document, those in a legacy charset decoded; and the charset of most of these, None without any.

    `hint` is a charset that something else than the letters speaks for, such as a font's name.
    """
    found = [_mended(line) for line in lines]
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
            bytewise = _undone_1258(line)
            charset = None if bytewise is None else _choose([bytewise])
            if bytewise is not None and charset is not None:
                found[number] = _decoded(bytewise, charset)
        else:
            charset = _under(prevailing, line, own[number], among_unicode)
            if charset is not None:
                found[number] = _decoded(line, charset)
        if charset is not None:
            used[charset] += len(line)
    return found, used.most_common(1)[0][0] if used else None


def _under(prevailing: str | None, line: str, own: str | None, among_unicode: bool) -> str | None:
    """The charset of a line of a document in which `prevailing` is the charset of most."""
    if prevailing is None or prevailing == own:
        return own
    words = [word[0] for word in islice(_WORD.finditer(line), _ENOUGH)]
    if own is not None and _weigh(words, prevailing).fixed < _weigh(words, own).fixed:
        return own
    evidence = _weigh(words, prevailing)
    good, bad = _plain_words(words)
    if evidence.harmed or bad > good + 1:
        return own
    if evidence.broken:
        return prevailing if evidence.fixed and evidence.fixed * 2 >= evidence.broken else own
    # All words are syllables either way, such as `bé` (bé, or bộ in TCVN3): the reading with more of the common ones.
    if among_unicode or not (evidence.hyphened or evidence.common > evidence.unread_common):
        return own
    return prevailing


def _choose(lines: Iterable[str]) -> str | None:
    """The one charset that lines are in beyond doubt."""
    words = list(islice((word[0] for line in lines if _MISREAD.search(line) for word in _WORD.finditer(line)), _ENOUGH))
    if all(map(str.isascii, words)):
        return None
    plain = _plain_words(words)
    weighed = {charset: _weigh(words, charset) for charset in DECODERS}
    believed = [charset for charset, evidence in weighed.items() if _is_believed(charset, evidence, *plain)]
    if not believed:
        return None
    best = max(believed, key=lambda charset: weighed[charset].score)
    rivals = [evidence for charset, evidence in weighed.items() if charset != best]
    return best if all(_is_clearer(weighed[best], rival, best) for rival in rivals) else None


def _is_clearer(best: _Evidence, rival: _Evidence, charset: str) -> bool:
    """Whether one charset explains words well enough better than another. VISCII was the rarest by far."""
    if charset != "VISCII" and best.common > rival.common:
        return best.score > rival.score
    return best.score > rival.score + 1


def _is_believed(charset: str, evidence: _Evidence, good: int, bad: int) -> bool:
    broken, fixed = evidence.broken, evidence.fixed
    if not fixed or fixed < 0.65 * broken or evidence.harmed > 0.15 * fixed or bad > good + 0.5 * fixed:
        return False
    if evidence.strong >= max(1, 0.2 * fixed):
        if evidence.common:
            return fixed + evidence.strong >= 3 or evidence.common > 1 or (good > 0 and not bad)
        return fixed >= 4 or (fixed == broken > 1 and evidence.strong > 1)
    if bad > 0.25 * good or charset == "VNI":  # whose words nearly all have a letter with its mark beside it
        return False
    familiar = evidence.fixed_common >= (fixed if fixed < 8 else 0.5 * fixed)
    return familiar and fixed + evidence.kept > 1 and fixed > 0.9 * broken


def _weigh(words: Iterable[str], charset: str) -> _Evidence:
    evidence = _Evidence()
    for word in words:
        if word.isascii() or not _MISREAD.search(word):
            continue
        reading = _read(charset, word)
        if reading.syllable is None:
            continue
        before = _are_syllables(word.replace("\u00ad", ""))
        evidence.broken += not before
        evidence.harmed += before and not reading.syllable
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
    """How many words without marks are syllables, and how many are not. Abbreviations are neither."""
    good = bad = 0
    for word in words:
        if word.isascii() and len(word) > 1:
            if _are_syllables(word):
                good += 1
            elif not word.isupper():
                bad += 1
    return good, bad


def _read(charset: str, word: str) -> _Reading:
    """A word read by a charset, without what only looks like a letter of it."""
    if len(word) > _LONGEST:  # not to be kept in a cache
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
    """Whether all of a word's runs of letters are syllables, with nothing but ASCII or quotation marks between them."""
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
    """A word in capitals where its letters without tone are: TCVN3 has no others.

    One letter is not enough (`Bé` is Bộ), unless the line is all capitals.
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


def _mended(line: str) -> str:
    """A line of UTF-8 that was read as windows-1252, as it was meant; any other line as it is."""
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


def _undone_1258(line: str) -> str | None:
    """A line that was read as windows-1258, as windows-1252 reads its bytes; None when it reads as Vietnamese."""
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
