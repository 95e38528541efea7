"""Import of files of other tools: surveys a source and copies its records into the archive under our naming.

A copy begins like a file of a crawl: with a warcinfo record of ours, which names the source and its SHA-256, what was
converted and what was left out, and with the site's profile. The source's records follow in their order, unchanged or
converted (`sources`). The warcinfo record identifies a copy later: its source is not imported twice, and its pages were
not requested by this crawler.
"""

from __future__ import annotations

import glob
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from fastwarc.warc import HeaderMap

from danvan_crawler import atomic, clock
from danvan_crawler.exceptions import ArchiveDamagedError, archive_error
from danvan_crawler.warc.containers import Container, Part, container_of
from danvan_crawler.warc.files import file_name, finish, open_name, site_folder, this_host
from danvan_crawler.warc.reader import WarcRecord, iter_records
from danvan_crawler.warc.records import DEFAULT_LEVEL, build_profile, build_warcinfo, new_record_id, profile_uri
from danvan_crawler.warc.revisits import Reference, reference_of
from danvan_crawler.warc.sources import Gap, SourceRecord, source_records
from danvan_crawler.warc.unpacked import Place
from danvan_crawler.warc.unusable import why_unusable

SOURCE_NAME = "source-filename"
SOURCE_DIGEST = "source-sha256"
SOURCE_FORMAT = "source-format"
SOURCE_CONVERSION = "source-conversion"
SOURCE_LEFT_OUT = "source-left-out"
"""Fields of the warcinfo record of a copy."""

_DIGEST_LINE = re.compile(rf"(?m)^{SOURCE_DIGEST}: ([0-9a-f]{{64}})\r?$".encode())
_ADDRESS = re.compile(r"(?:urn:[^/]*:)?(https?://.+)", re.IGNORECASE | re.DOTALL)
"""Browsertrix writes page metadata under `urn:pageinfo:https://…` and similar URNs."""
_OPENING = 2
"""Number of records before those of the source: warcinfo and profile."""
_PIECE = 1 << 20
_NAMED = 20
"""Records that are named in the warcinfo record of a copy; more are only counted."""

Judge = Callable[[SourceRecord], str | None]
"""Why a complete record is left out, as the end of a sentence; None if it is taken."""


class LeftOut(NamedTuple):
    """A record, or bytes, of a source that are not imported."""

    place: Place
    reason: str
    is_record: bool
    """It is a complete record."""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(slots=True)
class Survey:
    """The contents of a source, all of which was read. Everything but `left_out` is about the records to import."""

    part: Part
    sha256: str = ""
    records: int = 0
    addresses: Counter[str] = field(default_factory=Counter)
    """Records by scheme, host and port, `https://example.vn`."""
    captures: list[str] = field(default_factory=list)
    """Ids of its response and revisit records."""
    names: set[str] = field(default_factory=set)
    """Keys by which a revisit may refer to a record with a payload: its id, and its address with its date."""
    references: list[tuple[int, Reference]] = field(default_factory=list)
    """Offset and reference of each revisit."""
    left_out: list[LeftOut] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    """Records by version: `WARC/1.0`, `ARC 1.1`, …"""
    changes: Counter[str] = field(default_factory=Counter)
    """Records by what was converted in them."""
    container: Container = Container.PLAIN
    renamed: list[str] = field(default_factory=list)
    """Place and new target of each record whose target was not ASCII."""
    damage: str | None = None
    """What is wrong with the file itself."""

    @property
    def path(self) -> Path:
        """For people: the file, or the ZIP file and the name in it."""
        return self.part.path

    @property
    def description(self) -> dict[str, str]:
        """Fields of the warcinfo record of a copy."""
        versions = ", ".join(sorted(self.versions))
        converted = [f"{version} ({count})" for version, count in sorted(self.versions.items()) if _is_old(version)]
        changed = [f"{name} ({count})" for name, count in sorted(self.changes.items()) if name not in self.versions]
        conversion = f"to WARC/1.1: {', '.join(converted)}" if converted else ""
        if changed:
            conversion += ("; " if conversion else "") + f"to the form of the standard: {', '.join(changed)}"
        named = "; ".join(map(str, self.left_out[:_NAMED]))
        if len(self.left_out) > _NAMED:
            named += f"; and {len(self.left_out) - _NAMED} more"
        return {
            SOURCE_NAME: self.part.name,
            SOURCE_DIGEST: self.sha256,
            SOURCE_FORMAT: f"{versions}; {self.container.value}",
            SOURCE_CONVERSION: conversion,
            SOURCE_LEFT_OUT: named,
        }


