"""Counters that portals print beside a title: views and comments."""

from __future__ import annotations

import re

_WHAT = r"(?:lượt\s+(?:xem|đọc|truy\s+cập)|bình\s+luận|views?|comments?)"
_COUNTER = re.compile(
    rf"(?i)\W*\b(?:(?:số\s+)?{_WHAT}|đã\s+(?:xem|đọc))\s?[:(]?\s?[\d.,]+\W*|\W*\b\d[\d.,]*\s?{_WHAT}\b\W*"
)
_LONGEST = 1000
"""Longer titles are not searched."""


def without_counters(title: str) -> str:
    """A title (NFC) without its counters. A bare number is kept, because its meaning is unknown.

    >>> without_counters("Hội nghị sơ kết (Lượt xem: 1.204)"), without_counters("15 views | Năm 2026")
    ('Hội nghị sơ kết', 'Năm 2026')
    """
    return _COUNTER.sub(" ", title).strip() if len(title) <= _LONGEST else title
