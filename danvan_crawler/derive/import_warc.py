"""Files of other tools become part of the archive: looked through, copied, indexed, their pages read.

Nothing is copied before it is known to be readable: each source is read to its end, each of its hosts has to belong to
a site, no record of it may be there already, and what its revisits stand for has to be there or to come with them.
Records that cannot be read or used are left out and named. A source stays where it is and as it is.

A record is stored with the site that has its host. Third parties (fonts, video, statistics) in a browser's capture have
no site: `--site` names the site for them.
"""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from scrapy.settings import Settings
from sqlalchemy import select

from danvan_crawler import __version__
from danvan_crawler.archive.layout import database_path
from danvan_crawler.archive.locks import DatabaseLock, SiteLock
from danvan_crawler.derive.idle import default_run, idle_crawler
from danvan_crawler.derive.rederive import rederive
from danvan_crawler.derive.reparse import Reading, Reparse
from danvan_crawler.derive.scan import Files, imported_in_order, read_imported, scan_files
from danvan_crawler.exceptions import ArchiveDamagedError, UsageError
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.captures import CHUNK
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.lifecycle import days_of
from danvan_crawler.store.schema import captures
from danvan_crawler.store.suppressed_file import read_takedowns
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import endpoint
from danvan_crawler.warc.containers import parts_of
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.imports import SOURCE_CONVERSION, Judge, Survey, opening_of, records_for, survey, write_copy
from danvan_crawler.warc.index import manifest_path, write_missing_indexes

_BATCH = 200
"""Captures in one transaction; crawls of other sites wait for it."""


@dataclass(slots=True)
class Imported:
    """Result of an import."""

    skipped: list[str] = field(default_factory=list)
    """Sources that were taken in before, or hold nothing of any host, one sentence each."""
    left_out: list[str] = field(default_factory=list)
    """Records that are not taken in, and damage of the files themselves, one sentence each."""
    converted: list[str] = field(default_factory=list)
    """What was converted, one sentence for each source."""
    renamed: list[str] = field(default_factory=list)
    """Records whose target was not ASCII and was encoded, one sentence each."""
    files: list[tuple[Path, Path]] = field(default_factory=list)
    """Each source with the file made from it."""
    captures: Counter[str] = field(default_factory=Counter)
    """By slug."""
    read: dict[str, Reading] = field(default_factory=dict)
    """By slug, what these captures gave."""
    failures: list[str] = field(default_factory=list)
    """Pages that could not be parsed, one sentence each."""


class Hosts:
    """Finds the site of an address; `fallback` is the slug for addresses without a site."""

    def __init__(self, sites: Iterable[Site], fallback: str | None) -> None:
        self._sites = tuple(sites)
        self._fallback = fallback

    def owners(self, origin: str) -> list[str]:
        """Slugs of the sites with the host of an origin; for sites on private networks, the port must match too."""
        host, port = endpoint(origin)
        return [
            site.slug
            for site in self._sites
            if host in site.hosts and (not site.private_network or not port or (host, port) in site.private_endpoints())
        ]

    def __call__(self, origin: str) -> str:
        """The slug of an origin's site. Raises UsageError if no site or several sites have it."""
        owners = self.owners(origin)
        if len(owners) == 1 and (self._fallback is None or self._fallback not in owners):
            return owners[0]
        if self._fallback is not None:
            return self._fallback
        raise UsageError(f"{origin}: belongs to {' and '.join(owners) or 'no site'}")


