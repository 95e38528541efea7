"""Before its own work, a run brings into the database what dead runs archived but did not store.

A file gets its manifest when the database has all of it, at the end of a run and here. So a file without a manifest is
read, whether its run died before or after the file got its final name. `Store.position` is the last record in the
database. If the database has a part of a run, the rest is stored without continuing its walks, and this run archives
that it did so (`Run.took_up`). If it has nothing of a run, the whole run is replayed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from scrapy.crawler import Crawler

from danvan_crawler.archive.layout import warc_prefix
from danvan_crawler.derive.idle import default_run
from danvan_crawler.derive.rederive import rederive
from danvan_crawler.derive.reparse import Reparse
from danvan_crawler.derive.scan import Began, Died, Files, Opening, events, scan_files
from danvan_crawler.derive.suppress import bring_back
from danvan_crawler.plurals import counted
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.captures import last_offsets
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.suppressed_file import read_takedowns
from danvan_crawler.store.writes import Store
from danvan_crawler.verify.database import lost_records
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.index import index_path, manifest_path, write_missing_indexes
from danvan_crawler.warc.recovery import Recovered

logger = logging.getLogger(__name__)


def take_over(
    archive: Path, slug: str, site: Site | None, store: Store, crawler: Crawler, recovered: list[Recovered]
) -> dict[str, int]:
    """Stores the leftovers of dead runs, and writes missing manifests.

    `crawler` has `store` attached; `recovered` are the files that were open when their run died. Returns the files from
    which records were taken, with the offset of the last record before them. Raises ArchiveError and StoreError.
    """
    for file in recovered:
        kept = counted(file.kept_bytes, "byte")
        logger.warning("%s: left by a run that died; kept %s, cut %d", file.path, kept, file.cut_bytes)
        # They exist if the file already had its final name and was renamed by hand.
        manifest_path(archive, file.path).unlink(missing_ok=True)
        index_path(archive, file.path).unlink(missing_ok=True)
    for sentence in lost_records(archive, slug):
        logger.warning("%s; run `danvan rebuild`; the next crawl then requests the lost pages", sentence)
    ended = [entry for entry in store.apply_takedowns(read_takedowns(archive)) if entry.site == slug]
    store.set_rights(slug, site.rights if site is not None else None)
    paths = warc_files(archive, slug)
    left = {path for path in paths if not manifest_path(archive, path).exists()}
    taken: dict[str, int] = {}
    if left or ended:
        files = scan_files(archive, slug, paths)
        taken = _take(files, left, site, store, crawler)
        bring_back(files, ended, site, store, crawler)
        store.flush()
    for sentence in write_missing_indexes(archive, paths):
        logger.warning("%s; `danvan verify --repair` moves damaged bytes to separate files", sentence)
    return taken


def _take(files: Files, left: set[Path], site: Site | None, store: Store, crawler: Crawler) -> dict[str, int]:
    openings = [one for one in files.openings if one.path in left]
    known = _positions(files, store)
    if any(one.is_imported or _precedes(one, files, known) for one in openings):
        rederive(files, site, store, crawler)  # their records belong between records that the database has
        return {}
    reparse = Reparse(files.archive, files.slug, site, store, crawler, files.profiles, default_run(crawler.settings))
    taken: dict[str, int] = {}
    for opening in openings:
        is_partly_taken = any(one.name in known for one in files.openings if one.run_id == opening.run_id)
        start = known.get(opening.name, -1)
        if opening.run is None:  # written by a version that stored captures before their consequences
            start, is_partly_taken = -1, False
        if not (is_partly_taken or reparse.run_id == opening.run_id):
            reparse.take(Began(opening))
        elif reparse.run_id != opening.run_id:
            reparse.take(Died())
        for event in events(files, opening, after=start):
            reparse.take(event)
            if is_partly_taken:
                taken[opening.name] = start
    for sentence in (*reparse.failures, *reparse.lost):
        logger.warning("%s", sentence)
    return taken


def _precedes(opening: Opening, files: Files, known: Mapping[str, int]) -> bool:
    """Whether the database has a later file but nothing of this one: the file was restored."""
    is_known = opening.name in known
    return not is_known and any(one.date > opening.date for one in files.openings if one.name in known)


def _positions(files: Files, store: Store) -> dict[str, int]:
    """For each file, the offset of the last record in the database."""
    store.flush()
    with open_for_reading(store.path).connect() as connection:
        known = dict(last_offsets(connection, warc_prefix(files.slug)))
    position = store.position(files.slug)
    if position is not None:
        known[position.warc_file] = position.warc_offset
    return known
