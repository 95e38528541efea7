"""Types for a capture and for the place of a record, shared by all code that writes, indexes or reads records.

A capture is one archived exchange: the item database has a row for it, and an item refers to the capture of its page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class RecordPlace(NamedTuple):
    """The place of a record; sorts in the order of the records in a file."""

    warc_file: str
    """Relative to the archive, with slashes; the final name, even while the file is being written."""
    warc_offset: int
    """Byte offset of the record's gzip member."""


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """An archived exchange: the indexed data of its response or revisit record."""

    url: str
    date: str
    """WARC-Date verbatim, UTC, ends in Z."""
    warc_file: str
    warc_offset: int
    """The fields of `place`."""
    warc_record_id: str
    """`urn:uuid:...` without angle brackets."""
    payload_digest: str | None
    """Of the payload that the record has, or that it refers to."""
    status: int | None
    """The server's status: 304 if the content was not modified."""
    truncated: str | None
    """WARC-Truncated, the reason why the response ended early; None for a revisit, whose payload was complete."""
    media_type: str | None
    """Content-Type of the response, lower case, without parameters."""
    etag: str | None = None
    last_modified: str | None = None
    """The validators of the response, verbatim (bytes as latin-1)."""
    refers_to: str | None = None
    """Of a revisit: id of the record with its payload."""

    @property
    def place(self) -> RecordPlace:
        return RecordPlace(self.warc_file, self.warc_offset)
