"""CDXJ index and SHA-256 manifest of each finished WARC file, in the folder `index`.

    index/<name>.cdxj      one line per record that can be replayed: SURT key, time, position of the record; sorted
    index/<name>.sha256    the file's digest as `sha256sum` writes it; check with `sha256sum -c index/*.sha256` in the
                           archive

Both are derived from the WARC file alone and are written when it gets its final name. The lines are exactly those of
cdxj-indexer with its default options (the tests compare), because pywb, ReplayWeb.page and WACZ tools read these.
cdxj-indexer itself is not used: it stops at a record without a date and indexes a truncated last record as if it were
complete. Here every record is checked while it is read (`members`).

Memory: one block while lines are made, 10,000 lines while they are sorted. With all lines of 50,000 pages sorted at
once, the peak memory of a crawl was 197 MiB instead of 187 (measured).
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol

from fastwarc.warc import HeaderMap
from warcio.timeutils import iso_date_to_timestamp

from danvan_crawler.archive.layout import index_folder
from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import ArchiveDamagedError, archive_error
from danvan_crawler.warc.files import SUFFIX, final_name
from danvan_crawler.warc.members import BrokenRecordError, MemberWalker
from danvan_crawler.warc.message import sha1_base32
from danvan_crawler.warc.surt import surt

INDEX_SUFFIX = ".cdxj"
MANIFEST_SUFFIX = ".sha256"

_INDEXED = frozenset({"response", "revisit", "resource", "metadata"})
_WITH_HTTP = frozenset({"response", "revisit"})
_END_OF_TYPE = re.compile(r"[;\s]")
_SORTED_AT_ONCE = 10_000
"""Lines that are sorted in memory. More lines are sorted in parts of this size, written to disk and merged."""
_AT_ONCE = 256
"""Files merged at a time; far below the usual limit of 1,024 open files."""


class Named(Protocol):
    """Access to the fields of a record's header."""

    def get(self, name: str, /) -> str | None:
        """Value of the first field of that name, ignoring case; None if the field is missing."""


def index_path(archive: Path, path: Path) -> Path:
    """Path of a WARC file's index; the same while the file is `.open`."""
    return _sidecar(archive, path, INDEX_SUFFIX)


def manifest_path(archive: Path, path: Path) -> Path:
    """Path of a WARC file's SHA-256 manifest; the same while the file is `.open`."""
    return _sidecar(archive, path, MANIFEST_SUFFIX)


