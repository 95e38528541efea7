"""Captures that come into the database later than those around them: of imported files, of takedowns that ended.

`derive.reparse` reads them as a rebuild would, if it knows what the rebuild would know by then: every profile that the
site's files begin with, which of the files are imports, and the addresses that listings have named.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from sqlalchemy import select

from danvan_crawler.derive.reparse_imported import ArchiveReplay
from danvan_crawler.derive.scan import Place
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.schema import frontier
from danvan_crawler.store.suppressed_file import Takedown
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.imports import Opening, opening_of


def idle_crawler(slug: str, site: Site | None, settings: Settings) -> Crawler:
    """A crawler that never crawls: what stages and middlewares are built from."""
    spider_class = type("RebuildSpider", (Spider,), {"name": slug, **({"site": site} if site is not None else {})})
    crawler = Crawler(spider_class, settings)
    crawler.stats = MemoryStatsCollector(crawler)
    crawler.spider = spider_class()
    return crawler


def openings(archive: Path, slug: str) -> dict[str, Opening]:
    """What the site's finished files begin with, by name relative to the archive, oldest first."""
    return {path.relative_to(archive).as_posix(): opening_of(path, slug) for path in warc_files(archive, slug)}


def site_of(registry: SiteRegistry, slug: str, profiles: Mapping[str, str]) -> Site | None:
    """The site of a slug: from its profile, else the newest one in its files; None for a spider that is no site's.

    `profiles` are those of its files, by name. Raises ProfileError when the archived one cannot be used any more.
    """
    if slug in registry:
        return registry.get(slug)
    if not profiles:
        return None
    return Site.parse(profiles[max(profiles)], origin=f"the profile archived with {slug}")


def late_replay(archive: Path, slug: str, site: Site | None, store: Store, crawler: Crawler) -> ArchiveReplay:
    """A replay into a database that has the site's other captures; `crawler` has `store` attached."""
    begun = openings(archive, slug)
    profiles = {name: opening.profile for name, opening in begun.items() if opening.profile is not None}
    imported = {name for name, opening in begun.items() if opening.source_digest is not None}
    replay = ArchiveReplay(archive, slug, site, store, crawler, profiles, imported)
    store.flush()
    with open_for_reading(store.path).connect() as connection:
        known = select(frontier.c.link_key, frontier.c.section).where(frontier.c.site == slug)
        replay.expect(row.tuple() for row in connection.execute(known).all())
    return replay


def bring_back(replay: ArchiveReplay, ended: Takedown) -> None:
    """Reads again what a takedown hid, in the transaction that ends it. Raises ArchiveError and StoreError."""
    with replay.store.together():
        for capture in replay.store.lift(ended.item_id):
            replay.take(Place(capture.warc_date, capture.warc_file, capture.warc_offset))
