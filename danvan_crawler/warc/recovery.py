"""Recovers files that a killed run left behind: truncates them after the last complete record and finishes them.

A killed run leaves an `.open` file. All of it is valid, except perhaps its end, where the last write was interrupted.
Recovery reads the records, cuts off the incomplete end and gives the file its final name. It never removes complete
records: if complete records follow the damage, the damage has another cause, and a person must look at the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import HeaderMap

from danvan_crawler.exceptions import ArchiveDamagedError, archive_error
from danvan_crawler.warc.files import final_name, finish, open_files, refuse_taken
from danvan_crawler.warc.members import BrokenRecordError, MemberWalker, complete_record_after


@dataclass(frozen=True, slots=True)
class Recovered:
    """The result for one `.open` file. A file without a complete record was removed."""

    path: Path
    """Its final name."""
    kept_bytes: int
    cut_bytes: int
    records: int
    """Complete records kept."""


def recover(folder: Path) -> list[Recovered]:
    """Finishes every `.open` file at any depth below `folder`. The caller holds the lock of the sites in it.

    Uses constant memory, whatever the size of a record. A file without a complete record is removed. Raises
    ArchiveDamagedError if a final name exists (before anything is changed), or if complete records follow a damaged one
    (that file is not changed); ArchiveError if a file cannot be read or written.
    """
    paths = open_files(folder)
    for path in paths:
        refuse_taken(final_name(path))
    return [_recover_file(path) for path in paths]


def _recover_file(path: Path) -> Recovered:
    try:
        with path.open("r+b", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            good, records = _complete_records(file)
            following = complete_record_after(file, good + 1, size)
            if following is not None:
                raise ArchiveDamagedError(
                    f"{path} is damaged at byte {good}, and complete records follow at byte {following}: not changed"
                )
            if records:
                file.truncate(good)
                os.fsync(file.fileno())
        if records:
            finish(path)
        else:
            path.unlink()
    except OSError as error:
        raise archive_error(error, f"recover {path}") from error
    return Recovered(final_name(path), good, size - good, records)


def _complete_records(file: BinaryIO) -> tuple[int, int]:
    """End offset and number of the complete records at the beginning of the file."""
    walker = MemberWalker(file)
    end = records = 0
    try:
        while (member := walker.next(_no_block)) is not None:
            end = member.end
            records += 1
    except BrokenRecordError:
        pass
    return end, records


def _no_block(headers: HeaderMap) -> bool:
    return False
