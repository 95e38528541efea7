"""Tone placement: `hòa` and `hoà`, `ủy` and `uỷ` are one word in two spellings.

Old style (the stored one) puts the tone of oa, oe, uy without a final consonant on the first vowel, new style on the
second. Both agree on all else, and typing errors (`gía`, `qủa`, `hùynh`) are common. The rule, for a word that has
exactly one tone and is onset + one to three vowels + coda of a Vietnamese syllable:

1. `qu` and `gi` before a vowel are onsets: their u and i never carry the tone.
2. A vowel with a shape mark takes the tone, the last one of two (ươ).
3. Else the only vowel; else, with a coda, the last vowel; else the middle one of three; else the first of two.

Any other word (café, names) is not changed. i/y variants (lý/lí) are a spelling choice, not tone placement. A reference
implementation of the same rule changes 69 of the 6,631 syllables of hunspell-vi, every one ending in oa, oe or uy.
"""

from __future__ import annotations

import re
from functools import lru_cache

from danvan_crawler.vietnamese._text_letters import VOWELS

# letter -> (the letter without tone, the number of its tone), both cases.
_APART = {
    letter: (row[0], tone) for lower in VOWELS for row in (lower, lower.upper()) for tone, letter in enumerate(row)
}
_TONED = {row[0]: row for lower in VOWELS for row in (lower, lower.upper())}

_SYLLABLE = re.compile(
    r"(?:qu(?=[aăâeêioôơuưy])|gi(?=[aăâeêioôơuưy])|ngh?|nh|ch|gh?|kh?|ph|th|tr|[bcdđhlmnrstvxp])?"
    r"(?P<vowels>[aăâeêioôơuưy]{1,3})(?P<coda>ch|ng|nh|[ckmnpt])?"
)
_SHAPED = frozenset("ăâêôơư")


def _either(vowels: str) -> str:
    return vowels + vowels.upper()


_P = f"[{_either('aeiouy')}]"
_T = f"[{_either(''.join(row[1:] for row in VOWELS if row[0] in 'aeiouy'))}]"
_S = f"[{_either('ăâêôơư')}]"
_U = f"[{_either(''.join(row[1:] for row in VOWELS if row[0] in 'ăâêôơư'))}]"
_LETTER = r"[^\W\d_]"
_CONSONANT = f"[{_either('bcđdghklmnpqrstvx')}]"

# Every spelling that the rule changes matches this around its toned vowel. Correct old-style text has almost no match,
# so there one search is all the work. P plain, T plain with tone, S shaped, U shaped with tone. The pattern begins with
# one character class, because the regex engine can skip to it quickly (twice as fast as an alternation).
_SUSPECT = re.compile(
    f"{_T[:-1]}{_U[1:]}(?:{_P}?{_S}|(?<={_T}){_P}(?:{_P}|{_CONSONANT})|(?<={_S}{_T})|(?<={_S}{_P}{_T})"
    f"|(?<=[qQ][{_either('ùúủũụ')}]){_P}|(?<=[gG][{_either('ìíỉĩị')}]){_P}|(?<={_P}{_T})(?!{_LETTER}))"
)
# The longest syllable is nghiêng; a longer run of letters cannot be one, which also bounds the work on hostile input.
_REACH = 7
_NOT_LETTERS = re.compile(r"[\W\d_]")
_COMBINING = re.compile("[\u0300-\u036f]")


@lru_cache(maxsize=16384)
def place(word: str) -> str:
    """Return one NFC `word` with its tone mark in old style. A word that is not a Vietnamese syllable is unchanged.

    >>> place("hoà"), place("Uỷ"), place("qúy"), place("toàn"), place("café")
    ('hòa', 'Ủy', 'quý', 'toàn', 'café')
    """
    bases: list[str] = []
    tones: list[int] = []
    for letter in word:
        base, tone = _APART.get(letter, (letter, 0))
        bases.append(base)
        tones.append(tone)
    marked = [tone for tone in tones if tone]
    syllable = _SYLLABLE.fullmatch("".join(bases).lower())
    if len(marked) != 1 or syllable is None:
        return word
    at = syllable.start("vowels") + _carrier(syllable["vowels"], bool(syllable["coda"]))
    bases[at] = _TONED[bases[at]][marked[0]]
    return "".join(bases)


def _carrier(vowels: str, coda: bool) -> int:
    """Index of the vowel that carries the tone in a group of one to three vowels without tone."""
    shaped = [index for index, vowel in enumerate(vowels) if vowel in _SHAPED]
    if shaped:
        return shaped[-1]
    if coda:
        return len(vowels) - 1
    return 1 if len(vowels) == 3 else 0


def place_all(text: str) -> str:
    """Return NFC `text` with every syllable's tone in old style, the rest unchanged."""
    match = _SUSPECT.search(text)
    if match is None:
        return text
    parts: list[str] = []
    done = 0
    while match is not None:
        start, end = _word_around(text, match.start(), match.end())
        parts += text[done:start], place(text[start:end])
        done = end
        match = _SUSPECT.search(text, max(end, match.start() + 1))
    parts.append(text[done:])
    return "".join(parts)


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Span of the word around text[start:end]; an empty span at `end` if it is too long to be a syllable."""
    left, right = max(0, start - _REACH), min(len(text), end + _REACH)
    before = text[left:start]
    while before and not _NOT_LETTERS.match(before[-1]):
        before = before[:-1]
    after = _NOT_LETTERS.search(text, end, right)
    first, last = left + len(before), after.start() if after else right
    marked = last < len(text) and _COMBINING.match(text[last])
    if last - first > _REACH or marked:
        return end, end
    return first, last
