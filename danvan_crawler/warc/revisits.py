"""Resolves revisit records: builds the complete response from a revisit and the record that it refers to.

A revisit of profile identical-payload-digest has the head that the server sent, and its payload is that of the record
that it refers to. A revisit of profile server-not-modified has the 304, and stands for the response that the 304
confirmed. Profiles of WARC/1.0 and 1.1 are both accepted, and so are revisits without `WARC-Refers-To`, which other
tools write (warcio's `create_revisit_record` omits it): then address and date identify the record. `find_original`
finds that record, `find_record` finds a record by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import ArchiveError, LostPayloadError, UnknownItemError
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.message import entity_body, parse_head, split_head
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record

_NOT_MODIFIED = "/server-not-modified"
_WITH_PAYLOAD = frozenset({"response", "resource"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A revisit's reference to the record with its payload. A valid one has an id, or an address and a date."""

    record_id: str | None
    url: str | None
    date: str | None

    def matches(self, record: WarcRecord) -> bool:
        """Whether this is the record referred to, and has a payload of its own."""
        if record.type not in _WITH_PAYLOAD:
            return False
        if self.record_id is not None:
            return record.id == self.record_id
        return self.url is not None and (record.url, record.date) == (self.url, self.date)

    def __str__(self) -> str:
        return self.record_id or f"{self.url} of {self.date}"


def reference_of(record: WarcRecord) -> Reference | None:
    """The reference of a revisit; None for records of other types."""
    if record.type != "revisit":
        return None
    record_id, url = record.headers.get("WARC-Refers-To"), record.headers.get("WARC-Refers-To-Target-URI")
    return Reference(
        None if record_id is None else record_id.strip("<>"),
        None if url is None else url.strip("<>"),
        record.headers.get("WARC-Refers-To-Date"),
    )


def is_not_modified(record: WarcRecord) -> bool:
    """Whether this is a revisit that holds a 304."""
    return record.type == "revisit" and (record.headers.get("WARC-Profile") or "").endswith(_NOT_MODIFIED)


def whole_response(record: WarcRecord, original: WarcRecord) -> bytes:
    """The response message that a revisit stands for; `original` is the record that it refers to.

    If the head has `Transfer-Encoding: chunked`, the payload is one chunk, because a revisit does not hold the original
    chunks.
    """
    if original.type == "resource":
        return split_head(record.block)[0] + original.block
    if is_not_modified(record) or not record.block:
        return original.block
    head = split_head(record.block)[0]
    return head + _framed(head, entity_body(original.block))


def _framed(head: bytes, payload: bytes) -> bytes:
    codings = b",".join(parse_head(head).getall(b"Transfer-Encoding"))
    if codings.rpartition(b",")[2].strip().lower() != b"chunked":
        return payload
    return (b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b"") + b"0\r\n\r\n"


def full_id(record_id: str) -> str:
    """A record id in the form of WARC-Record-ID, without angle brackets: `urn:uuid:…`."""
    bare = record_id.strip().removeprefix("<").removesuffix(">").lower()
    return bare if bare.startswith("urn:") else f"urn:uuid:{bare}"


def find_record(archive: Path, record_id: str, hint: RecordPlace | None = None) -> WarcRecord:
    """The record with this id: at `hint` if it is there, else anywhere in the archive.

    Without a hint, or with a wrong one, files are searched; the search continues after a damaged file. Raises
    UnknownItemError, or ArchiveError if the record was not found and a file could not be read to its end.
    """
    wanted = full_id(record_id)
    if hint is not None:
        try:
            record = read_record(archive, hint)
        except ArchiveError:
            pass  # the hint may be outdated: search the files
        else:
            if record.id == wanted:
                return record
    found = _search(warc_files(archive, include_open=True), lambda record: record.id == wanted)
    if found is None:
        raise UnknownItemError(f"no WARC file in {archive} holds a record {wanted}")
    return found


def find_original(archive: Path, revisit: WarcRecord, hint: RecordPlace | None = None) -> WarcRecord:
    """The record that a revisit refers to, searched like in `find_record`.

    Raises LostPayloadError, or ArchiveError if the record was not found and a file could not be read to its end.
    """
    reference = reference_of(revisit)
    if reference is None:
        raise ValueError(f"a {revisit.type} record refers to no other")
    if hint is not None:
        try:
            record = read_record(archive, hint)
        except ArchiveError:
            pass
        else:
            if reference.matches(record):
                return record
    found = _search(warc_files(archive, include_open=True), reference.matches)
    if found is None:
        raise LostPayloadError(f"{revisit.id} is a revisit to a record that is not in the archive: {reference}")
    return found


def _search(paths: Iterable[Path], matches: Callable[[WarcRecord], bool]) -> WarcRecord | None:
    """The first matching record; None if there is none. Without a match, raises the first error of a file."""
    damage: ArchiveError | None = None
    for path in paths:
        try:
            for record in iter_records(path):
                if matches(record):
                    return record
        except ArchiveError as error:
            damage = damage or error
    if damage is not None:
        raise damage
    return None
