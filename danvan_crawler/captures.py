"""What is known of a capture, and where a record is: one type each, for all that write, index, read or parse records.

A capture is one archived exchange: the index of the item database has a row for it, and an item names the capture of
its page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class RecordPlace(NamedTuple):
    """Where a record is; sorts in the order in which a file holds its records."""

    warc_file: str
    """Relative to the archive, with slashes; the final name, also while the file is still being written."""
    warc_offset: int
    """Byte at which the gzip member of the record begins."""


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """An archived exchange: its response or revisit record, and what the index keeps of it."""

    url: str
    date: str
    """WARC-Date verbatim, UTC, ends in Z."""
    warc_file: str
    warc_offset: int
    """The two of `place`."""
    warc_record_id: str
    """`urn:uuid:...` without angle brackets."""
    payload_digest: str | None
    """Of the payload that the record has, or that it refers to."""
    status: int | None
    """As the server said it: 304 where it had nothing new."""
    truncated: str | None
    """WARC-Truncated, why the response ended early; None for a revisit, whose payload was whole."""
    media_type: str | None
    """Content-Type of the response, lower case, without parameters."""
    etag: str | None = None
    last_modified: str | None = None
    """The validators of the response, as the server wrote them (bytes as latin-1)."""
    refers_to: str | None = None
    """Of a revisit: id of the record that has its payload."""

    @property
    def place(self) -> RecordPlace:
        return RecordPlace(self.warc_file, self.warc_offset)