def index_lines(path: Path, *, filename: str | None = None) -> Iterator[str]:
    """CDXJ lines of a WARC file, each with its line feed, in the order of the records.

    `filename` is the file name in the lines; by default the file's own. Yields the lines of the records before any
    damage, then raises ArchiveDamagedError at the first incomplete record. Raises ArchiveError if the file cannot be
    read.
    """
    name = final_name(path).name if filename is None else filename
    try:
        with closing(path.open("rb", buffering=0)) as file:
            walker = MemberWalker(file)
            while (member := walker.next(_needs_block)) is not None:
                if is_indexed(member.headers):
                    line = index_line(
                        member.headers, member.block or b"", offset=member.offset, end=member.end, filename=name
                    )
                    if line is not None:
                        yield line
    except BrokenRecordError as error:
        raise ArchiveDamagedError(f"{path} is damaged: no complete record at byte {error.offset}: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error


def is_indexed(headers: Named) -> bool:
    """Whether a record has a line in the index: it can be replayed, or is metadata other than `warc-fields`."""
    kind = headers.get("WARC-Type")
    if kind not in _INDEXED:
        return False
    return kind in _WITH_HTTP or headers.get("Content-Type") != "application/warc-fields"


def index_line(
    headers: Named, block: bytes, *, offset: int, end: int, filename: str, digest: str | None = None
) -> str | None:
    """The line of one record that `is_indexed`, with its line feed; None if its date is invalid.

    `block` may be the HTTP head alone if the record has a payload digest, or `digest` is given.
    """
    url = target_of(headers)
    try:
        timestamp = iso_date_to_timestamp(headers.get("WARC-Date") or "")
    except (TypeError, ValueError, OverflowError):
        return None
    entry: dict[str, str | None] = {"url": url}
    kind = headers.get("WARC-Type")
    status, content_type, head_end = http_head(headers, block)
    mime = content_type if kind == "response" else headers.get("Content-Type")
    entry["mime"] = "warc/revisit" if kind == "revisit" else mime and _END_OF_TYPE.split(mime, maxsplit=1)[0].strip()
    entry["status"] = status
    entry["digest"] = headers.get("WARC-Payload-Digest") or digest
    if entry["digest"] is None and kind != "revisit":
        entry["digest"] = sha1_base32(block[head_end:])
    entry |= {"length": str(end - offset), "offset": str(offset), "filename": filename}
    shown = json.dumps({name: value for name, value in entry.items() if value is not None})
    return f"{_key(url)} {timestamp} {shown}\n"


def target_of(headers: Named) -> str | None:
    """WARC-Target-URI without the angle brackets that wget puts around it; invalid spaces become %20."""
    uri = headers.get("WARC-Target-URI")
    if uri is None:
        return None
    if uri.startswith("<") and uri.endswith(">"):
        uri = uri[1:-1]
    return uri.replace(" ", "%20")


def http_head(headers: Named, block: bytes) -> tuple[str | None, str | None, int]:
    """Status, Content-Type and end of the head of the HTTP response in a record; (None, None, 0) without a response.

    Parsed like warcio, not like `message`: UTF-8 first, else Latin-1; the status is anything after the first space.
    """
    if headers.get("WARC-Type") not in _WITH_HTTP or not block:
        return None, None, 0
    if not (target_of(headers) or "").startswith(("http:", "https:")):
        return None, None, 0
    lines = _head_lines(block)
    first, end = next(lines)
    if not first:
        return None, None, end
    status = first.partition(" ")[2].strip().split(" ", 1)[0]
    content_type: str | None = None
    is_type = has_fields = False
    for line, end in lines:  # noqa: B007  # where the last one ends
        if not line:
            break
        if line[0] in " \t":  # continues the previous field
            content_type = (content_type or "") + line if is_type else content_type
            continue
        name, colon, value = line.partition(":")
        has_fields = has_fields or bool(colon)
        is_type = bool(colon) and content_type is None and name.rstrip(" \t").lower() == "content-type"
        if is_type:
            content_type = value.lstrip()
    if not status and not has_fields:
        return None, None, end
    return status, content_type, end


def write_index(archive: Path, path: Path) -> Path:
    """Writes the sorted index of a finished WARC file in one step and returns its path.

    Raises ArchiveDamagedError, and writes nothing, if the file is damaged; ArchiveError if it cannot be read or the
    index cannot be written.
    """
    target = index_path(archive, path)
    with _sorted(index_lines(path)) as lines:
        _write(target, lines)
    return target


@contextmanager
def _sorted(lines: Iterator[str]) -> Iterator[Iterable[str]]:
    """The lines in sorted order. Raises ArchiveError if there is no space to sort them."""
    some = sorted(islice(lines, _SORTED_AT_ONCE))
    if len(some) < _SORTED_AT_ONCE:
        yield some
        return
    parts: list[Path] = []
    with ExitStack() as held:
        try:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            while some:
                parts.append(folder / str(len(parts)))
                with parts[-1].open("w", encoding="utf-8", newline="\n") as file:
                    file.writelines(some)
                some = sorted(islice(lines, _SORTED_AT_ONCE))
        except OSError as error:
            raise archive_error(error, "sort an index in a temporary folder") from error
        yield merged(parts)


def write_manifest(archive: Path, path: Path) -> Path:
    """Writes the SHA-256 manifest of a finished WARC file in one step and returns its path. Raises ArchiveError."""
    target = manifest_path(archive, path)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise archive_error(error, f"read {path}") from error
    _write(target, [manifest_line(archive, path, digest)])
    return target


def manifest_line(archive: Path, path: Path, digest: str) -> str:
    """The line of a file's manifest: hexadecimal SHA-256, two spaces, the name relative to the archive."""
    return f"{digest}  {final_name(path).relative_to(archive).as_posix()}\n"


def write_index_and_manifest(archive: Path, path: Path) -> None:
    """Writes index and manifest of a finished WARC file. Raises ArchiveError, ArchiveDamagedError."""
    write_index(archive, path)
    write_manifest(archive, path)


def write_missing_indexes(archive: Path, paths: Iterable[Path]) -> list[str]:
    """Writes the missing indexes and manifests of these finished files. Returns one sentence per damaged file.

    Raises ArchiveError if a file cannot be read or written.
    """
    failed = []
    for path in paths:
        try:
            if not index_path(archive, path).exists():
                write_index(archive, path)
            if not manifest_path(archive, path).exists():
                write_manifest(archive, path)
        except ArchiveDamagedError as error:
            failed.append(str(error))
    return failed


def merged(paths: Sequence[Path]) -> Iterator[str]:
    """Merges sorted indexes lazily into one sorted index without repeated lines.

    Raises ArchiveError if an index cannot be read.
    """
    with ExitStack() as held:
        try:
            sources = list(paths)
            while len(sources) > _AT_ONCE:
                folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
                sources = [
                    _merge_to(folder / str(start), sources[start : start + _AT_ONCE])
                    for start in range(0, len(sources), _AT_ONCE)
                ]
            files = [held.enter_context(path.open(encoding="utf-8", newline="\n")) for path in sources]
            last = None
            for line in heapq.merge(*files):
                if line != last:
                    yield line
                last = line
        except OSError as error:
            raise archive_error(error, f"read {error.filename or 'an index'}") from error


def _merge_to(target: Path, sources: Sequence[Path]) -> Path:
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(merged(sources))
    return target


def _sidecar(archive: Path, path: Path, suffix: str) -> Path:
    return index_folder(archive) / (final_name(path).name.removesuffix(SUFFIX) + suffix)


def _needs_block(headers: HeaderMap) -> bool:
    return is_indexed(headers) and (headers.get("WARC-Type") in _WITH_HTTP or "WARC-Payload-Digest" not in headers)


def _key(url: str | None) -> str:
    try:
        return surt(url or "")
    except ValueError:
        return url or "-"


def _head_lines(block: bytes) -> Iterator[tuple[str, int]]:
    """Lines without trailing white space, each with the offset of the next line."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start) + 1 or len(block)
        raw = block[start:end]
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            line = raw.decode("latin-1")
        start = end
        yield line.rstrip(), end


def _write(target: Path, lines: Iterable[str]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.writelines(line.encode() for line in lines)
    except OSError as error:
        raise archive_error(error, f"write {target}") from error
