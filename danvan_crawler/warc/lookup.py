"""One record by its id."""

from __future__ import annotations

from pathlib import Path

from danvan_crawler.exceptions import ArchiveError, UnknownItemError
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record


def full_id(record_id: str) -> str:
    """A record id as WARC-Record-ID has it, without angle brackets: `urn:uuid:…`."""
    bare = record_id.strip().removeprefix("<").removesuffix(">").lower()
    return bare if bare.startswith("urn:") else f"urn:uuid:{bare}"


def find_record(archive: Path, record_id: str, hint: tuple[str, int] | None = None) -> WarcRecord:
    """The record with this id: where `hint` (file, offset) says, else wherever it is in the archive.

    Without a hint, or with a wrong one, every file is read; a damaged one does not hide what others hold. Raises
    UnknownItemError, and ArchiveError when the record is nowhere and a file could not be read to its end.
    """
    wanted = full_id(record_id)
    if hint is not None:
        try:
            record = read_record(archive, *hint)
        except ArchiveError:
            pass  # an index may be older than the files: look at these
        else:
            if record.id == wanted:
                return record
    damage: ArchiveError | None = None
    for path in warc_files(archive, include_open=True):
        try:
            for record in iter_records(path):
                if record.id == wanted:
                    return record
        except ArchiveError as error:
            damage = damage or error
    if damage is not None:
        raise damage
    raise UnknownItemError(f"no WARC file in {archive} holds a record {wanted}")
