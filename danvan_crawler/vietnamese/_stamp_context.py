"""What the words around a full date say about it: a publication stamp, or one of the many other dates on a page.

The rule is to need a reason. A label ("Đăng lúc", "Cập nhật") is one; so is the look of a program's stamp (23/05/2017
08:05); a bare date needs clean surroundings: its own line, a weekday, a section or author before a dash, brackets at
the end of a headline. A sentence ("Ngày 18/11/2016, Ban Dân vận tổ chức …"), a span, a document's dates,
anniversaries and unknown labels are refused, since a missing date can be found elsewhere and a wrong one cannot be
told from a right one. The words themselves are in `_stamp_labels`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from danvan_crawler.vietnamese import _stamp_labels
from danvan_crawler.vietnamese._stamp_clock import weekday_number
from danvan_crawler.vietnamese._stamp_view import View


class Rank(IntEnum):
    """How much the surroundings speak for a date; of several dates the highest rank is the stamp."""

    BARE = 1
    UPDATED = 2
    PUBLISHED = 3


@dataclass(frozen=True, slots=True)
class Look:
    """How a stamp at view[start:end] is written."""

    start: int
    end: int
    # Date and a colon time side by side, as programs print them.
    mechanical: bool
    # "8h30 ngày 23/5/2017": time and date joined as people write them.
    spoken: bool
    short_year: bool
    # The separator of a date in numbers: 23-05-2017 occurs in file names, 23/05/2017 cannot.
    separator: str


# Characters looked at on either side: labels are short, and a long text must not cost its square.
_WINDOW = 160
# An author or a place before a bare date is at most so many words: "Nguyễn Văn A 23/05/2017".
_NAME_WORDS = 5
_LABELS = (
    (_stamp_labels.PUBLISHED, Rank.PUBLISHED),
    (_stamp_labels.UPDATED, Rank.UPDATED),
    (_stamp_labels.WRITTEN, Rank.PUBLISHED),
)


def rank(seen: View, look: Look) -> Rank | None:
    """How strongly the surroundings make the date a publication stamp; None when it is another kind of date."""
    first = max(0, look.start - _WINDOW)
    lead = seen.lower[first : look.start]
    rest = seen.lower[look.end : look.end + _WINDOW]
    if _elsewhere(lead, rest, look):
        return None
    peeled = _stamp_labels.PEEL.search(lead)
    spoken, weekday = look.spoken, False
    if peeled:
        lead = lead[: peeled.start()]
        # "Ngày: 23/05/2017" is a label, "Ngày 23/05/2017" may begin a sentence.
        spoken = spoken or (peeled["day"] is not None and ":" not in peeled[0])
        weekday = _stamp_labels.WEEKDAY_WORD.search(peeled[0]) is not None
    counter = _stamp_labels.COUNTER.search(lead)
    if counter:
        # A view counter before the stamp separates it like a bar would.
        lead = lead[: counter.start()] + "|"
    shown = seen.shown[first : first + len(lead)]
    label = labelled(lead, shown, peeled is not None)
    if label is not None:
        return None if _stamp_labels.TOLD.match(rest) else label
    if _stamp_labels.REFUSED.search(lead) or _stamp_labels.APPOINTMENT.match(rest):
        return None
    if _stamp_labels.UNKNOWN_LABEL.search(lead) and not (look.mechanical and _stamp_labels.TIME_LABEL.search(lead)):
        return None
    line = lead.rpartition("\n")[2]
    if look.mechanical and not look.short_year:
        in_sentence = spoken and line.rstrip(" ,")[-1:].isalpha()
        return None if in_sentence else Rank.BARE
    clean = _clean_before(line, shown[len(lead) - len(line) :], spoken, weekday, look)
    return Rank.BARE if clean and _clean_behind(seen, rest, spoken, look) else None


def labelled(lead: str, shown: str, peeled: bool = False) -> Rank | None:
    """The rank of the label that ends `lead`, lower case; `shown` is the same text with the printed case.

    `peeled`: whether "ngày" or the like stood behind it.
    """
    for pattern, found in _LABELS if peeled else _LABELS[:2]:
        label = pattern.search(lead)
        if label and _opens(lead[: label.start()], shown[label.start()]):
            return found
    return None


def weekdays_beside(seen: View, look: Look) -> Iterator[int]:
    """Yield the weekdays (Monday 0) printed with a stamp: right before it, inside it, or behind it at a stop."""
    peeled = _stamp_labels.PEEL.search(seen.lower[max(0, look.start - _WINDOW) : look.start])
    if peeled:
        for match in _stamp_labels.WEEKDAY_WORD.finditer(peeled[0]):
            yield weekday_number(match[0])
    for match in _stamp_labels.WEEKDAY_WORD.finditer(seen.lower, look.start, look.end):
        yield weekday_number(match[0])
    behind = _stamp_labels.WEEKDAY_BEHIND.match(seen.lower, look.end)
    if behind:
        yield weekday_number(behind["name"])


def _elsewhere(lead: str, rest: str, look: Look) -> bool:
    """Whether the date belongs to a span, the lunar calendar, an address or a file name, whatever its label says."""
    weekday = _stamp_labels.WEEKDAY_BEFORE.search(lead)
    # "T3, 23/05/2017" is no list of days.
    if _stamp_labels.SPAN_BEFORE.search(
        lead[: weekday.start()] if weekday else lead
    ) and not _stamp_labels.COUNTER.search(lead):
        return True
    if _stamp_labels.SPAN_BEHIND.match(rest) or _stamp_labels.LUNAR_BEHIND.match(rest):
        return True
    if look.separator in ("-", ".") and not look.mechanical:
        return bool(_stamp_labels.NAME_BEFORE.search(lead) or _stamp_labels.NAME_BEHIND.match(rest))
    return False


def _opens(before: str, first_letter: str) -> bool:
    """Whether a label begins a statement: a capital, a line of its own or a separator, not the middle of a sentence."""
    before = before.rstrip(" ")
    return first_letter.isupper() or not before or before[-1] in "|•·»>\n-–—:;.()[]" or before[-1].isdigit()


def _clean_before(line: str, shown: str, spoken: bool, weekday: bool, look: Look) -> bool:
    """Whether what stands before a bare date on its line lets it be a stamp; `shown` is the line with its case."""
    bare = line.strip(" ,;.'\"")
    if look.short_year and look.separator == ".":
        # 1.2.17 alone is a version or a chapter.
        return weekday
    if bare in ("", "(", "[", "-", "–", "—") or _stamp_labels.SEPARATED.search(line):
        return True
    if spoken:
        # "(QNO) - Ngày 12/10/2020" opens an article; "Hà Nội, ngày …" opens a document.
        return False
    if bare[-1] in "([":
        return not _stamp_labels.OTHER_SUBJECT.search(line)
    # Weak evidence for a date whose year is weak as well.
    if look.short_year:
        return False
    if _stamp_labels.BYLINE.search(line):
        return True
    if bare[-1] in "-–—)]":
        return not _stamp_labels.OTHER_SUBJECT.search(line)
    if line.rstrip(" ").endswith(","):
        return weekday and _is_name(shown)
    return _is_name(shown)


def _is_name(shown: str) -> bool:
    words = shown.strip(" ,").split(" ")
    return len(words) <= _NAME_WORDS and all(word[:1].isupper() for word in words)


def _clean_behind(seen: View, rest: str, spoken: bool, look: Look) -> bool:
    """Whether what stands behind a bare date on its line lets it be a stamp."""
    line = rest.partition("\n")[0]
    if not line.strip(" .,;'\"") or line.lstrip(" ")[0] in "|•·»)]":
        return True
    if _stamp_labels.TRAILER.match(line) or _stamp_labels.WEEKDAY_BEHIND.match(line):
        return True
    if line.lstrip(" ")[0] in "-–—":
        return not spoken
    following = seen.shown[look.end]
    if following.isupper():
        # Glued to the next element: 14/12/2021Ngày 13/12.
        return True
    return not spoken and following == " " and seen.shown[look.end : look.end + _WINDOW].lstrip(" ")[:1].isupper()
