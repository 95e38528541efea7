"""Exports all WARC files of a site as one self-contained file, in which revisits are complete responses.

A warcinfo record for the whole comes first, then all records in order of WARC-Date. Other records than revisits are
copied unchanged. A revisit becomes a `response` record with its own id, date and address, the head that the server
sent, and the payload of the record that it refers to. If the revisit holds a 304, that is the response that the 304
confirmed, and the 304 itself goes into a `metadata` record concurrent to it. So the same id can name a revisit in the
archive and an equivalent response in an export.

Memory holds a few hundred bytes for each record, and one block.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from danvan_crawler import clock
from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import ArchiveDamagedError, archive_error
from danvan_crawler.export.wacz import refuse_existing
from danvan_crawler.warc.members import BrokenRecordError, MemberWalker
from danvan_crawler.warc.message import entity_body, sha1_base32
from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.records import build_record, build_warcinfo, new_record_id
from danvan_crawler.warc.revisits import Reference, is_not_modified, reference_of, whole_response

_GZIP = 16 + isal_zlib.MAX_WBITS
_WITH_PAYLOAD = frozenset({"response", "resource"})
_OF_THE_REVISIT = frozenset({
    "warc-type", "warc-record-id", "warc-date", "warc-profile", "warc-refers-to", "warc-refers-to-target-uri",
    "warc-refers-to-date", "warc-truncated", "warc-block-digest", "warc-payload-digest", "content-type",
    "content-length",
})  # fmt: skip
"""Fields of a revisit that the response does not copy, or sets again."""


@dataclass(frozen=True, slots=True, order=True)
class _Location:
    """Where a record is in its file; sorts by WARC-Date, file, offset."""

    date: str
    file: int
    start: int
    end: int
    is_revisit: bool


@dataclass(slots=True)
class Exported:
    """What an export wrote."""

    records: int = 0
    resolved: int = 0
    """Revisits that became responses."""
    lost: list[str] = field(default_factory=list)
    """Revisits whose record is not in these files, one sentence each. They are exported unchanged."""


def export_warc(
    paths: Sequence[Path],
    output: Path,
    description: Mapping[str, str],
    *,
    replace: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Writes the records of WARC files into one file; if its name ends in `.gz`, gzipped with a member per record.

    `description` are the fields of its warcinfo record. The file gets its name when it is complete.

    Raises UsageError if the file exists and must not be replaced, ArchiveDamagedError for a file that cannot be read to
    its end, ArchiveError and DiskFullError.
    """
    refuse_existing(output, replace)
    locations, originals = _survey(paths)
    result = Exported()
    try:
        with replacing(output) as file:
            write = file.write if output.name.endswith(".gz") else lambda data: file.write(_unpacked(data))
            opening = build_warcinfo(
                output.name, description, record_id=new_record_id(), date=clock.warc_date(clock.now())
            )
            write(opening)
            for done, location in enumerate(locations, start=1):
                for member in _members(paths, location, originals, result):
                    write(member)
                    result.records += 1
                progress(done, len(locations))
            refuse_existing(output, replace)
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    return result


def _survey(paths: Sequence[Path]) -> tuple[list[_Location], dict[str, tuple[int, int]]]:
    """All records in order of their dates, and the places of payloads by record id and by address and date."""
    locations: list[_Location] = []
    originals: dict[str, tuple[int, int]] = {}
    for number, path in enumerate(paths):
        with closing(_open(path)) as file:
            walker = MemberWalker(file)
            while True:
                try:
                    member = walker.next(lambda headers: False)
                except BrokenRecordError as error:
                    raise ArchiveDamagedError(
                        f"{path} is damaged: no complete record at byte {error.offset}: {error}"
                    ) from error
                if member is None:
                    break
                headers, kind = member.headers, member.headers["WARC-Type"].lower()
                locations.append(_Location(headers["WARC-Date"], number, member.offset, member.end, kind == "revisit"))
                if kind in _WITH_PAYLOAD:
                    record = WarcRecord(kind, headers, member.offset, b"")
                    for key in (record.id, _moment(record.url, record.date)):
                        originals.setdefault(key, (number, member.offset))
    locations.sort()
    return locations, originals


def _members(
    paths: Sequence[Path], location: _Location, originals: Mapping[str, tuple[int, int]], result: Exported
) -> Iterator[bytes]:
    """The gzip members to write for one record."""
    path = paths[location.file]
    if location.is_revisit:
        revisit = _read(path, location.start)
        reference = reference_of(revisit)
        assert reference is not None  # of a revisit
        original = _original(paths, reference, originals)
        if original is not None:
            result.resolved += 1
            yield from _resolved(revisit, original)
            return
        result.lost.append(f"{path}: {revisit.id} is a revisit to a record that is missing: {reference}")
    with closing(_open(path)) as file:
        file.seek(location.start)
        yield file.read(location.end - location.start)


def _original(
    paths: Sequence[Path], reference: Reference, originals: Mapping[str, tuple[int, int]]
) -> WarcRecord | None:
    found = originals.get(reference.record_id or _moment(reference.url, reference.date))
    if found is None:
        return None
    record = _read(paths[found[0]], found[1])
    return record if reference.matches(record) else None


def _resolved(revisit: WarcRecord, original: WarcRecord) -> Iterator[bytes]:
    """A revisit as a response record, and its 304 as metadata."""
    block = whole_response(revisit, original)
    fields = [(name, value) for name, value in revisit.headers.items() if name.lower() not in _OF_THE_REVISIT]
    truncated = [("WARC-Truncated", original.truncated)] if original.truncated else []
    http = "application/http;msgtype=response"
    yield build_record(
        "response",
        block,
        record_id=revisit.id,
        date=revisit.date,
        content_type=http,
        fields=[*fields, *truncated, ("WARC-Payload-Digest", sha1_base32(entity_body(block)))],
    )
    if is_not_modified(revisit):
        kept = [(name, value) for name, value in fields if name.lower() in ("warc-ip-address", "warc-warcinfo-id")]
        target = f"urn:danvan:not-modified:{revisit.id.removeprefix('urn:uuid:')}"
        yield build_record(
            "metadata",
            revisit.block,
            # Always the same, so that exporting again gives the same records.
            record_id=uuid.uuid5(uuid.NAMESPACE_URL, target).urn,
            date=revisit.date,
            content_type=http,
            fields=[("WARC-Target-URI", target), *kept, ("WARC-Concurrent-To", f"<{revisit.id}>")],
        )


def _moment(url: str | None, date: str | None) -> str:
    """The key to find a record without its id. Record ids have no blank, so keys are unique."""
    return f"{url} {date}"


def _read(path: Path, offset: int) -> WarcRecord:
    with closing(_open(path)) as file:
        try:
            member = MemberWalker(file, offset).next()
        except BrokenRecordError as error:
            raise ArchiveDamagedError(f"{path} has changed at byte {offset} while it was read: {error}") from error
    if member is None or member.block is None:
        raise ArchiveDamagedError(f"{path} has become shorter while it was read")
    return WarcRecord(member.headers["WARC-Type"].lower(), member.headers, offset, member.block)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def _unpacked(member: bytes) -> bytes:
    return bytes(isal_zlib.decompress(member, _GZIP))
