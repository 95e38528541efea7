"""One record by its id, and the record that a revisit refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from danvan_crawler.exceptions import ArchiveError, LostPayloadError, UnknownItemError
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record
from danvan_crawler.warc.revisits import reference_of


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
    found = _search(warc_files(archive, include_open=True), lambda record: record.id == wanted)
    if found is None:
        raise UnknownItemError(f"no WARC file in {archive} holds a record {wanted}")
    return found


def find_original(archive: Path, revisit: WarcRecord, hint: tuple[str, int] | None = None) -> WarcRecord:
    """The record that a revisit refers to, looked for as `find_record` does.

    Raises LostPayloadError, and ArchiveError when the record is nowhere and a file could not be read to its end.
    """
    reference = reference_of(revisit)
    if reference is None:
        raise ValueError(f"a {revisit.type} record refers to no other")
    if hint is not None:
        try:
            record = read_record(archive, *hint)
        except ArchiveError:
            pass
        else:
            if reference.names(record):
                return record
    found = _search(warc_files(archive, include_open=True), reference.names)
    if found is None:
        raise LostPayloadError(f"{revisit.id} is a revisit to a record that is not in the archive: {reference}")
    return found


def _search(paths: Iterable[Path], is_it: Callable[[WarcRecord], bool]) -> WarcRecord | None:
    """The first record that is it. Raises what went wrong with a file when there is none."""
    damage: ArchiveError | None = None
    for path in paths:
        try:
            for record in iter_records(path):
                if is_it(record):
                    return record
        except ArchiveError as error:
            damage = damage or error
    if damage is not None:
        raise damage
    return None
