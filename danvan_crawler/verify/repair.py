"""Damaged WARC files made readable again without losing a byte.

What is complete stays; what is not is set aside:

    F: good | bad | good | bad        ->  F: good      G: good      F.damaged-<offset>: bad, one file for each

The records before the first damage stay where they are, so every place that an item names stays right. The complete
records after it go to a new file G beside it, under the next free serial, and `danvan rebuild` finds them there.
Damaged bytes lie beside the file under its name and the byte at which they began. What a reader (`members`) takes for a
complete record decides; a digest that does not match is no reason to move anything.

Killed at any moment, it can be run again: F is cut last, when all that it loses is on disk elsewhere under its final
name; names follow from the file and its content alone, so a second run finds what the first one made.
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
    """They are complete records."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one file."""

    path: Path
    """Its final name; nothing is there when no record preceded the damage."""
    kept: int
    """Bytes that are still in it."""
    moved: Path | None
    """The new file with the complete records that followed the damage."""
    set_aside: tuple[Path, ...]
    """Files with the damaged bytes."""

    @property
    def files(self) -> list[Path]:
        """WARC files that are there now."""
        return [path for path in (self.path, self.moved) if path is not None and path.exists()]


def extents(path: Path) -> list[Extent]:
    """A file as stretches of complete records and of damage, in order. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return list(_extents(file, os.fstat(file.fileno()).st_size))


def set_damage_aside(path: Path) -> Repaired | None:
    """Repairs a WARC file, an `.open` one is finished; None for a file that was whole and finished.

    The caller holds the lock of its site. Raises ArchiveError (DiskFullError) when something cannot be read or written;
    nothing is lost then.
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
    """Copies damaged bytes to a file of their own; the one that is there already, if it holds them."""
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
    """Names that a further file of the same run could have had."""
    stem = path.name.removesuffix(SUFFIX)
    named = _SERIAL.fullmatch(stem)
    serial = int(named["serial"]) if named else 0
    while True:
        serial += 1
        changed = f"{named['before']}{serial:05d}{named['after']}" if named else f"{stem}-{serial:05d}"
        candidate = path.with_name(changed + SUFFIX)
        if not open_name(candidate).exists():
            yield candidate


def _copy(path: Path, stretches: list[Extent], names: Iterator[Path]) -> Path:
    """The bytes of these stretches in a file of the first of `names` that is free, or that holds just them."""
    with path.open("rb") as source, atomic.draft(final_name(path)) as copy:
        for stretch in stretches:
            source.seek(stretch.start)
            left = stretch.end - stretch.start
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
    raise AssertionError("names go on for ever")


def _cut(path: Path, size: int) -> None:
    if not size:
        path.unlink()
        atomic.sync_folder(path.parent)
        return
    with path.open("r+b", buffering=0) as file:
        file.truncate(size)
        os.fsync(file.fileno())
