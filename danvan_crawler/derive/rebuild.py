"""Rebuild the item database from the WARC files alone.

The captures of each site are replayed in order into a new database (`derive.reparse`), which replaces the old one in
one step when it is complete.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from scrapy.settings import Settings

from danvan_crawler.archive.layout import database_path, warc_folder
from danvan_crawler.archive.locks import DatabaseLock, SiteLock
from danvan_crawler.derive.idle import default_run, idle_crawler, site_of
from danvan_crawler.derive.reparse import Reparse
from danvan_crawler.derive.scan import Event, Files, in_order, scan_files
from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, DanvanError, ProfileError
from danvan_crawler.memory import tune_garbage_collector
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.lifecycle import days_of
from danvan_crawler.store.site_state import kept_on_rebuild
from danvan_crawler.store.suppressed_file import read_takedowns
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.files import final_name, open_files, warc_files
from danvan_crawler.warc.index import write_missing_indexes
from danvan_crawler.warc.recovery import recover

logger = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
"""Called with captures done and captures in all; None if the total is unknown."""
_COMPANIONS = ("-wal", "-shm")
"""Files that SQLite keeps beside a database."""

_BATCH = 500
"""Events in one transaction of the new database; a commit for each event took an eighth of the time."""


@dataclass(slots=True)
class Rebuilt:
    """Result of a rebuild."""

    sites: list[str] = field(default_factory=list)
    captures: int = 0
    articles: int = 0
    failures: list[str] = field(default_factory=list)
    """Pages that could not be parsed, one sentence each."""
    damage: list[str] = field(default_factory=list)
    """Places in WARC files that could not be read (the records before them were used), and revisits whose payload is no
    longer in the archive, one sentence each."""


def rebuild(archive: Path, registry: SiteRegistry, settings: Settings, progress: Progress) -> Rebuilt:
    """Derives the database of an archive from its WARC files and replaces the old one.

    Sites are taken from `registry`, else from the profile in their WARC files. If a WARC file is damaged, the old
    database is kept beside the new one as `danvan.sqlite.before-rebuild`.

    Raises LockedError if a crawl is running, ArchiveError if the archive cannot be read or written.
    """
    if not archive.is_dir():
        raise ArchiveError(f"{archive}: there is no archive here")
    result = Rebuilt()
    folder = warc_folder(archive)
    slugs = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    with ExitStack() as held:
        for slug in slugs:  # before the database's lock, so that an error names the site that is being crawled
            held.enter_context(SiteLock(archive, slug))
        held.enter_context(DatabaseLock(archive, exclusive=True))
        _derive(archive, slugs, registry, settings, progress, result)
    return result


def _derive(
    archive: Path, slugs: list[str], registry: SiteRegistry, settings: Settings, progress: Progress, result: Rebuilt
) -> None:
    target = database_path(archive)
    temporary = target.with_name(f"{target.name}.rebuild")
    for suffix in ("", *_COMPANIONS):  # left by a killed rebuild
        _beside(temporary, suffix).unlink(missing_ok=True)
    takedowns = read_takedowns(archive)
    scans = {slug: _scan(archive, slug) for slug in slugs}
    store = Store(temporary, revisit_days=days_of(settings["DANVAN_REVISIT_DAYS"]))
    tune_garbage_collector()
    try:
        store.apply_takedowns(takedowns)
        for of_site, name, value in _kept_values(target):
            store.state.set(of_site, name, value)
        for slug, files in scans.items():
            site = _site(registry, slug, files, result)
            crawler = idle_crawler(slug, site, settings, store)
            store.set_rights(slug, site.rights if site is not None else None)
            reparse = Reparse(archive, slug, site, store, crawler, files.profiles, default_run(settings))
            before = result.captures
            for events in _batches(in_order(files)):
                with store.batch():
                    for event in events:
                        reparse.take(event)
                result.captures = before + reparse.captures
                progress(result.captures, None)
            result.articles += reparse.articles
            result.failures.extend(reparse.failures)
            result.damage.extend([*files.damage, *reparse.lost])
            result.sites.append(slug)
    finally:
        store.close()
    _replace(target, temporary, keep=bool(result.damage))
    for slug in slugs:  # not before: a manifest means that the database has the file
        write_missing_indexes(archive, warc_files(archive, slug))  # its errors are already in `damage`


def _kept_values(database: Path) -> list[tuple[str, str, str]]:
    """The values of the old database that are in no WARC file; none if it cannot be read."""
    try:
        engine = open_for_reading(database)
        with engine.connect() as connection:
            return kept_on_rebuild(connection)
    except DanvanError as error:
        logger.info("%s", error)
        return []


def _replace(target: Path, new: Path, *, keep: bool) -> None:
    """Replaces the old database; its WAL is moved or removed, because SQLite would apply it to the new one."""
    old = target.with_name(f"{target.name}.before-rebuild")
    for suffix in _COMPANIONS:
        if keep:
            _beside(old, suffix).unlink(missing_ok=True)  # of an older kept database
        if keep and suffix == "-wal" and _beside(target, suffix).is_file():
            _beside(target, suffix).replace(_beside(old, suffix))
        _beside(target, suffix).unlink(missing_ok=True)
    if keep and target.is_file():
        target.replace(old)
    new.replace(target)


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _scan(archive: Path, slug: str) -> Files:
    """The files of a site. Those of dead runs are recovered; if that fails, they are read up to the damage."""
    damage: list[str] = []
    try:
        recover(warc_folder(archive, slug))
    except ArchiveDamagedError as error:
        damage.append(str(error))
    unfinished = [path for path in open_files(warc_folder(archive, slug)) if not final_name(path).exists()]
    found = scan_files(archive, slug, [*warc_files(archive, slug), *unfinished])
    found.damage += damage
    return found


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    while batch := list(islice(events, _BATCH)):
        yield batch


def _site(registry: SiteRegistry, slug: str, found: Files, result: Rebuilt) -> Site | None:
    """The site of a slug; None for a spider without a site, or if the archived profile is invalid."""
    try:
        return site_of(registry, slug, found.profiles)
    except ProfileError as error:
        result.failures.append(str(error))
        return None
