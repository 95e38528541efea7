"""Import of WARC files of other tools: surveys a source and copies it into the archive under our naming.

A copy begins like a file of a crawl: with a warcinfo record of ours, which names the source and its SHA-256, and with
the site's profile. The source's records follow in their order, byte for byte. The warcinfo record identifies a copy
later: its source is not imported twice, and its pages were not requested by this crawler.
"""

from __future__ import annotations

import glob
import hashlib
import re
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
from danvan_crawler.warc.files import file_name, finish, open_name, site_folder, this_host
from danvan_crawler.warc.reader import WarcRecord, iter_records
from danvan_crawler.warc.records import DEFAULT_LEVEL, build_profile, build_warcinfo, new_record_id, profile_uri
from danvan_crawler.warc.revisits import Reference, reference_of
from danvan_crawler.warc.sources import Form, SourceRecord, form_of, source_records

SOURCE_NAME = "source-filename"
SOURCE_DIGEST = "source-sha256"
"""Fields of the warcinfo record of a copy."""

_DIGEST_LINE = re.compile(rf"(?m)^{SOURCE_DIGEST}: ([0-9a-f]{{64}})\r?$".encode())
_ADDRESS = re.compile(r"(?:urn:[^/]*:)?(https?://.+)", re.IGNORECASE | re.DOTALL)
"""Browsertrix writes page metadata under `urn:pageinfo:https://…` and similar URNs."""
_OPENING = 2
"""Number of records before those of the source: warcinfo and profile."""


@dataclass(slots=True)
class Survey:
    """The contents of a source, all of whose records were read and are complete."""

    path: Path
    form: Form
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


class Opening(NamedTuple):
    """The contents of the first records of a file of the archive."""

    profile: str | None
    """TOML text of the site's profile."""
    source_digest: str | None
    """SHA-256 of the source; None for a file of our own."""


def survey(path: Path, progress: Callable[[int], None] = lambda records: None) -> Survey:
    """Reads a whole source. Raises ArchiveDamagedError with the offset of the damage, and ArchiveError."""
    form = form_of(path)
    try:
        found = _survey(path, form, progress)
    except ArchiveDamagedError as damage:
        if form is not Form.MEMBERS:
            raise
        try:  # it may be valid: one member for the first record, and one for several others
            found = _survey(path, Form.GZIPPED, progress)
        except ArchiveDamagedError:
            raise damage from None
    try:
        with path.open("rb") as file:
            found.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise archive_error(error, f"read {path}") from error
    return found


def _survey(path: Path, form: Form, progress: Callable[[int], None]) -> Survey:
    found = Survey(path, form)
    with closing(source_records(path, form)) as records:
        for record in records:
            found.records += 1
            progress(found.records)
            origin = origin_of(record.headers)
            if origin is not None:
                found.addresses[origin] += 1
            _note(found, record)
    return found


def _note(found: Survey, record: SourceRecord) -> None:
    seen = WarcRecord(record.headers["WARC-Type"].lower(), record.headers, record.offset, b"")
    if seen.type not in ("response", "revisit", "resource"):
        return
    if not _is_moment(seen.date):
        raise ArchiveDamagedError(f"{found.path}: WARC-Date of the record at byte {seen.offset} is {seen.date!r}")
    if seen.type != "resource":
        found.captures.append(seen.id)
    if seen.type != "revisit":
        found.names |= {seen.id, f"{seen.url} {seen.date}"}
    reference = reference_of(seen)
    if reference is not None:
        found.references.append((seen.offset, reference))


def _is_moment(text: str) -> bool:
    """Whether a WARC-Date is precise to the second at least, so that it can be sorted with others."""
    try:
        return text.endswith("Z") and "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


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
    about = {**warcinfo, SOURCE_NAME: source.path.name, SOURCE_DIGEST: source.sha256}
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
    source's own warcinfo, belong with that one.
    """
    goes_to = site_of(next(iter(source.addresses)))
    with closing(source_records(source.path, source.form, level=level)) as records:
        for record in records:
            origin = origin_of(record.headers)
            if origin is not None:
                goes_to = site_of(origin)
            if goes_to == slug:
                yield record