def import_warcs(
    archive: Path,
    files: Sequence[Path],
    registry: SiteRegistry,
    settings: Settings,
    *,
    site: str | None = None,
    judge: Judge = lambda record: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Takes files of other tools into the archive and their pages into the database.

    `site` is the slug for records whose host is no site's; `judge` may refuse further records; `progress` is called
    with captures read and in all.

    Raises, before anything is written: ArchiveDamagedError for a source without any readable record,
    UnsupportedSourceError for one of a kind that is not supported, UsageError for hosts without a site, records that
    are there already and revisits of records that are not, LockedError when one of the sites is being crawled.
    ArchiveError and StoreError when something cannot be read or written.
    """
    result = Imported()
    hosts = Hosts(registry, registry.get(site).slug if site is not None else None)
    surveys = _with_records([survey(part, judge=judge) for path in files for part in parts_of(path)], result)
    for source in surveys:
        _refuse_unknown_hosts(source, hosts)
    plan, known = _without_known(archive, surveys, hosts, result)
    made: dict[str, list[Path]] = {}
    for slug, path in known:
        if not _is_read(archive, path):  # an import that was killed may have copied more than it read
            made.setdefault(slug, []).append(path)
    slugs = sorted({*made, *(slug for _, slug in plan)})
    if not slugs:
        return result
    with ExitStack() as held:
        for slug in slugs:
            held.enter_context(SiteLock(archive, slug))
        held.enter_context(DatabaseLock(archive))
        store = Store(database_path(archive), revisit_days=days_of(settings["DANVAN_REVISIT_DAYS"]))
        held.callback(store.close)
        store.apply_takedowns(read_takedowns(archive))
        _refuse_duplicates(plan, store)
        _refuse_missing_originals(plan, store)
        for source, slug in plan:
            path = _copy(archive, source, registry.get(slug), hosts, settings)
            made.setdefault(slug, []).append(path)
            result.files.append((source.path, path))
        _report(plan, result)
        total = sum(len(source.captures) for source, _ in plan)
        for slug, paths in made.items():
            _read(archive, registry.get(slug), paths, store, settings, result, lambda done: progress(done, total))
            store.flush()
            # Last: if this process is killed, the next run reads the files without a manifest.
            write_missing_indexes(archive, paths)
    return result


def _with_records(surveys: Sequence[Survey], result: Imported) -> list[Survey]:
    """Those that hold a record of any host, so that there is something to import.

    Raises ArchiveDamagedError and UsageError.
    """
    found = [source for source in surveys if source.addresses]
    for source in surveys:
        if source.addresses:
            continue
        if source.left_out:
            more = f", and {len(source.left_out) - 1} more" if len(source.left_out) > 1 else ""
            raise ArchiveDamagedError(f"{source.path}: nothing in it can be imported: {source.left_out[0]}{more}")
        if not found:
            raise UsageError(f"{source.path}: holds no record of any host")
        result.skipped.append(f"{source.path}: holds no record of any host")
    return found


def _report(plan: Sequence[tuple[Survey, str]], result: Imported) -> None:
    for source in {source.path: source for source, _ in plan}.values():
        if source.damage is not None:
            result.left_out.append(source.damage)
        for one in source.left_out:
            result.left_out.append(f"{source.path}: left out: {one}")
        conversion = source.description[SOURCE_CONVERSION]
        if conversion:
            result.converted.append(f"{source.path}: converted {conversion}")
        result.renamed += [f"{source.path}: converted: {one}" for one in source.renamed]


def _read(
    archive: Path,
    site: Site,
    paths: Sequence[Path],
    store: Store,
    settings: Settings,
    result: Imported,
    report_progress: Callable[[int], None],
) -> None:
    """Reads the pages of new files; derives the whole site again if they are older than its captures."""
    crawler = idle_crawler(site.slug, site, settings, store)
    store.set_rights(site.slug, site.rights)
    files = scan_files(archive, site.slug, warc_files(archive, site.slug))
    new = Files(archive, site.slug, [one for one in files.openings if one.path in paths])
    found = list(imported_in_order(new))
    latest = store.latest_capture(site.slug)
    if found and latest is not None and found[0].date <= latest:
        reparse = rederive(files, site, store, crawler)
    else:
        run = default_run(settings)
        reparse = Reparse(archive, site.slug, site, store, crawler, files.profiles, run)
        for start in range(0, len(found), _BATCH):
            with store.batch():
                for one in found[start : start + _BATCH]:
                    reparse.take(read_imported(new, one))
            report_progress(result.captures.total() + reparse.captures)
    result.captures[site.slug] += len(found)
    reading = result.read.setdefault(site.slug, Reading())
    for name in {one.name for one in new.openings} & reparse.imported.keys():
        reading.add(reparse.imported[name])
    result.failures += [*reparse.failures, *reparse.lost]


def _copy(archive: Path, source: Survey, site: Site, hosts: Hosts, settings: Settings) -> Path:
    about = {
        # Not "danvan-crawler/…" as in our own files: another tool wrote these records.
        "software": f"import-warc (danvan-crawler/{__version__})",
        "operator": settings.get("DANVAN_OPERATOR") or "",
        "isPartOf": site.slug,
        "description": f"Records of {source.path.name} for {site.name} ({site.slug}), as another tool wrote them",
        "rights": site.rights or "",
        "hostname": socket.gethostname(),
    }
    level = settings.getint("DANVAN_GZIP_LEVEL")
    records = records_for(source, site.slug, hosts, level=level)
    return write_copy(archive, site.slug, source, records, warcinfo=about, profile=site.source_text, level=level)


def _refuse_unknown_hosts(source: Survey, hosts: Hosts) -> None:
    unknown: Counter[str] = Counter()
    for origin, count in source.addresses.items():
        try:
            hosts(origin)
        except UsageError:
            unknown[_shown(origin, hosts)] += count
    if unknown:
        counted = ", ".join(f"{host} ({count})" for host, count in unknown.most_common())
        raise UsageError(
            f"{source.path}: not imported: these hosts (number of records) belong to no site or to several sites:"
            f" {counted}; name their site with --site, or add them to its aliases"
        )


def _shown(origin: str, hosts: Hosts) -> str:
    owners = hosts.owners(origin)
    host = re.sub(r"^\w+://", "", origin)
    return f"{host} of {' and '.join(owners)}" if owners else host


def _without_known(
    archive: Path, surveys: Sequence[Survey], hosts: Hosts, result: Imported
) -> tuple[list[tuple[Survey, str]], list[tuple[str, Path]]]:
    """Sources to import with their slugs, and the slugs and files of those that were imported before."""
    before: dict[tuple[str, str], Path] = {}
    again: list[tuple[str, Path]] = []
    plan: dict[tuple[str, str], Survey] = {}
    for source in surveys:
        for slug in dict.fromkeys(hosts(origin) for origin in source.addresses):
            for path in warc_files(archive, slug) if not any(known[1] == slug for known in before) else ():
                digest = opening_of(path, slug).source_digest
                if digest is not None:
                    before[digest, slug] = path
            key = (source.sha256, slug)
            if key in before:
                again.append((slug, before[key]))
                known = before[key].relative_to(archive)
                result.skipped.append(f"{source.path}: was imported before, as {known} (sha256 {source.sha256[:16]}…)")
            elif key in plan:
                result.skipped.append(f"{source.path}: has the same content as {plan[key].path}")
            else:
                plan[key] = source
    return [(source, slug) for (_, slug), source in plan.items()], again


def _is_read(archive: Path, path: Path) -> bool:
    """Whether the captures of a file are in the database."""
    database = database_path(archive)
    if not (database.is_file() and manifest_path(archive, path).exists()):
        return False
    name = path.relative_to(archive).as_posix()
    with open_for_reading(database).connect() as connection:
        statement = select(captures.c.id).where(captures.c.warc_file == name).limit(1)
        return connection.execute(statement).one_or_none() is not None


def _refuse_duplicates(plan: Sequence[tuple[Survey, str]], store: Store) -> None:
    """Raises UsageError for duplicate record ids: items, revisits and commands refer to records by id."""
    seen: dict[str, Path] = {}
    sources = {source.path: source for source, _ in plan}.values()
    for source in sources:
        for record_id in source.captures:
            if record_id in seen:
                raise UsageError(f"{source.path}: the record {record_id} occurs twice, also in {seen[record_id]}")
            seen[record_id] = source.path
    ids = list(seen)
    with open_for_reading(store.path).connect() as connection:
        for start in range(0, len(ids), CHUNK):
            known = captures.c.warc_record_id.in_(ids[start : start + CHUNK])
            statement = select(captures.c.warc_record_id, captures.c.warc_file).where(known).limit(1)
            row = connection.execute(statement).one_or_none()
            if row is not None:
                path = seen[row.warc_record_id]
                raise UsageError(
                    f"{path}: not imported: its record {row.warc_record_id} is in the archive already,"
                    f" in {row.warc_file}"
                )


def _refuse_missing_originals(plan: Sequence[tuple[Survey, str]], store: Store) -> None:
    names = set[str]().union(*(source.names for source, _ in plan))
    for source, slug in plan:
        for offset, reference in source.references:
            if reference.record_id in names or f"{reference.url} {reference.date}" in names:
                continue
            if store.originals.named(slug, reference.record_id, reference.url, reference.date) is None:
                raise UsageError(
                    f"{source.path}: not imported: its revisit at byte {offset} refers to a record that is neither in"
                    f" the archive nor in these files: {reference}; import the file that has it first, or together"
                )
