"""JSONL and CSV exports, streamed in constant memory.

JSONL is UTF-8 without a byte order mark, one item a line, keys in the order of the schema. CSV begins with a byte order
mark, because without it Excel reads UTF-8 as the local code page; lists are JSON, null is empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import BinaryIO

from danvan_crawler.items import EXPORT_FIELDS, LIST_FIELDS
from danvan_crawler.store.queries import Item


def write_jsonl(items: Iterable[Item], out: BinaryIO) -> int:
    """Writes items as JSON Lines. Returns how many."""
    written = 0
    for item in items:
        out.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")
        written += 1
    return written


def write_csv(items: Iterable[Item], out: BinaryIO) -> int:
    """Writes items as CSV (RFC 4180: CRLF line ends, quotes doubled). Returns how many."""
    stream = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    try:
        rows = csv.DictWriter(stream, EXPORT_FIELDS)
        rows.writeheader()
        written = 0
        for item in items:
            rows.writerow({
                name: json.dumps(value, ensure_ascii=False) if name in LIST_FIELDS else value
                for name, value in item.items()
            })  # fmt: skip
            written += 1
    finally:
        stream.detach()  # the caller owns `out` and closes it
    return written


WRITERS: dict[str, Callable[[Iterable[Item], BinaryIO], int]] = {"jsonl": write_jsonl, "csv": write_csv}
"""Export formats by name."""
