"""Decides by the words around a full date whether it is a publication stamp or one of the many other dates on a page.

A date needs evidence to be accepted. A label ("Đăng lúc", "Cập nhật") is evidence; so is the format of a program's
stamp (23/05/2017 08:05). A bare date needs clean surroundings: its own line, a weekday, a section or author before a
dash, brackets at the end of a headline. Dates in a sentence ("Ngày 18/11/2016, Ban Dân vận tổ chức …"), spans, dates
of documents, anniversaries and unknown labels are refused, because a missing date can be found elsewhere, but a wrong
date cannot be recognised later. The words are in `_stamp_labels`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from danvan_crawler.vietnamese import _stamp_labels
from danvan_crawler.vietnamese._stamp_clock import weekday_number
from danvan_crawler.vietnamese._stamp_view import View


class Rank(IntEnum):
    """Strength of the evidence for a date; of several dates the one with the highest rank is the stamp."""

    BARE = 1
    UPDATED = 2
    PUBLISHED = 3


@dataclass(frozen=True, slots=True)
class Look:
    """Format of a stamp at view[start:end]."""

    start: int
    end: int
    # A date beside a time with colons, as programs print them.
    mechanical: bool
    # "8h30 ngày 23/5/2017": time and date as people write them.
    spoken: bool
    short_year: bool
    # The separator of a numeric date: 23-05-2017 occurs in file names, 23/05/2017 cannot.
    separator: str


# Characters checked on either side: labels are short, and the cost must not be quadratic in the text.
_WINDOW = 160
# Maximum words of an author or a place before a bare date: "Nguyễn Văn A 23/05/2017".
_NAME_WORDS = 5
_LABELS = (
    (_stamp_labels.PUBLISHED, Rank.PUBLISHED),
    (_stamp_labels.UPDATED, Rank.UPDATED),
    (_stamp_labels.WRITTEN, Rank.PUBLISHED),
)


def rank(seen: View, look: Look) -> Rank | None:
    """Rank of the date as a publication stamp; None if it is another kind of date."""
    first = max(0, look.start - _WINDOW)
    lead = seen.lower[first : look.start]
    rest = seen.lower[look.end : look.end + _WINDOW]
    if _is_other_date(lead, rest, look):
        return None
    connectors = _stamp_labels.CONNECTORS.search(lead)
    spoken, weekday = look.spoken, False
    if connectors:
        lead = lead[: connectors.start()]
        # "Ngày: 23/05/2017" is a label, "Ngày 23/05/2017" may begin a sentence.
        spoken = spoken or (connectors["day"] is not None and ":" not in connectors[0])
        weekday = _stamp_labels.WEEKDAY_WORD.search(connectors[0]) is not None
    counter = _stamp_labels.COUNTER.search(lead)
    if counter:
        # A view counter before the stamp acts as a separator.
        lead = lead[: counter.start()] + "|"
    shown = seen.shown[first : first + len(lead)]
    label = labelled(lead, shown, connectors is not None)
    if label is not None:
        return None if _stamp_labels.OTHER_PUBLICATION.match(rest) else label
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


def labelled(lead: str, shown: str, connectors: bool = False) -> Rank | None:
    """Rank of the label at the end of `lead` (lower case), or None. `shown` is the same text with the printed case.

    `connectors`: whether "ngày" or a similar word after the label was removed.
    """
    for pattern, found in _LABELS if connectors else _LABELS[:2]:
        label = pattern.search(lead)
        if label and _begins_statement(lead[: label.start()], shown[label.start()]):
            return found
    return None


def weekdays_beside(seen: View, look: Look) -> Iterator[int]:
    """Yield the weekdays (Monday 0) printed with a stamp: directly before it, inside it, or after it at a stop."""
    connectors = _stamp_labels.CONNECTORS.search(seen.lower[max(0, look.start - _WINDOW) : look.start])
    if connectors:
        for match in _stamp_labels.WEEKDAY_WORD.finditer(connectors[0]):
            yield weekday_number(match[0])
    for match in _stamp_labels.WEEKDAY_WORD.finditer(seen.lower, look.start, look.end):
        yield weekday_number(match[0])
    after = _stamp_labels.WEEKDAY_BEHIND.match(seen.lower, look.end)
    if after:
        yield weekday_number(after["name"])


def _is_other_date(lead: str, rest: str, look: Look) -> bool:
    """Whether the date is in a span, the lunar calendar, an address or a file name. Its label does not matter then."""
    weekday = _stamp_labels.WEEKDAY_BEFORE.search(lead)
    # "T3, 23/05/2017" is not a list of days.
    if _stamp_labels.SPAN_BEFORE.search(
        lead[: weekday.start()] if weekday else lead
    ) and not _stamp_labels.COUNTER.search(lead):
        return True
    if _stamp_labels.SPAN_BEHIND.match(rest) or _stamp_labels.LUNAR_BEHIND.match(rest):
        return True
    if look.separator in ("-", ".") and not look.mechanical:
        return bool(_stamp_labels.NAME_BEFORE.search(lead) or _stamp_labels.NAME_BEHIND.match(rest))
    return False


def _begins_statement(before: str, first_letter: str) -> bool:
    """Whether a label begins a statement: after a line break or separator, or with a capital. Not in a sentence."""
    before = before.rstrip(" ")
    return first_letter.isupper() or not before or before[-1] in "|•·»>\n-–—:;.()[]" or before[-1].isdigit()


def _clean_before(line: str, shown: str, spoken: bool, weekday: bool, look: Look) -> bool:
    """Whether the text before a bare date on its line allows a stamp; `shown` is the line with its printed case."""
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
    # A short year is too weak for the weak evidence below.
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
    """Whether the text after a bare date on its line allows a stamp."""
    line = rest.partition("\n")[0]
    if not line.strip(" .,;'\"") or line.lstrip(" ")[0] in "|•·»)]":
        return True
    if _stamp_labels.TRAILER.match(line) or _stamp_labels.WEEKDAY_BEHIND.match(line):
        return True
    if line.lstrip(" ")[0] in "-–—":
        return not spoken
    following = seen.shown[look.end]
    if following.isupper():
        # The next element follows without a space: 14/12/2021Ngày 13/12.
        return True
    return not spoken and following == " " and seen.shown[look.end : look.end + _WINDOW].lstrip(" ")[:1].isupper()
