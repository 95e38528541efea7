"""Read the events in the WARC files of a site, in the order in which they are stored in the database.

The order is always the same: exchanges of a run by file and offset, runs by the date of their warcinfo, and imported
records between them by WARC-Date. Exchanges that a killed run archived but did not store come directly before the run
that stored them (`Run.took_up`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.walk.asking import Run, Unanswered, Why
from danvan_crawler.warc.files import final_name
from danvan_crawler.warc.imports import source_digest
from danvan_crawler.warc.notes import END, RUN, UNANSWERED, WHY, note_of
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record, readable_records
from danvan_crawler.warc.records import profile_uri

_Parsed = TypeVar("_Parsed")
_OPENING = 3
"""Number of records at the beginning of our files: warcinfo, profile, run."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The data at the beginning of a WARC file of the archive."""

    path: Path
    name: str
    """Final name, relative to the archive."""
    date: str
    """WARC-Date of its warcinfo; "" if it cannot be read."""
    profile: str | None
    """TOML text of the site's profile."""
    run: Run | None
    """None for a file of another tool, or of a version that did not archive the options of a run."""
    is_imported: bool

    @property
    def run_id(self) -> str:
        """Id of the run that wrote it; the file's name if the id is not archived."""
        return self.run.run_id if self.run is not None else self.name


@dataclass(frozen=True, slots=True)
class Seen:
    """An archived exchange: its response or revisit record, and the reason for the request if it is archived."""

    warc_file: str
    record: WarcRecord
    why: Why | None
    is_imported: bool = False


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A request that a run gave up."""

    place: RecordPlace
    request: Unanswered


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run."""

    place: RecordPlace
    date: str
    reason: str


@dataclass(frozen=True, slots=True)
class Began:
    """A run begins, with the first file that it wrote."""

    opening: Opening


@dataclass(frozen=True, slots=True)
class Died:
    """The events that follow were archived by a run that died before it stored them."""


Event = Seen | GivenUp | Ended | Began | Died


@dataclass(slots=True)
class Files:
    """The WARC files of one site."""

    archive: Path
    slug: str
    openings: list[Opening] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """Damaged places, one sentence each; the records around them are used. Grows while events are read."""

    def records(self, opening: Opening, *types: str) -> Iterator[WarcRecord]:
        """The records of one of the files; damage between them is added to `damage`."""
        return readable_records(opening.path, lambda error: self.damage.append(str(error)), types=types)

    @property
    def profiles(self) -> dict[str, str]:
        """TOML text by WARC file, oldest file first."""
        return {one.name: one.profile for one in self.openings if one.profile is not None}


def scan_files(archive: Path, slug: str, paths: Iterable[Path]) -> Files:
    """Reads the beginning of these files of a site. If it is damaged, the data before the damage is used."""
    openings = [_opening(archive, slug, path) for path in paths]
    return Files(archive, slug, sorted(openings, key=lambda one: (one.date, one.name)))


def _opening(archive: Path, slug: str, path: Path) -> Opening:
    date, profile, run, is_imported = "", None, None, False
    try:
        for record in islice(iter_records(path), _OPENING):
            if record.type == "warcinfo" and record.offset == 0:
                date, is_imported = record.date, source_digest(record) is not None
            elif record.url == profile_uri(slug):
                profile = record.block.decode()
            elif (text := note_of(record, RUN)) is not None:
                run = _parsed(Run.from_json, text)
    except ArchiveDamagedError:
        pass  # reported when its records are read
    return Opening(path, final_name(path).relative_to(archive).as_posix(), date, profile, run, is_imported)


def in_order(files: Files) -> Iterator[Event]:
    """All events of the files, in the order in which they are stored."""
    runs = _runs(files)
    imported = iter(imported_in_order(files))
    waiting = next(imported, None)
    latest = ""
    for event in runs:
        if isinstance(event, (Began, Seen)):
            latest = max(latest, event.opening.date if isinstance(event, Began) else event.record.date)
        while waiting is not None and waiting.date < latest:
            yield read_imported(files, waiting)
            waiting = next(imported, None)
        yield event
    while waiting is not None:
        yield read_imported(files, waiting)
        waiting = next(imported, None)


def _runs(files: Files) -> Iterator[Event]:
    """The events of our own runs."""
    own = [one for one in files.openings if not one.is_imported]
    taken_up: dict[str, int] = {}
    for one in own:
        for name, offset in (one.run.took_up if one.run is not None else {}).items():
            taken_up[name] = min(offset, taken_up.get(name, offset))
    by_name = {one.name: one for one in own}
    for _, of_run in groupby(own, key=lambda one: one.run_id):
        parts = list(of_run)
        run = parts[0].run
        taken_later = [by_name[name] for name in sorted(run.took_up if run is not None else ()) if name in by_name]
        if taken_later:
            yield Died()
            for one in taken_later:
                yield from events(files, one, after=taken_up[one.name])
        yield Began(parts[0])
        for one in parts:
            yield from events(files, one, until=taken_up.get(one.name))


def events(files: Files, opening: Opening, *, after: int = -1, until: int | None = None) -> Iterator[Event]:
    """The events of a file in order: those after offset `after`, up to and including the one at `until`.

    Damaged bytes are skipped and added to `files.damage`.
    """
    whys: dict[str, Why] = {}
    for record in files.records(opening, "response", "revisit", "metadata"):
        if record.type == "metadata" and (text := note_of(record, WHY)) is not None:
            if (why := _parsed(Why.from_json, text)) is not None:
                whys[(record.headers.get("WARC-Concurrent-To") or "").strip("<>")] = why
            continue
        why = whys.pop(record.id, None)
        if after < record.offset and (until is None or record.offset <= until):
            event = _event(opening.name, record, why)
            if event is not None:
                yield event


def _event(name: str, record: WarcRecord, why: Why | None) -> Event | None:
    """The event of a record; None if it is not an event or its note cannot be read."""
    if record.type != "metadata":
        return Seen(name, record, why)
    place = RecordPlace(name, record.offset)
    if (text := note_of(record, UNANSWERED)) is not None:
        request = _parsed(Unanswered.from_json, text)
        return GivenUp(place, request) if request is not None else None
    if (text := note_of(record, END)) is not None:
        return _parsed(lambda data: Ended(place, **json.loads(data)), text)
    return None


@dataclass(frozen=True, slots=True, order=True)
class ImportedRecord:
    """A record of another tool; sorts in the order in which it is stored."""

    date: str
    """Its WARC-Date, or the date of the import if that is earlier, because no run used the record before the import."""
    own_date: str
    place: RecordPlace


def imported_in_order(files: Files) -> list[ImportedRecord]:
    """The response and revisit records of other tools, in the order of their dates."""
    found = []
    for one in files.openings:
        if one.is_imported:
            for record in files.records(one, "response", "revisit"):
                place = RecordPlace(one.name, record.offset)
                found.append(ImportedRecord(min(record.date, one.date), record.date, place))
    return sorted(found)


def read_imported(files: Files, imported: ImportedRecord) -> Seen:
    """The exchange of a record of another tool. Raises ArchiveError."""
    record = read_record(files.archive, imported.place)
    return Seen(imported.place.warc_file, record, None, is_imported=True)


def _parsed(parse: Callable[[str], _Parsed], text: str) -> _Parsed | None:
    try:
        return parse(text)
    except (ValueError, KeyError, TypeError):  # written by a version with another format
        return None
