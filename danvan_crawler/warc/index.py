"""The CDXJ index of a WARC file, and its SHA-256: what lies beside each finished file, in the folder `index`.

    index/<name>.cdxj      a line for every record that can be replayed: SURT key, time, where the record is; sorted
    index/<name>.sha256    the file's digest as `sha256sum` writes it; `sha256sum -c index/*.sha256` in the archive

Both are derived from the WARC file alone and are written when it gets its final name. Lines are those of cdxj-indexer
with its default options, to the letter (the tests compare), because pywb, ReplayWeb.page and WACZ tools read these. It
is not used itself: it stops at a record without a date and indexes a torn tail as if it were good, while here every
record is checked on the way (`members`).

Memory is that of one block while lines are made, and of 10,000 lines while they are sorted. Sorted all at once, those
of 50,000 pages made the most that a crawl held 197 MiB in the place of 187 (measured).
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
"""Lines that are sorted in memory; of more, so many each are written aside and merged."""
_AT_ONCE = 256
"""Files merged at a time; far below the 1,024 that a process may usually have open."""


class Named(Protocol):
    """What the index reads of a record's header."""

    def get(self, name: str, /) -> str | None:
        """Value of the first field of that name, whatever its case; None when there is none."""


def index_path(archive: Path, path: Path) -> Path:
    """Where the index of a WARC file is; the same while it is `.open`."""
    return _beside(archive, path, INDEX_SUFFIX)


def manifest_path(archive: Path, path: Path) -> Path:
    """Where the SHA-256 of a WARC file is."""
    return _beside(archive, path, MANIFEST_SUFFIX)


def index_lines(path: Path, *, filename: str | None = None) -> Iterator[str]:
    """CDXJ lines of a WARC file, each with its line feed, in the order of the records.

    `filename` is what the lines call the file, else its own name. Raises ArchiveDamagedError at the first bytes that
    are not a complete record, after the lines of what precedes them, and ArchiveError when the file cannot be read.
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
    """Whether a record has a line in the index: what can be replayed, and metadata and resources that are no fields."""
    kind = headers.get("WARC-Type")
    if kind not in _INDEXED:
        return False
    return kind in _WITH_HTTP or headers.get("Content-Type") != "application/warc-fields"


def index_line(
    headers: Named, block: bytes, *, offset: int, end: int, filename: str, digest: str | None = None
) -> str | None:
    """The line of one record that `is_indexed`, with its line feed; None for one whose date is no date.

    Of `block` the HTTP head is enough when the record carries a payload digest, or `digest` is given.
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
    """WARC-Target-URI without the angle brackets that wget puts around it; spaces, which it may not have, as %20."""
    uri = headers.get("WARC-Target-URI")
    if uri is None:
        return None
    if uri.startswith("<") and uri.endswith(">"):
        uri = uri[1:-1]
    return uri.replace(" ", "%20")


def http_head(headers: Named, block: bytes) -> tuple[str | None, str | None, int]:
    """Status and Content-Type of the HTTP response in a record, and where its head ends; (None, None, 0) without one.

    Read as warcio reads it and not as `message` does: UTF-8 first and Latin-1 where that fails, status whatever follows
    the first space.
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
        if line[0] in " \t":  # the field before goes on
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
    """Writes the index of a finished WARC file, sorted, in one step; gives its path.

    Raises ArchiveDamagedError when the file is damaged, nothing is written then, and ArchiveError when it cannot be
    read or the index cannot be written.
    """
    target = index_path(archive, path)
    with _sorted(index_lines(path)) as lines:
        _write(target, lines)
    return target


@contextmanager
def _sorted(lines: Iterator[str]) -> Iterator[Iterable[str]]:
    """The lines in order, when all have come. Raises ArchiveError when there is no room to sort them."""
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
    """Writes the SHA-256 of a finished WARC file, in one step; gives its path. Raises ArchiveError."""
    target = manifest_path(archive, path)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise archive_error(error, f"read {path}") from error
    _write(target, [manifest_line(archive, path, digest)])
    return target


def manifest_line(archive: Path, path: Path, digest: str) -> str:
    """What the manifest of a file says: hexadecimal SHA-256, two spaces, its name relative to the archive."""
    return f"{digest}  {final_name(path).relative_to(archive).as_posix()}\n"


def describe(archive: Path, path: Path) -> None:
    """Writes index and manifest of a finished WARC file. Raises ArchiveError, ArchiveDamagedError."""
    write_index(archive, path)
    write_manifest(archive, path)


def describe_missing(archive: Path, paths: Iterable[Path]) -> list[str]:
    """Writes what these finished files lack of index and manifest; gives a sentence for each where that failed."""
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
    """The lines of many sorted indexes as one sorted index, each line once, read as they are asked for.

    Raises ArchiveError when one cannot be read.
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


def _beside(archive: Path, path: Path, suffix: str) -> Path:
    return index_folder(archive) / (final_name(path).name.removesuffix(SUFFIX) + suffix)


def _needs_block(headers: HeaderMap) -> bool:
    return is_indexed(headers) and (headers.get("WARC-Type") in _WITH_HTTP or "WARC-Payload-Digest" not in headers)


def _key(url: str | None) -> str:
    try:
        return surt(url or "")
    except ValueError:
        return url or "-"


def _head_lines(block: bytes) -> Iterator[tuple[str, int]]:
    """Lines without the white space at their end, and where the next begins."""
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
