"""An index in which 304 answers point to the capture that they confirmed.

A `revisit` record of the profile server-not-modified holds the answer 304. pywb (2.10) replays it as that: a picture
or a style that was asked for conditionally is then missing on the page. Its line is replaced by the entry of the record
that it confirmed, so that every moment shows what a visitor saw then. Revisits of identical payloads need no change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_REVISIT = '"mime": "warc/revisit"'
_DIGEST = re.compile(r'"digest": "([^"]*)"')


def resolve_unmodified(lines: Iterable[str]) -> Iterator[str]:
    """Sorted CDXJ lines; a 304 revisit gets the entry of the earlier capture of its address, by digest if known.

    A line without such a predecessor stays as it is. Memory is that of one address's entries.
    """
    key = None
    known: dict[str, str] = {}
    current: str | None = None
    for line in lines:
        this, timestamp, entry = line.split(" ", 2)
        if this != key:
            key, known, current = this, {}, None
        match = _DIGEST.search(entry)
        digest = match[1] if match else ""
        if _REVISIT in entry and '"status": "304"' in entry:
            original = known.get(digest) or current
            yield line if original is None else f"{this} {timestamp} {original}"
            continue
        if _REVISIT in entry:
            current = known.get(digest, entry)
        elif '"status": "200"' in entry:
            known[digest] = current = entry
        yield line