def _is_old(version: str) -> bool:
    return not version.startswith("WARC/1.")


class Opening(NamedTuple):
    """The contents of the first records of a file of the archive."""

    profile: str | None
    """TOML text of the site's profile."""
    source_digest: str | None
    """SHA-256 of the source; None for a file of our own."""


def survey(
    source: Path | Part,
    progress: Callable[[int], None] = lambda records: None,
    judge: Judge = lambda record: None,
) -> Survey:
    """Reads a whole source. What cannot be read, what is unusable and what `judge` refuses is in `left_out`.

    Raises ArchiveDamagedError if there is no readable record in it, UnsupportedSourceError, and ArchiveError.
    """
    part = Part(source, source) if isinstance(source, Path) else source
    found = Survey(part)

    def on_gap(gap: Gap) -> None:
        found.left_out.append(LeftOut(gap.place, gap.reason, is_record=False))

    with closing(source_records(part, on_gap=on_gap)) as records:
        for record in records:
            found.records += 1
            progress(found.records)
            reason = why_unusable(record.headers) or judge(record)
            if reason is not None:
                found.left_out.append(LeftOut(record.place, reason, is_record=True))
                continue
            found.versions[record.version] += 1
            found.changes.update(record.changes)
            if _was_raw(record):
                found.renamed.append(f"{record.place}: WARC-Target-URI is now {record.headers['WARC-Target-URI']}")
            origin = origin_of(record.headers)
            if origin is not None:
                found.addresses[origin] += 1
            _note(found, record)
    if found.left_out and not found.records:
        first = found.left_out[0]
        raise ArchiveDamagedError(f"{found.path} is damaged: no complete record at {first}")
    _fingerprint(found)
    return found


def _was_raw(record: SourceRecord) -> bool:
    """Whether the target of a record was not ASCII."""
    if not any(name.lower() == "warc-target-uri" for name in record.changes):
        return False
    before = record.headers.get("X-Source-WARC-Target-URI")
    return before is None or not before.isascii()


def _fingerprint(found: Survey) -> None:
    """Computes the SHA-256 of the source, and compares the checksum that a ZIP file states."""
    digest, checksum = hashlib.sha256(), 0
    with found.part.open() as view:
        found.container = container_of(view.again().read(4))
        while data := view.read(_PIECE):
            digest.update(data)
            checksum = zlib.crc32(data, checksum)
    found.sha256 = digest.hexdigest()
    if found.part.checksum is not None and found.part.checksum != checksum:
        found.damage = f"{found.path} is damaged: its CRC-32 is not what the ZIP file states"
        if found.container is Container.PLAIN:  # no checksum shows which records are right
            raise ArchiveDamagedError(found.damage)


def _note(found: Survey, record: SourceRecord) -> None:
    seen = WarcRecord(record.headers["WARC-Type"].lower(), record.headers, record.offset, b"")
    if seen.type not in ("response", "revisit", "resource"):
        return
    if seen.type != "resource":
        found.captures.append(seen.id)
    if seen.type != "revisit":
        found.names |= {seen.id, f"{seen.url} {seen.date}"}
    reference = reference_of(seen)
    if reference is not None:
        found.references.append((seen.offset, reference))


