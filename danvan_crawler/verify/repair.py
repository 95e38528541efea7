"""Makes damaged WARC files readable again without losing a byte.

Complete records are kept; damaged bytes are moved to separate files:

    F: good | bad | good | bad        ->  F: good      G: good      F.damaged-<offset>: bad, one file for each

The records before the first damage keep their offsets, so the places in the database that refer to them stay valid. The
complete records after it go to a new file G in the same folder, with the next free serial; `danvan rebuild` finds them
there. Damaged bytes go to files named after the file and their offset. Only the reader (`members`) decides what is a
complete record; a record with a wrong digest is not moved.

A repair that was killed can be run again: F is truncated last, when all removed bytes are on disk in other files under
their final names. Names depend only on the file and its content, so a second run finds the files of the first one.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastwarc.warc import HeaderMap

from danvan_crawler import atomic
from danvan_crawler.exceptions import archive_error
from danvan_crawler.warc.files import DAMAGED, OPEN_SUFFIX, SUFFIX, final_name, finish, open_name
from danvan_crawler.warc.members import BrokenRecordError, MemberWalker, complete_record_after

_SERIAL = re.compile(r"(?P<before>.+-\d{17}-)(?P<serial>\d{5})(?P<after>-.+)")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of a file from `start` up to but not including `end`."""

    start: int
    end: int
    good: bool
    """Whether they are complete records."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """The result of repairing one file."""

    path: Path
    """Its final name; the file was removed if no record preceded the damage."""
    kept: int
    """Bytes that are still in it."""
    moved: Path | None
    """The new file with the complete records after the damage."""
    damaged_files: tuple[Path, ...]
    """Files with the damaged bytes."""

    @property
    def files(self) -> list[Path]:
        """The WARC files that exist after the repair."""
        return [path for path in (self.path, self.moved) if path is not None and path.exists()]


def extents(path: Path) -> list[Extent]:
    """Splits a file into ranges of complete records and of damage, in order. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return list(_extents(file, os.fstat(file.fileno()).st_size))


def repair_warc(path: Path) -> Repaired | None:
    """Repairs a WARC file; an `.open` file is also finished. None if the file was undamaged and finished already.

    The caller holds the lock of its site. Raises ArchiveError (DiskFullError) if a file cannot be read or written; no
    byte is lost then.
    """
    try:
        found = extents(path)
        good = [extent for extent in found if extent.good]
        bad = [extent for extent in found if not extent.good]
        kept = good[0].end if good and good[0].start == 0 else 0
        if not bad and path.name == final_name(path).name and found:
            return None
        damaged = tuple(_copy_damage(path, extent) for extent in bad)
        moved = _move(path, [extent for extent in good if extent.start >= kept and extent.start])
        _cut(path, kept)
        if kept and path.name.endswith(OPEN_SUFFIX):
            finish(path)
    except OSError as error:
        raise archive_error(error, f"repair {path}") from error
    return Repaired(final_name(path), kept, moved, damaged)


def _extents(file: BinaryIO, size: int) -> Iterator[Extent]:
    start = position = 0
    while position < size:
        walker = MemberWalker(file, position)
        try:
            while (member := walker.next(_no_block)) is not None:
                position = member.end
        except BrokenRecordError:
            if position > start:
                yield Extent(start, position, True)
            start, position = position, complete_record_after(file, position + 1, size) or size
            yield Extent(start, position, False)
            start = position
    if position > start:
        yield Extent(start, position, True)


def _no_block(headers: HeaderMap) -> bool:
    return False


def _copy_damage(path: Path, extent: Extent) -> Path:
    """Copies damaged bytes to a separate file and returns its path; reuses an existing file with the same bytes."""
    target = final_name(path).with_name(f"{final_name(path).name}{DAMAGED}{extent.start}")
    return _copy(path, [extent], _free_names(target))


def _free_names(target: Path) -> Iterator[Path]:
    yield target
    number = 2
    while True:
        yield target.with_name(f"{target.name}-{number}")
        number += 1


def _move(path: Path, good: list[Extent]) -> Path | None:
    return _copy(path, good, _next_serials(final_name(path))) if good else None


def _next_serials(path: Path) -> Iterator[Path]:
    """Names for a further file of the same run: the next serials."""
    stem = path.name.removesuffix(SUFFIX)
    named = _SERIAL.fullmatch(stem)
    serial = int(named["serial"]) if named else 0
    while True:
        serial += 1
        changed = f"{named['before']}{serial:05d}{named['after']}" if named else f"{stem}-{serial:05d}"
        candidate = path.with_name(changed + SUFFIX)
        if not open_name(candidate).exists():
            yield candidate


def _copy(path: Path, ranges: list[Extent], names: Iterator[Path]) -> Path:
    """Copies these ranges to the first of `names` that is free, or that holds exactly these bytes already."""
    with path.open("rb") as source, atomic.draft(final_name(path)) as copy:
        for extent in ranges:
            source.seek(extent.start)
            left = extent.end - extent.start
            while left:
                data = source.read(min(left, _PIECE))
                if not data:
                    raise OSError(None, "it became shorter while it was read")
                copy.stream.write(data)
                left -= len(data)
        copy.sync()
        for target in names:
            if not target.exists():
                copy.publish(target)
                return target
            if filecmp.cmp(copy.path, target, shallow=False):
                return target
    raise AssertionError("the iterator of names is infinite")


def _cut(path: Path, size: int) -> None:
    if not size:
        path.unlink()
        atomic.sync_folder(path.parent)
        return
    with path.open("r+b", buffering=0) as file:
        file.truncate(size)
        os.fsync(file.fileno())
