"""Reads records from WARC files, in order or by offset. Damage is always reported, never skipped silently.

Blocks are the bytes as they were archived; the functions of `message` parse a response.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fastwarc.warc import HeaderMap

from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, archive_error
from danvan_crawler.warc.files import open_name, warc_files
from danvan_crawler.warc.members import BrokenRecordError, Member, MemberWalker, complete_record_after

__all__ = ["WarcRecord", "iter_records", "read_record", "warc_files"]


@dataclass(slots=True)
class WarcRecord:
    """One record as it is in the file."""

    type: str
    """`response`, `request`, `metadata`, ... in lower case."""
    headers: HeaderMap
    """Named fields, str to str: `get` ignores case, `get_multiple` returns repeated fields."""
    offset: int
    """Offset of its gzip member in the file."""
    block: bytes

    @property
    def id(self) -> str:
        """WARC-Record-ID without the angle brackets, `urn:uuid:...`."""
        return self.headers["WARC-Record-ID"].removeprefix("<").removesuffix(">")

    @property
    def url(self) -> str | None:
        """WARC-Target-URI, without the angle brackets of WARC/1.0; None for records without a target (warcinfo)."""
        uri = self.headers.get("WARC-Target-URI")
        return None if uri is None else uri.removeprefix("<").removesuffix(">")

    @property
    def date(self) -> str:
        """WARC-Date verbatim."""
        return self.headers["WARC-Date"]

    @property
    def truncated(self) -> str | None:
        """WARC-Truncated: the reason why the block is incomplete; None if it is complete."""
        return self.headers.get("WARC-Truncated")


def iter_records(path: Path, *, types: Container[str] | None = None) -> Iterator[WarcRecord]:
    """The records of a file in order; with `types` only those of these WARC-Types, but all are checked.

    Yields the records before any damage, then raises ArchiveDamagedError with file and offset at the first incomplete
    record. Raises ArchiveError if the file cannot be read.
    """
    with closing(_open(path)) as file:
        walker = MemberWalker(file)
        while (member := _next(walker, path, types)) is not None:
            if member.block is not None:
                yield _record(member, member.block)


def readable_records(
    path: Path, damage: Callable[[ArchiveDamagedError], None], *, types: Container[str] | None = None
) -> Iterator[WarcRecord]:
    """All readable records of a file in order, including those after damaged bytes.

    `damage` is called for each damaged range. Raises ArchiveError if the file cannot be read.
    """
    with closing(_open(path)) as file:
        size, offset = os.fstat(file.fileno()).st_size, 0
        while True:
            walker = MemberWalker(file, offset)
            try:
                while (member := _next(walker, path, types)) is not None:
                    offset = member.end
                    if member.block is not None:
                        yield _record(member, member.block)
                return
            except ArchiveDamagedError as error:
                damage(error)
                following = complete_record_after(file, offset + 1, size)
                if following is None:
                    return
                offset = following


def read_record(archive: Path, place: RecordPlace) -> WarcRecord:
    """The record that begins at a place.

    Reads the file under its `.open` name while a run is writing it. Raises ArchiveError if the archive has no such
    file, and ArchiveDamagedError if no complete record begins at the place.
    """
    name = PurePosixPath(place.warc_file)
    if name.is_absolute() or ".." in name.parts:
        raise ArchiveError(f"{place.warc_file!r} is not the name of a file in the archive {archive}")
    path = archive / name
    # The run may rename the file to its final name between the first two checks, so the final name is tried again.
    candidates = (path, open_name(path), path)
    found = next((candidate for candidate in candidates if candidate.is_file()), path)
    with closing(_open(found)) as file:
        member = _next(MemberWalker(file, place.warc_offset), found, None)
    if member is None or member.block is None:
        raise ArchiveDamagedError(f"{found} has no record at byte {place.warc_offset}: the file is shorter")
    return _record(member, member.block)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def _next(walker: MemberWalker, path: Path, types: Container[str] | None) -> Member | None:
    try:
        return walker.next(lambda headers: types is None or _type(headers) in types)
    except BrokenRecordError as error:
        raise ArchiveDamagedError(f"{path} is damaged: no complete record at byte {error.offset}: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def _type(headers: HeaderMap) -> str:
    return headers["WARC-Type"].lower()


def _record(member: Member, block: bytes) -> WarcRecord:
    return WarcRecord(_type(member.headers), member.headers, member.offset, block)