def origin_of(headers: HeaderMap) -> str | None:
    """Scheme, host and port of a record's target; `dns://host` for a DNS look-up; None if the target has no host."""
    target = (headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">")
    if target.startswith("dns:"):
        return f"dns://{target.removeprefix('dns:').strip('/').lower()}"
    match = _ADDRESS.fullmatch(target)
    if match is None:
        return None
    scheme, _, rest = match[1].partition("://")
    return f"{scheme.lower()}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2].lower()}"


def opening_of(path: Path, slug: str) -> Opening:
    """Profile and source of a file of the archive; None where the file is damaged. Raises ArchiveError."""
    profile = digest = None
    try:
        for record in islice(iter_records(path), _OPENING):
            if record.type == "warcinfo" and record.offset == 0:
                digest = source_digest(record)
            elif record.url == profile_uri(slug):
                profile = record.block.decode()
    except ArchiveDamagedError:
        pass
    return Opening(profile, digest)


def source_digest(warcinfo: WarcRecord) -> str | None:
    """SHA-256 of the source of a copy, from the copy's first record; None for any other record."""
    match = _DIGEST_LINE.search(warcinfo.block) if warcinfo.offset == 0 else None
    return match[1].decode() if match else None


def write_copy(
    archive: Path,
    slug: str,
    source: Survey,
    records: Iterable[SourceRecord],
    *,
    warcinfo: Mapping[str, str],
    profile: str | None,
    level: int = DEFAULT_LEVEL,
) -> Path:
    """Writes these records of a source into a new file of a site and returns its path.

    The caller holds the lock of the site. The file gets its name when it is complete and synced. Raises ArchiveError,
    DiskFullError and ArchiveDamagedError; then no file is left behind.
    """
    moment = clock.now().astimezone(UTC)
    path = _free_name(site_folder(archive, slug) / f"{moment.year:04d}", slug, moment)
    about = {**warcinfo, **source.description}
    warcinfo_id, date = new_record_id(), clock.warc_date(moment)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.remove_leftovers(path.parent, f"{glob.escape(slug)}-*")  # a copy can be as large as its source
        with atomic.draft(path) as copy:
            copy.stream.write(build_warcinfo(path.name, about, record_id=warcinfo_id, date=date, level=level))
            if profile is not None:
                copy.stream.write(build_profile(slug, profile, date=date, warcinfo_id=warcinfo_id, level=level))
            for record in records:
                copy.stream.writelines(record.packed)
            copy.publish(open_name(path))
        return finish(open_name(path))
    except OSError as error:
        raise archive_error(error, f"write {path}") from error


def _free_name(folder: Path, slug: str, moment: datetime) -> Path:
    serial = 0
    while True:
        path = folder / file_name(slug, moment, serial, this_host())
        if not (path.exists() or open_name(path).exists()):
            return path
        serial += 1


def records_for(
    source: Survey, slug: str, site_of: Callable[[str], str], *, level: int = DEFAULT_LEVEL
) -> Iterator[SourceRecord]:
    """The records of a source that belong to a site. `site_of` gives the slug for an origin.

    A record without a host belongs with the record before it. Records before the first one with a host, such as the
    source's own warcinfo, belong with that one. Raises ArchiveDamagedError if the source has changed since its survey.
    """
    goes_to = site_of(next(iter(source.addresses)))
    left_out = {one.place for one in source.left_out}

    def on_gap(gap: Gap) -> None:
        if gap.place not in left_out:
            raise ArchiveDamagedError(f"{source.path} has changed: no complete record at {gap.place}: {gap.reason}")

    with closing(source_records(source.part, level=level, on_gap=on_gap)) as records:
        for record in records:
            if record.place in left_out:
                continue
            origin = origin_of(record.headers)
            if origin is not None:
                goes_to = site_of(origin)
            if goes_to == slug:
                yield record
