"""The item database again, from the WARC files alone.

A crawl knows why it asked for an address: it was a section's page, or a link in one. The WARC does not say, but the
listings are in it: so a rebuild goes through the captures in the order in which they began and gives each address its
part as the crawl did, from the profile's sections, through the links and next pages of the listings, over redirects.
What then makes items is the crawl's own code: `families.extract` and the pipelines.

The new database takes the old one's place in one step, when it is complete.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.http import TextResponse
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import build_from_crawler, load_object
from w3lib.url import safe_url_string

from danvan_crawler.capture.playback import Playback, capture_of
from danvan_crawler.exceptions import ArchiveDamagedError, DanvanError, ProfileError
from danvan_crawler.families import Family, extract, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.ops.locks import SiteLock
from danvan_crawler.ops.run import attach_store
from danvan_crawler.sites import Site, SiteRegistry
from danvan_crawler.store.database import database_path
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.warc.files import WARC_FOLDER, warc_files
from danvan_crawler.warc.message import parse_head, split_head
from danvan_crawler.warc.reader import WarcRecord, iter_records, read_record
from danvan_crawler.warc.records import CaptureRecord, profile_uri
from danvan_crawler.warc.recovery import recover

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with captures done and captures in all."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found."""

    sites: list[str] = field(default_factory=list)
    captures: int = 0
    articles: int = 0
    failures: list[str] = field(default_factory=list)
    """Pages that could not be parsed, one sentence each."""
    damage: list[str] = field(default_factory=list)
    """Places in WARC files that could not be read, one sentence each. What precedes them was used."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Why a crawl asked for an address."""

    section: str | None
    """The listing's section; None for an article."""
    link: str | None = None
    """Where the redirects that led here began."""


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """A response record; sorts by WARC-Date, file, offset."""

    date: str
    warc_file: str
    offset: int


def rebuild(archive: Path, registry: SiteRegistry, settings: Settings, progress: Progress) -> Rebuilt:
    """Derives the database of an archive from its WARC files and replaces the old one.

    Sites are taken from `registry`, else from the profile that their WARC files hold. When a WARC file is damaged, the
    old database is kept beside the new one as `danvan.sqlite.before-rebuild`.

    Raises LockedError when a crawl is running, ArchiveError when the archive cannot be read or written.
    """
    result = Rebuilt()
    target = database_path(archive)
    temporary = target.with_name(f"{target.name}.rebuild")
    folder = archive / WARC_FOLDER
    slugs = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    with ExitStack() as held:
        for slug in slugs:
            held.enter_context(SiteLock(archive, slug))
            recover(folder / slug)
        _remove_database(temporary)
        store = Store(temporary)
        try:
            plans = [(slug, *_scan(archive, slug, result)) for slug in slugs]
            total = sum(len(places) for _, places, _ in plans)
            for slug, places, profile in plans:
                site = _site(registry, slug, profile, result)
                worker = _SiteRebuild(archive, slug, site, store, settings, result)
                for place in places:
                    worker.take(place)
                    progress(result.captures, total)
                result.sites.append(slug)
        finally:
            store.close()
        if result.damage and target.is_file():
            target.replace(target.with_name(f"{target.name}.before-rebuild"))
        for suffix in ("-wal", "-shm"):  # of the old file: SQLite would apply them to the new one
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        temporary.replace(target)
    return result


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _scan(archive: Path, slug: str, result: Rebuilt) -> tuple[list[_Place], str | None]:
    """Places of a site's response records in the order in which the exchanges began, and its newest profile."""
    places: list[_Place] = []
    profile: tuple[str, str] | None = None
    for path in warc_files(archive, slug):
        name = path.relative_to(archive).as_posix()
        try:
            for record in iter_records(path, types=("response", "metadata")):
                if record.type == "response":
                    places.append(_Place(record.date, name, record.offset))
                elif record.url == profile_uri(slug):
                    profile = max(profile or ("", ""), (record.date, record.block.decode()))
        except ArchiveDamagedError as error:
            result.damage.append(str(error))
    return sorted(places), profile[1] if profile else None


