"""Files that a killed run left behind, cut back to their last complete record and finished.

A run that was killed leaves an `.open` file. All of it is good but perhaps its end, where the last write was under way.
Recovery walks its records, cuts off what is not complete and gives the file its final name. It cuts nothing that reads
as a record: where complete records follow the damage, something else has happened to the file, and a person has to
look.
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
    """What became of one `.open` file; with no record kept it was removed."""

    path: Path
    """Its final name."""
    kept_bytes: int
    cut_bytes: int
    records: int
    """Complete records kept."""


def recover(folder: Path) -> list[Recovered]:
    """Finishes every `.open` file at any depth below `folder`; the caller holds the lock of the sites in it.

    Reads in constant memory, whatever the size of a record. A file without any complete record is removed. Raises
    ArchiveDamagedError when a final name is taken (before anything is touched), or when complete records follow a
    damaged one (that file stays as it is), and ArchiveError when a file cannot be read or written.
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
                    f"{path} is damaged at byte {good}, and complete records follow at byte {following}: left as it is"
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
    """Where the complete records at the beginning of the file end, and how many there are."""
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
