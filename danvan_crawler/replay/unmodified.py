"""Makes an index in which 304 responses refer to the capture that they confirmed.

A `revisit` record of the profile server-not-modified holds a 304 response. pywb (2.10) replays it as a 304, so that a
picture or a style sheet that was requested conditionally is missing on the page. Here its line gets the entry of the
record that it confirmed, so that a replay shows what a visitor saw at that time. Revisits of identical payloads need no
change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_REVISIT = '"mime": "warc/revisit"'
_DIGEST = re.compile(r'"digest": "([^"]*)"')


def resolve_unmodified(lines: Iterable[str]) -> Iterator[str]:
    """Sorted CDXJ lines; a 304 revisit gets the entry of the earlier capture of its address, by digest if known.

    A line without such a capture is not changed. Memory: the entries of one address.
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
