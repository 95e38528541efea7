"""Where the captures of a site are in its WARC files, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.files import final_name
from danvan_crawler.warc.imports import source_digest
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import profile_uri


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A response or revisit record; sorts by WARC-Date, file, offset."""

    date: str
    warc_file: str
    offset: int


@dataclass(slots=True)
class Scan:
    """What the WARC files of one site hold."""

    places: list[Place] = field(default_factory=list)
    """Response and revisit records in the order in which the exchanges began."""
    profiles: dict[str, str] = field(default_factory=dict)
    """TOML text by WARC file, oldest file first."""
    imported: set[str] = field(default_factory=set)
    """WARC files that were another tool's."""
    damage: list[str] = field(default_factory=list)
    """Where a file cannot be read, one sentence each; what precedes it is in `places`."""


def scan(archive: Path, slug: str, files: Iterable[Path]) -> Scan:
    """Looks through WARC files of a site, each record checked."""
    found = Scan()
    for path in files:
        name = final_name(path).relative_to(archive).as_posix()
        try:
            for record in iter_records(path, types=("response", "revisit", "metadata", "warcinfo")):
                if record.type in ("response", "revisit"):
                    found.places.append(Place(record.date, name, record.offset))
                elif record.url == profile_uri(slug):
                    found.profiles.setdefault(name, record.block.decode())
                elif record.type == "warcinfo" and source_digest(record) is not None:
                    found.imported.add(name)
        except ArchiveDamagedError as error:
            found.damage.append(str(error))
    found.places.sort()
    return found
