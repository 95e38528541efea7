"""Apply ARCHIVE/suppressed.toml to the item database: hide articles, and restore those no longer listed.

Hiding needs only the database and may happen while sites are crawled. Restoring needs the archive: the captures of the
suppressed article are read again from their records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from scrapy.crawler import Crawler
from scrapy.settings import Settings

from danvan_crawler import clock
from danvan_crawler.archive.layout import database_path
from danvan_crawler.archive.locks import DatabaseLock, SiteLock
from danvan_crawler.derive.idle import default_run, idle_crawler, site_of
from danvan_crawler.derive.reparse import Reparse
from danvan_crawler.derive.scan import Files, Seen, scan_files
from danvan_crawler.exceptions import UnknownItemError
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store import suppression
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.lifecycle import days_of
from danvan_crawler.store.queries import history
from danvan_crawler.store.suppressed_file import Takedown, add_takedown, read_takedowns, remove_takedown
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import without_credentials
from danvan_crawler.walk.asking import Why
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.reader import read_record


def suppress(archive: Path, wanted: str, reason: str, settings: Settings) -> tuple[Takedown, bool]:
    """Hides the article with this item_id or address. Returns its takedown, and whether it is new.

    Raises UnknownItemError, UsageError if the file is invalid, LockedError while the database is rebuilt.
    """
    with DatabaseLock(archive):
        entries = read_takedowns(archive)
        entry = suppression.among(entries, wanted)
        is_new = entry is None
        if entry is None:
            with open_for_reading(database_path(archive)).connect() as connection:
                item = history(connection, wanted).item
            entry = Takedown(item["item_id"], item["canonical_url"], reason, clock.now().date())
            add_takedown(archive, entry)
            entries = [*entries, entry]
        store = _store(archive, settings)
        try:
            store.apply_takedowns(entries)
        finally:
            store.close()
    return entry, is_new


def unsuppress(archive: Path, wanted: str, registry: SiteRegistry, settings: Settings) -> Takedown:
    """Ends the takedown of the article with this item_id or address and restores the article completely.

    Raises UnknownItemError if it is not suppressed, LockedError while its site is crawled or the database is rebuilt.
    """
    entry = suppression.among(read_takedowns(archive), wanted)
    if entry is None:
        raise UnknownItemError(f"no suppressed article has the item_id or address {without_credentials(wanted)!r}")
    _follow(archive, [entry.site], registry, settings, ending=entry)
    return entry


def follow_file(archive: Path, registry: SiteRegistry, settings: Settings) -> list[Takedown]:
    """Applies a file that was changed by hand to the database, and returns the file's entries.

    Raises UsageError if the file is invalid, and LockedError as `unsuppress` does if entries were removed.
    """
    listed = {entry.item_id for entry in read_takedowns(archive)}
    with open_for_reading(database_path(archive)).connect() as connection:
        ended = [entry.site for entry in suppression.known(connection) if entry.item_id not in listed]
    _follow(archive, ended, registry, settings)
    return read_takedowns(archive)


def _follow(
    archive: Path, sites: Iterable[str], registry: SiteRegistry, settings: Settings, *, ending: Takedown | None = None
) -> None:
    open_for_reading(database_path(archive)).dispose()  # raises if there is no database; Store would create one
    slugs = sorted(set(sites))
    with ExitStack() as held:
        for slug in slugs:
            held.enter_context(SiteLock(archive, slug))
        held.enter_context(DatabaseLock(archive))
        if ending is not None:
            remove_takedown(archive, ending.item_id)
        store = _store(archive, settings)
        held.callback(store.close)
        ended = store.apply_takedowns(read_takedowns(archive))
        for slug in slugs:
            _bring_back(archive, slug, [entry for entry in ended if entry.site == slug], store, registry, settings)


def _bring_back(
    archive: Path, slug: str, ended: list[Takedown], store: Store, registry: SiteRegistry, settings: Settings
) -> None:
    files = scan_files(archive, slug, warc_files(archive, slug))
    site = site_of(registry, slug, files.profiles)
    bring_back(files, ended, site, store, idle_crawler(slug, site, settings, store))


def bring_back(files: Files, ended: Sequence[Takedown], site: Site | None, store: Store, crawler: Crawler) -> None:
    """Restores the articles of these takedowns, each in the transaction that ends it. Raises ArchiveError, StoreError.

    `crawler` has `store` attached.
    """
    reparse = Reparse(files.archive, files.slug, site, store, crawler, files.profiles, default_run(crawler.settings))
    imported = {one.name for one in files.openings if one.is_imported}
    for entry in ended:
        with store.batch():
            for place in store.lift(entry.item_id):
                record = read_record(files.archive, place)
                why = Why("article", record.url or "")
                reparse.take_again(Seen(place.warc_file, record, why, is_imported=place.warc_file in imported))


def _store(archive: Path, settings: Settings) -> Store:
    return Store(database_path(archive), revisit_days=days_of(settings["DANVAN_REVISIT_DAYS"]))
