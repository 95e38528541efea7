"""The findings of verification: a name for each kind of defect, and the place of the defect.

A finding is damage if something that should be in the archive is missing or changed. Other findings are notices and do
not change the exit code: deviations of other tools, files that a run may still be writing, and references to files
that were not given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

KINDS = {
    # the file as a chain of gzip members
    "unreadable": "the file cannot be read",
    "empty-file": "the file holds nothing",
    "not-gzip": "the file does not begin with a gzip member",
    "truncated": "the file ends inside a record",
    "corrupt-gzip": "a gzip member cannot be decompressed",
    "bad-checksum": "a gzip member's checksum or length is wrong",
    "trailing-garbage": "bytes after the last record are not a gzip member",
    "garbage-between-records": "bytes between two records are not a gzip member",
    "several-records-in-a-member": "a gzip member holds more than one record",
    # a record's form
    "not-a-record": "a gzip member holds no WARC record",
    "bad-version": "the version line is neither WARC/1.0 nor WARC/1.1",
    "no-header-end": "the record's header has no end",
    "bad-header-line": "a line of the header is not a named field",
    "missing-field": "a field that every record, or every one of this type, must have is missing",
    "repeated-field": "a field that may occur once occurs again",
    "bad-record-id": "WARC-Record-ID is not a URI in angle brackets",
    "duplicate-id": "another record has the same id",
    "bad-date": "WARC-Date is not a date in UTC",
    "bad-content-length": "Content-Length is not a number",
    "length-mismatch": "the block is not as long as Content-Length says",
    "missing-record-end": "the record does not end in two line breaks",
    "missing-content-type": "a block that is not empty has no Content-Type",
    "bad-target-uri": "WARC-Target-URI is not an absolute URI",
    "bad-ip-address": "WARC-IP-Address is not an IP address",
    "unknown-type": "the record's type is not defined in WARC/1.1",
    # what a record says of its block and of other records
    "block-digest-mismatch": "the block does not match WARC-Block-Digest",
    "payload-digest-mismatch": "the payload does not match WARC-Payload-Digest",
    "payload-digest-of-framed-body": "WARC-Payload-Digest covers the transfer framing, as warcio computes it",
    "unknown-digest-algorithm": "the algorithm of a digest is not supported",
    "bad-http-status": "the block of a response has no HTTP status line",
    "bad-http-request": "the block of a request has no HTTP request line",
    "unmarked-truncation": "the HTTP message is cut short and the record has no WARC-Truncated",
    "missing-partner": "WARC-Concurrent-To names a record that is not there",
    "missing-request": "no request belongs to the response",
    "missing-warcinfo": "WARC-Warcinfo-ID names a record that is not there",
    "no-warcinfo": "the file does not begin with a warcinfo record",
    "revisit-incomplete": "a revisit lacks its profile, or the id, address or date of its target",
    "revisit-target-missing": "the record that a revisit refers to is not there",
    "revisit-digest-differs": "a revisit and the record that it refers to have different payload digests",
    # what lies beside the file
    "unfinished": "the file is being written, or was left by a run that died",
    "index-missing": "the file has no index",
    "index-unsorted": "the lines of the index are not sorted",
    "index-line-wrong": "a line of the index does not belong to the file",
    "index-line-missing": "a record is not in the index",
    "manifest-missing": "the file has no SHA-256 manifest: the run that wrote it did not finish",
    "manifest-mismatch": "the file's SHA-256 is not what its manifest says",
    "file-missing": "a manifest or index names a file that is not there",
    "set-aside": "a file with damaged bytes that a repair moved out of a WARC file",
    # the item database
    "database-unreadable": "the item database cannot be read",
    "capture-record-missing": "the record of a capture in the database is not there",
    "capture-record-differs": "the record of a capture is not what the database says",
    "item-record-missing": "an article names a record that is not there",
    "item-record-differs": "the record of an article is not what the article says",
    # a WACZ package
    "wacz-unreadable": "the package is not a ZIP file, or a part of it cannot be read",
    "wacz-part-missing": "the package lacks a part that WACZ 1.1.1 requires",
    "wacz-digest-mismatch": "a part is not what datapackage.json or its digest file says",
    "wacz-part-unlisted": "a part is not in datapackage.json",
    "wacz-pages-wrong": "pages.jsonl is not what it should be",
    "wacz-index-wrong": "the index of the package is not that of its WARC files",
}
"""Every kind of finding and its meaning, in the order of the checks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect or notice."""

    file: str
    """Relative to the archive, or as it was given."""
    offset: int | None
    """Offset of the record or the damage in the file; None for the whole file."""
    kind: str
    """One of KINDS."""
    sentence: str
    damage: bool = True

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        place = self.file if self.offset is None else f"{self.file} at byte {self.offset}"
        return f"{place}: {self.kind}: {self.sentence}" + ("" if self.damage else " (no damage)")


@dataclass(slots=True)
class Verification:
    """Counts of checked files, records and findings; `report` is called with every finding."""

    report: Callable[[Finding], None]
    progress: Callable[[int], None]
    """Called with the number of bytes read since the last call."""
    files: int = 0
    records: int = 0
    damage: int = 0
    """Findings that are damage."""
    notices: int = 0
    """Findings that are not damage."""

    def found(self, finding: Finding) -> None:
        """Counts a finding and passes it on."""
        if finding.damage:
            self.damage += 1
        else:
            self.notices += 1
        self.report(finding)
