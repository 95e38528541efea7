"""What the WARC files of a site hold, in the order in which a walk takes it.

One order everywhere: the exchanges of a run by file and offset, runs by the date of their warcinfo, imported files by
WARC-Date among them. What a killed run had archived and not taken follows the run that took it up (`Run.took_up`).
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

_Told = TypeVar("_Told")
_OPENING = 3
"""Records that open a file of ours: warcinfo, profile, run."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a WARC file of the archive begins with."""

    path: Path
    name: str
    """Final name, relative to the archive."""
    date: str
    """WARC-Date of its warcinfo; "" where that cannot be read."""
    profile: str | None
    """TOML text of the site's profile."""
    run: Run | None
    """None for a file of another tool, or of a version that did not archive what a run was asked to do."""
    is_imported: bool

    @property
    def run_id(self) -> str:
        """Of the run that wrote it; its name where that is not archived."""
        return self.run.run_id if self.run is not None else self.name


@dataclass(frozen=True, slots=True)
class Seen:
    """An archived exchange: its response or revisit record, and why it was made where that is archived."""

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
    """What follows was archived by a run that died before it had taken it."""


Event = Seen | GivenUp | Ended | Began | Died


@dataclass(slots=True)
class Files:
    """The WARC files of one site."""

    archive: Path
    slug: str
    openings: list[Opening] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """Where a file cannot be read, one sentence each; what is around it is used. Grows while events are read."""

    def records(self, opening: Opening, *types: str) -> Iterator[WarcRecord]:
        """The records of one of the files; what is damaged between them goes into `damage`."""
        return readable_records(opening.path, lambda error: self.damage.append(str(error)), types=types)

    @property
    def profiles(self) -> dict[str, str]:
        """TOML text by WARC file, oldest file first."""
        return {one.name: one.profile for one in self.openings if one.profile is not None}


def look_through(archive: Path, slug: str, paths: Iterable[Path]) -> Files:
    """What these files of a site begin with. A file that is damaged there says as little as could be read."""
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
        pass  # found again where its records are read
    return Opening(path, final_name(path).relative_to(archive).as_posix(), date, profile, run, is_imported)


def in_order(files: Files) -> Iterator[Event]:
    """Everything that the files hold, in the order in which a walk takes it."""
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
    """The exchanges of the crawl's own runs."""
    own = [one for one in files.openings if not one.is_imported]
    taken_up: dict[str, int] = {}
    for one in own:
        for name, offset in (one.run.took_up if one.run is not None else {}).items():
            taken_up[name] = min(offset, taken_up.get(name, offset))
    by_name = {one.name: one for one in own}
    for _, of_run in groupby(own, key=lambda one: one.run_id):
        parts = list(of_run)
        run = parts[0].run
        late = [by_name[name] for name in sorted(run.took_up if run is not None else ()) if name in by_name]
        if late:
            yield Died()
            for one in late:
                yield from events(files, one, after=taken_up[one.name])
        yield Began(parts[0])
        for one in parts:
            yield from events(files, one, until=taken_up.get(one.name))


def events(files: Files, opening: Opening, *, after: int = -1, until: int | None = None) -> Iterator[Event]:
    """The exchanges of a file in their order: those behind offset `after`, up to the one at `until`.

    Damaged bytes are passed over, and `files.damage` says so.
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
    """What a record stands for; None for a note that cannot be read, and for what is no event."""
    if record.type != "metadata":
        return Seen(name, record, why)
    place = RecordPlace(name, record.offset)
    if (text := note_of(record, UNANSWERED)) is not None:
        request = _parsed(Unanswered.from_json, text)
        return GivenUp(place, request) if request is not None else None
    if (text := note_of(record, END)) is not None:
        return _parsed(lambda told: Ended(place, **json.loads(told)), text)
    return None


@dataclass(frozen=True, slots=True, order=True)
class ImportedRecord:
    """A record of another tool; sorts in the order in which it is taken."""

    date: str
    """Its WARC-Date; that of the import where it is dated after that: no run has seen it before."""
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


def _parsed(parse: Callable[[str], _Told], text: str) -> _Told | None:
    try:
        return parse(text)
    except (ValueError, KeyError, TypeError):  # of a version that wrote it otherwise
        return None
