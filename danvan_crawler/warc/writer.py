"""Writes the WARC files of a run: appends complete exchanges, starts new files, finishes files.

A run never appends to a file of an earlier run and never replaces one. Its file is created with the first exchange and
has the suffix `.open` until it is complete; then it is synced and renamed. All records of one exchange are one
unbuffered write: a killed process leaves no incomplete pair, except inside that write, and `recovery` removes that. (Of
20 runs killed with -9, a buffered writer left 17 incomplete files.)

A write that fails is undone at once. Otherwise a full disk would leave a partial record, and every record after it
would be unreadable. To avoid this case, nothing is written that would leave less than `min_free` on the disk.

Files are synced when they are finished: first the content, then the name (`files.finish`). A single exchange is not
synced: when its write has returned, the kernel has the bytes, and the death of the process cannot lose them. A power
cut can lose bytes of an open file that the kernel had not yet written to the disk, on Linux those of the last half
minute. `recovery` then truncates the file, and `verify.database` reports which rows of the database name lost records.

A file that is removed while it is being written exists as long as its descriptor. The next exchange detects this and
fails, and `close` writes the file again under its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.captures import CaptureRecord, RecordPlace
from danvan_crawler.exceptions import ArchiveError, UsageError, archive_error
from danvan_crawler.warc.files import file_name, finish, open_name, refuse_taken, require_space, site_folder, this_host
from danvan_crawler.warc.notes import RUN, build_note
from danvan_crawler.warc.packing import Reason, pack_exchange
from danvan_crawler.warc.records import (
    DEFAULT_LEVEL,
    Answer,
    Exchange,
    Revisit,
    build_profile,
    build_warcinfo,
    new_record_id,
)

_LEVELS = range(4)
_BLOCK = 1 << 20


class _OpenFile:
    """A WARC file while it is being written: a raw descriptor, and the offset up to which all records are complete."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        """Its final name."""
        self.warcinfo_id = new_record_id()
        self.size = 0
        self._descriptor = descriptor

    def is_there(self) -> bool:
        """Whether the file still exists under its name: it was not removed, moved or replaced."""
        try:
            named = open_name(self.path).stat()
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(self._descriptor))

    def append(self, data: bytes) -> None:
        """Writes all of `data`, or leaves the file as it was and raises ArchiveError or DiskFullError."""
        remaining = memoryview(data)
        position = self.size
        try:
            while remaining:
                written = os.pwrite(self._descriptor, remaining, position)
                remaining = remaining[written:]
                position += written
        except OSError as error:
            # If this fails too, the next write begins at the same byte, and `finish` truncates again.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise archive_error(error, f"write {open_name(self.path)}") from error
        self.size = position

    def finish(self) -> Path | None:
        """Syncs the file, gives it its final name and returns that. An empty file is removed; then returns None."""
        try:
            try:
                # Changes nothing, unless an exception other than OSError interrupted a write.
                os.ftruncate(self._descriptor, self.size)
                os.fsync(self._descriptor)
                if self.size and not self.is_there():
                    self._restore()
            finally:
                os.close(self._descriptor)
            if self.size:
                return finish(open_name(self.path))
            open_name(self.path).unlink()
        except OSError as error:
            raise archive_error(error, f"finish {open_name(self.path)}") from error
        return None

    def _restore(self) -> None:
        """Writes the file again under its name, with the content read from the descriptor. Raises OSError."""
        refuse_taken(self.path)
        target = os.open(open_name(self.path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            for position in range(0, self.size, _BLOCK):
                block = memoryview(os.pread(self._descriptor, _BLOCK, position))
                while block:
                    block = block[os.write(target, block) :]
            os.fsync(target)
        except OSError:
            open_name(self.path).unlink()
            raise
        finally:
            os.close(target)


class WarcWriter:
    """Writes the exchanges of one run of one site.

    `slug` is part of the names of folder and files, `warcinfo` are the fields of each file's warcinfo record, `profile`
    is the TOML text of the site's profile, `run` (id and one line of text) a note with the options of the run. A file
    larger than `max_bytes` gets no further exchange. At least `min_free` bytes stay free on the archive's file system.
    `compression_level` is ISA-L's, 0 to 3. `now` gives the time for names and dates of the files.
    """

    def __init__(
        self,
        archive: Path,
        slug: str,
        *,
        warcinfo: Mapping[str, str],
        profile: str | None = None,
        run: tuple[str, str] | None = None,
        max_bytes: int = 1_000_000_000,
        min_free: int = 0,
        compression_level: int = DEFAULT_LEVEL,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        if compression_level not in _LEVELS:
            raise UsageError(f"the gzip level of WARC files must be 0 to 3, got {compression_level}")
        self._archive = archive
        self._slug = slug
        self._folder = site_folder(archive, slug)
        self._warcinfo = dict(warcinfo)
        self._profile = profile
        self._run = run
        self._waiting: list[tuple[str, str, str]] = []
        """Notes (kind, name, text) to write with the next record."""
        self._max_bytes = max_bytes
        self._min_free = min_free
        self._level = compression_level
        self._now = now
        self._serial = 0
        self._current: _OpenFile | None = None
        self._finished: list[Path] = []

    @property
    def files(self) -> list[str]:
        """Final names of this run's files so far, relative to the archive, including the file being written."""
        paths = list(self._finished)
        if self._current is not None and self._current.size:
            paths.append(self._current.path)
        return [self._relative(path) for path in paths]

    def write_exchange(
        self,
        exchange: Exchange,
        *,
        answer: Answer | None = None,
        revisit: Revisit | None = None,
        why: Reason | None = None,
    ) -> CaptureRecord:
        """Appends the records of an exchange; when it returns, the kernel has all their bytes.

        `answer`, `revisit` and `why` are those of `packing.pack_exchange`.

        Raises DiskFullError if there is no space, or less than `min_free` would be left, and ArchiveError for any other
        failure. The file then ends with the previous exchange, and `close` finishes it.
        """
        file = self._file()
        packed = pack_exchange(
            exchange, warcinfo_id=file.warcinfo_id, level=self._level, answer=answer, revisit=revisit, why=why
        )
        offset = self._append(file, packed.data) + packed.response_start
        return CaptureRecord(
            url=packed.url,
            date=packed.date,
            warc_file=self._relative(file.path),
            warc_offset=offset,
            warc_record_id=packed.record_id,
            payload_digest=packed.payload_digest,
            status=packed.answer.status,
            truncated=exchange.truncated,
            media_type=packed.answer.head.media_type,
            etag=packed.answer.head.etag,
            last_modified=packed.answer.head.last_modified,
            refers_to=None if revisit is None else revisit.record_id,
        )

    def write_note(self, kind: str, name: str, text: str) -> RecordPlace:
        """Appends a note (`warc.notes`) and returns its place. Raises as `write_exchange` does."""
        file = self._file()
        note = self._note(file, kind, name, text)
        return RecordPlace(self._relative(file.path), self._append(file, note))

    def queue_note(self, kind: str, name: str, text: str) -> None:
        """Writes a note with the next record of this run. Without a further record it is dropped: no file for it."""
        self._waiting.append((kind, name, text))

    def _append(self, file: _OpenFile, data: bytes) -> int:
        """Appends `data`, after the first records of the file and queued notes. Returns the offset of `data`."""
        before = b"" if file.size else self._opening(file)
        before += b"".join(self._note(file, *note) for note in self._waiting)
        if not file.is_there():
            raise ArchiveError(f"{open_name(file.path)} was removed, moved or replaced while it was being written")
        require_space(file.path.parent, self._min_free, len(before) + len(data))
        offset = file.size + len(before)
        file.append(before + data)
        self._waiting.clear()
        return offset

    def _note(self, file: _OpenFile, kind: str, name: str, text: str) -> bytes:
        date = clock.warc_date(self._now())
        return build_note(kind, name, text, date=date, warcinfo_id=file.warcinfo_id, level=self._level)

    def close(self) -> list[Path]:
        """Finishes the current file and returns the final paths of all files of this run. May be called again."""
        current, self._current = self._current, None
        if current is not None and (path := current.finish()) is not None:
            self._finished.append(path)
        return list(self._finished)

    def _file(self) -> _OpenFile:
        if self._current is not None and self._current.size >= self._max_bytes:
            self.close()
        if self._current is None:
            self._current = self._create()
        return self._current

    def _create(self) -> _OpenFile:
        moment = self._now().astimezone(UTC)
        folder = self._folder / f"{moment.year:04d}"
        host = this_host()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                path = folder / file_name(self._slug, moment, self._serial, host)
                self._serial += 1
                try:
                    descriptor = os.open(open_name(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
                except FileExistsError:
                    continue
                if not path.exists():
                    return _OpenFile(path, descriptor)
                # Another run has finished a file of this name.
                os.close(descriptor)
                open_name(path).unlink()
        except OSError as error:
            raise archive_error(error, f"create a WARC file in {folder}") from error

    def _opening(self, file: _OpenFile) -> bytes:
        """The first records of a file; written with its first exchange, so that no file holds only these."""
        date = clock.warc_date(self._now())
        warcinfo = build_warcinfo(
            file.path.name, self._warcinfo, record_id=file.warcinfo_id, date=date, level=self._level
        )
        opening = [warcinfo]
        if self._profile is not None:
            opening.append(
                build_profile(self._slug, self._profile, date=date, warcinfo_id=file.warcinfo_id, level=self._level)
            )
        if self._run is not None:
            opening.append(self._note(file, RUN, *self._run))
        return b"".join(opening)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._archive).as_posix()
