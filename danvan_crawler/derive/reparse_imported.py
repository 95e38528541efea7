"""Pages out of imported files: read each by itself, because nobody knows why it was asked for.

A crawl's captures get their part from the listings and links that led to them (`derive.reparse`). Another tool went its
own way: a browser from one article to the next, wget through every menu, and what it fetched says nothing of why. So
here the first page of a section is read as a listing, every other page of the site as an article, of which most pages
hold none; and no capture moves the crawl's own walks or asks for anything. What comes out depends on the page and the
profiles alone, in whatever order files are imported, crawled and rebuilt.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from scrapy.crawler import Crawler

from danvan_crawler.capture.playback import capture_of
from danvan_crawler.derive.reparse import Replay
from danvan_crawler.derive.scan import Place
from danvan_crawler.exceptions import DanvanError, LostPayloadError, UndecodableBodyError
from danvan_crawler.families import FEED, Family, extract
from danvan_crawler.items import VisitCounters
from danvan_crawler.pages.kind import says_not_found
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.warc.reader import read_record
from danvan_crawler.warc.records import CaptureRecord
from danvan_crawler.warc.revisits import is_not_modified

logger = logging.getLogger(__name__)


class ArchiveReplay(Replay):
    """A replay of all that the archive may have of a site; `imported` are names of the files that were imported.

    `undecodable` counts their pages in a content coding that a crawl never asks for, such as br.
    """

    def __init__(
        self,
        archive: Path,
        slug: str,
        site: Site | None,
        store: Store,
        crawler: Crawler,
        profiles: Mapping[str, str],
        imported: Collection[str],
    ) -> None:
        super().__init__(archive, slug, site, store, crawler, profiles)
        self.undecodable = 0
        self._imported = imported
        self._first_pages = {key: part.section or "" for key, part in self._parts.items() if part.section != FEED}

    def take(self, place: Place) -> None:
        """Brings one capture into the database. Raises ArchiveError, StoreError; a page it can't parse is a failure."""
        if place.warc_file not in self._imported:
            super().take(place)
            return
        record = read_record(self.archive, place.warc_file, place.offset)
        capture = capture_of(record, place.warc_file)
        self.store.note_capture(self.slug, capture)
        if self._family is None or host_of(capture.url) not in self._hosts or capture.truncated:
            return
        if capture.status in FINAL_STATUSES:
            self.store.note_absence(self.slug, capture, capture.url)
        elif is_not_modified(record) or (capture.status is not None and 200 <= capture.status < 300):
            try:
                page = self._playback.page_of_record(record, place.warc_file, self._original(record))
                if page.is_html:
                    self._read_by_itself(self._family, page, capture)
            except LostPayloadError as error:
                self.lost.append(f"{capture.url} of {capture.date}: {error}")
            except UndecodableBodyError as error:
                self.undecodable += 1
                logger.debug("%s: %s", capture.url, error)
            except DanvanError:
                raise
            except Exception as error:
                # As in a crawl, one page must not cost the others.
                self.failures.append(f"{capture.url}: {type(error).__name__}: {error}")
                logger.debug("%s: cannot be parsed", capture.url, exc_info=True)

    def _read_by_itself(self, family: Family, page: Page, capture: CaptureRecord) -> None:
        key = path_key(capture.url)
        section = self._names.get(capture.warc_file, {}).get(key) or self._first_pages.get(key)
        if section is not None:
            self.store.write_listing(self.slug, section, capture, family.parse_section(page).links)
            return
        if key in self._fronts:
            return
        found = False
        for item in extract(family, page, capture):
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            # So that a crawl knows the article when a listing names it.
            self.store.frontier.discover(self.slug, {key: capture.url}, item.section or self.slug)
            found = self._through_stages(item) or found
        self.articles += found
        if not found and says_not_found(page):
            self.store.note_absence(self.slug, capture, capture.url)