def _site(registry: SiteRegistry, slug: str, profile: str | None, result: Rebuilt) -> Site | None:
    """The site of a slug; None for the archive of a spider that is no site's."""
    if slug in registry:
        return registry.get(slug)
    if profile is None:
        return None
    try:
        return Site.parse(profile, origin=f"the profile archived with {slug}")
    except ProfileError as error:
        result.failures.append(str(error))
        return None


class _SiteRebuild:
    """One site's captures, in order, to rows."""

    def __init__(
        self, archive: Path, slug: str, site: Site | None, store: Store, settings: Settings, result: Rebuilt
    ) -> None:
        self.archive, self.slug, self.site, self.store, self.result = archive, slug, site, store, result
        self.parts: dict[str, _Part] = {}
        crawler = _crawler(slug, site, settings)
        attach_store(crawler, store)
        self.playback = Playback(crawler)
        self.stages = [
            build_from_crawler(load_object(stage), crawler)
            for stage in build_component_list(settings.get_component_priority_dict_with_base("ITEM_PIPELINES"))
        ]
        self.family: Family | None = load_family(site) if site is not None else None
        for request in self.family.section_requests() if self.family is not None else ():
            self.parts[path_key(request.url)] = _Part(request.meta["section"])

    def take(self, place: _Place) -> None:
        """Brings one capture into the database."""
        record = read_record(self.archive, place.warc_file, place.offset)
        capture = capture_of(record, place.warc_file)
        part = self.parts.get(path_key(capture.url))
        self.store.note_capture(self.slug, capture, link=part.link if part else None)
        self.result.captures += 1
        if part is None or self.family is None or capture.status is None or capture.truncated:
            return
        if capture.status in _REDIRECTS:
            self._follow(record, capture, part)
        elif 200 <= capture.status < 300:
            try:
                self._parse(self.family, record, capture, part)
            except DanvanError:
                raise
            except Exception as error:
                # The crawl logged the same and went on; here, too, one page must not cost the others.
                self.result.failures.append(f"{capture.url}: {type(error).__name__}: {error}")
                logger.debug("%s: cannot be parsed", capture.url, exc_info=True)

    def _follow(self, record: WarcRecord, capture: CaptureRecord, part: _Part) -> None:
        location = parse_head(split_head(record.block)[0]).get(b"Location")
        if location:
            target = urljoin(capture.url, safe_url_string(location))
            self.parts.setdefault(path_key(target), _Part(part.section, part.link or capture.url))

    def _parse(self, family: Family, record: WarcRecord, capture: CaptureRecord, part: _Part) -> None:
        response = self.playback.response(record, capture)
        if part.section is None:
            for item in extract(family, response):
                if isinstance(item, VisitCounters):
                    self.store.write_counters(item)
                elif self._through_stages(item):
                    self.result.articles += 1
        elif isinstance(response, TextResponse) and host_of(response.url) in family.site.hosts:
            listing = family.parse_section(response)
            self.store.write_listing(self.slug, part.section, capture, listing.links)
            for link in listing.links:
                self.parts.setdefault(path_key(link.url), _Part(None))
            if listing.next_url is not None:
                self.parts.setdefault(path_key(listing.next_url), _Part(part.section))
            else:
                self._complete_walk(family, part.section, capture)

    def _complete_walk(self, family: Family, section: str, capture: CaptureRecord) -> None:
        for request in family.section_requests():
            if request.meta["section"] == section:
                self.store.frontier.complete_walk(self.slug, request.url, capture.date)

    def _through_stages(self, item: Article) -> bool:
        try:
            for stage in self.stages:
                item = stage.process_item(item)
        except DropItem:
            return False
        return True


def _crawler(slug: str, site: Site | None, settings: Settings) -> Crawler:
    """A crawler that never crawls: what stages and middlewares are built from."""
    spider_class = type("RebuildSpider", (Spider,), {"name": slug, **({"site": site} if site is not None else {})})
    crawler = Crawler(spider_class, settings)
    crawler.stats = MemoryStatsCollector(crawler)
    crawler.spider = spider_class()
    return crawler
