"""A date line normalised for the date patterns, with a map back to the printed characters.

Patterns see NFC in lower case, ASCII digits and punctuation, spaces and newlines as the only white space, and no
invisible characters. A stamp is reported verbatim, so every character of the view is mapped to its original. Most
lines need only replacements of one character by one; the map is built only if characters were joined or dropped.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from danvan_crawler.vietnamese._text_letters import FAKE_D, INVISIBLE, LINE_BREAKS, ODD_SPACES, compose

_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_ONE_FOR_ONE = str.maketrans(
    _FULL_WIDTH
    | FAKE_D
    | dict.fromkeys("\t\u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " ")
    | dict.fromkeys(LINE_BREAKS.replace("\r", ""), "\n")
    # A carriage return is beside its newline; a space keeps the length.
    | {"\r": " "}
    | dict.fromkeys("‐‑‒−﹣", "-")
    | dict.fromkeys("ʼ′‘’`´", "'")
    | dict.fromkeys("∶：", ":")
    | dict.fromkeys("∕⁄", "/")
)
_REPLACEABLE = re.compile(f"[\uff01-\uff5e{''.join(FAKE_D)}{ODD_SPACES}{LINE_BREAKS}‐‑‒−﹣ʼ′‘’`´∶∕⁄]")
# Combining marks are joined with their letter; invisible characters are dropped.
_JOINED = re.compile(f"[\u0300-\u036f{INVISIBLE}]")
_CLUSTER = re.compile(f"(?P<unseen>[{INVISIBLE}]+)|[^{INVISIBLE}][\u0300-\u036f]*")


@dataclass(frozen=True, slots=True)
class View:
    """`lower` is for matching; `shown` is the same text with the printed case, of the same length."""

    text: str
    shown: str
    lower: str
    starts: list[int] | None
    ends: list[int] | None

    def raw(self, start: int, end: int) -> str:
        """The original characters behind view[start:end], which must not be empty."""
        if self.starts is None or self.ends is None:
            return self.text[start:end]
        return self.text[self.starts[start] : self.ends[end - 1]]


def view(text: str) -> View:
    """Return the view of any string.

    >>> seen = view("２３／０５／２０１７")
    >>> seen.lower, seen.raw(0, 2)
    ('23/05/2017', '２３')
    """
    shown = text.translate(_ONE_FOR_ONE) if _REPLACEABLE.search(text) else text
    starts: list[int] | None = None
    ends: list[int] | None = None
    if _JOINED.search(shown) or not unicodedata.is_normalized("NFC", shown):
        shown, starts, ends = _joined(shown)
    lower = shown.lower()
    if len(lower) != len(shown):
        # İ is the only letter whose lower case is longer.
        lower = shown.replace("İ", "I").lower()
    return View(text, shown, lower, starts, ends)


def _joined(text: str) -> tuple[str, list[int], list[int]]:
    """Compose letters with their marks, drop invisible characters. Returns text, and start and end of each original."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        if cluster["unseen"]:
            continue
        printed = cluster[0]
        letters = printed if len(printed) == 1 and printed.isascii() else compose(printed)
        out.append(letters)
        starts += [cluster.start()] * len(letters)
        ends += [cluster.end()] * len(letters)
    return "".join(out), starts, ends
