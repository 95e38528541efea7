"""Counters that portals print beside a title: how often it was read, how many comments it has."""

from __future__ import annotations

import re

_WHAT = r"(?:lượt\s+(?:xem|đọc|truy\s+cập)|bình\s+luận|views?|comments?)"
_COUNTER = re.compile(
    rf"(?i)\W*\b(?:(?:số\s+)?{_WHAT}|đã\s+(?:xem|đọc))\s?[:(]?\s?[\d.,]+\W*|\W*\b\d[\d.,]*\s?{_WHAT}\b\W*"
)
_LONGEST = 1000
"""Characters of a title that is looked through."""


def without_counters(title: str) -> str:
    """A title, in NFC, without them. A bare number stays: nobody knows what it counts.

    >>> without_counters("Hội nghị sơ kết (Lượt xem: 1.204)"), without_counters("15 views | Năm 2026")
    ('Hội nghị sơ kết', 'Năm 2026')
    """
    return _COUNTER.sub(" ", title).strip() if len(title) <= _LONGEST else title
