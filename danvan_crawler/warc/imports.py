"""WARC files of other tools in the archive: what a source holds, and its copy under our naming.

A copy begins with a warcinfo record of ours that names the source and its SHA-256, and with the site's profile, as the
files of a crawl do; then follow the source's records in their order, byte for byte. By that warcinfo record a copy is
known again: as one whose source need not be taken in twice, and as one whose pages were asked for by somebody else.
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
"""Browsertrix writes what it knows of a page under `urn:pageinfo:https://…` and the like."""
_OPENING = 2
"""Records that stand before those of the source: warcinfo and profile."""


@dataclass(slots=True)
class Survey:
    """What a source holds; every record of it was walked over and is complete."""

    path: Path
    form: Form
    sha256: str = ""
    records: int = 0
    addresses: Counter[str] = field(default_factory=Counter)
    """Records by scheme, host and port, `https://example.vn`."""
    captures: list[str] = field(default_factory=list)
    """Ids of its response and revisit records."""
    names: set[str] = field(default_factory=set)
    """What a revisit may name a record by: ids of those that have a payload, and their addresses with their dates."""
    references: list[tuple[int, Reference]] = field(default_factory=list)
    """What its revisits stand for, with the offset of each."""


class Opening(NamedTuple):
    """What the first records of a file of the archive say."""

    profile: str | None
    """TOML text of the site's profile."""
    source_digest: str | None
    """SHA-256 of the source; None for a file of our own."""


def survey(path: Path, progress: Callable[[int], None] = lambda records: None) -> Survey:
    """Walks over all of a source. Raises ArchiveDamagedError, naming the byte, for damage, and ArchiveError."""
    form = form_of(path)
    try:
        found = _survey(path, form, progress)
    except ArchiveDamagedError as damage:
        if form is not Form.MEMBERS:
            raise
        try:  # it may be sound, with a member for its first record and one for several others
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
        raise ArchiveDamagedError(f"{found.path}: the record at byte {seen.offset} has no moment, but {seen.date!r}")
    if seen.type != "resource":
        found.captures.append(seen.id)
    if seen.type != "revisit":
        found.names |= {seen.id, f"{seen.url} {seen.date}"}
    reference = reference_of(seen)
    if reference is not None:
        found.references.append((seen.offset, reference))


def _is_moment(text: str) -> bool:
    """Whether a WARC-Date says at least the second, and so can be put in order with others."""
    try:
        return text.endswith("Z") and "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def origin_of(headers: HeaderMap) -> str | None:
    """Scheme, host and port of what a record is about, `dns://host` for a look-up; None when it names no host."""
    target = (headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">")
    if target.startswith("dns:"):
        return f"dns://{target.removeprefix('dns:').strip('/').lower()}"
    match = _ADDRESS.fullmatch(target)
    if match is None:
        return None
    scheme, _, rest = match[1].partition("://")
    return f"{scheme.lower()}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2].lower()}"


def opening_of(path: Path, slug: str) -> Opening:
    """Profile and source of a file of the archive. Raises ArchiveError; one that is damaged there says nothing."""
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
    """SHA-256 of the source that a copy was made of, from the record that the copy begins with; else None."""
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
    """Writes these records of a source into a new file of a site, whose lock the caller holds; gives its path.

    The file gets its name when it is complete and synced. Raises ArchiveError, DiskFullError and ArchiveDamagedError;
    nothing is left of it then.
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
    """The records of a source that go to a site: by their host, which `site_of` knows, else with the one before them.

    What stands before the first record that names a host, such as the source's own warcinfo, goes with that one.
    """
    goes_to = site_of(next(iter(source.addresses)))
    with closing(source_records(source.path, source.form, level=level)) as records:
        for record in records:
            origin = origin_of(record.headers)
            if origin is not None:
                goes_to = site_of(origin)
            if goes_to == slug:
                yield record
