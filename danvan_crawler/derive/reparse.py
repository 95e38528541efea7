"""Captures of one site, in the order in which they began, to rows of the database.

A crawl knows why it asked for an address: it was a section's page, a link in one, or a picture. The WARC does not say,
but the pages are in it: so a replay gives each address its part as the crawl did, from the sections of the profiles,
through the links and next pages of the listings, over redirects. What then makes items is the crawl's own code:
`families.extract` and the pipelines. Every write is idempotent: what the database has already stays as it is.

A rebuild replays everything that the archive has of a site. A run that recovers the file of a dead one replays that
file, because rows of its last captures may have died with it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import build_from_crawler, load_object
from w3lib.url import safe_url_string

from danvan_crawler.capture.archiver import REDIRECTS
from danvan_crawler.capture.playback import Playback, capture_of
from danvan_crawler.derive.scan import Place
from danvan_crawler.exceptions import (
    ArchiveError,
    DanvanError,
    LostPayloadError,
    ProfileError,
    UndecodableBodyError,
)
from danvan_crawler.families import FEED, Family, extract, load_family
from danvan_crawler.items import Article, VisitCounters
from danvan_crawler.pages.kind import BLANK, is_blank, page_kind, says_not_found, stands_in_the_way
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import FINAL_STATUSES, MAX_DEPTH, NO_SECTION, Scope, of_page, within
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.frontier import ARCHIVED, NEW, PENDING
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.walk.state import CHANGED, discover_named
from danvan_crawler.warc.message import parse_head, split_head
from danvan_crawler.warc.reader import WarcRecord, read_record
from danvan_crawler.warc.records import CaptureRecord
from danvan_crawler.warc.revisits import is_not_modified, reference_of

logger = logging.getLogger(__name__)
_ONE_RUN = timedelta(hours=6)
"""What lies so close together happened in one run."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Why a crawl asked for an address."""

    section: str | None
    """The listing's section, or FEED; None for an article, NO_SECTION for a picture or file."""
    link: str | None = None
    """Where the redirects that led here began."""
    first_url: str | None = None
    """First page of the section, for the pages of a section that the profile has."""
    depth: int = 1
    """Of a requisite, as in `requisites.MAX_DEPTH`."""


class Replay:
    """One site's captures to rows of `store`; `site` is None for the archive of a spider that is no site's.

    `crawler` is what pipelines and decompression are built from, and has `store` attached. `profiles` are those of the
    WARC files: a section that the profile has lost since is still a section where its pages were captured.
    `articles` counts captures that gave one, `failures` names pages that could not be parsed, `lost` revisits
    whose payload is not in the archive any more, one sentence each.
    """

    def __init__(
        self, archive: Path, slug: str, site: Site | None, store: Store, crawler: Crawler, profiles: Mapping[str, str]
    ) -> None:
        self.archive, self.slug, self.store = archive, slug, store
        self.articles = 0
        self.failures: list[str] = []
        self.lost: list[str] = []
        self._playback = Playback(crawler)
        self._stages = [
            build_from_crawler(load_object(stage), crawler)
            for stage in build_component_list(crawler.settings.get_component_priority_dict_with_base("ITEM_PIPELINES"))
        ]
        self._parts: dict[str, _Part] = {}
        self._requisites: set[str] = set()
        self._names: dict[str, dict[str, str]] = {}
        self._was_complete: dict[str, bool] = {}
        self._pages: dict[str, int] = {}
        self._led: dict[str, deque[tuple[_Part, datetime]]] = {}
        """Where redirects of articles led, by key: whose turn the next captures there are."""
        self._led_away: dict[str, bool] = {}
        """Links that a redirect led to the front page, and whether that was noted as an absence."""
        self._failed: dict[str, datetime] = {}
        self._family: Family | None = None
        if site is not None:
            site = self._with_past(site, profiles)
            self._family = load_family(site)
            for request in self._family.section_requests():
                self._parts[path_key(request.url)] = _Part(request.section, first_url=request.url)
        self._hosts = set(site.hosts) if site is not None else set()
        self._scope = Scope.of(site) if site is not None else Scope(frozenset())
        self._home = path_key(site.home) if site else None
        self._fronts = {path_key(url) for url in (site.home, *(one.url for one in site.sections))} if site else set()

    def _with_past(self, site: Site, profiles: Mapping[str, str]) -> Site:
        """The site with the sections and hosts that it had in archived profiles; fills `_names`."""
        sections = {path_key(section.url): section for section in site.sections}
        hosts = dict.fromkeys(site.hosts)
        static_hosts = dict.fromkeys(site.static_hosts)
        parsed: dict[str, Site | None] = {}
        for name, text in profiles.items():
            if text not in parsed:
                parsed[text] = self._archived(text)
            past = parsed[text]
            if past is None:
                continue
            hosts.update(dict.fromkeys(past.hosts))
            static_hosts.update(dict.fromkeys(past.static_hosts))
            self._names[name] = {path_key(section.url): section.name for section in past.sections}
            for section in past.sections:
                sections.setdefault(path_key(section.url), section)
        past_too = {"sections": tuple(sections.values()), "aliases": tuple(hosts), "static_hosts": tuple(static_hosts)}
        return site.model_copy(update=past_too)

    def _archived(self, text: str) -> Site | None:
        try:
            return Site.parse(text, origin=f"a profile archived with {self.slug}")
        except ProfileError as error:
            logger.debug("%s", error)
            return None

    def expect(self, known: Iterable[tuple[str, str]]) -> None:
        """Tells of addresses whose listing or article is not among the captures to come: rows (link_key, section)."""
        for key, section in known:
            self._parts.setdefault(key, _Part(NO_SECTION if section == NO_SECTION else None))

    def take(self, place: Place) -> None:
        """Brings one capture into the database. Raises ArchiveError, StoreError; a page it can't parse is a failure."""
        record = read_record(self.archive, place.warc_file, place.offset)
        capture = capture_of(record, place.warc_file)
        part = self._led_part(capture) or self._part(capture)
        self.store.note_capture(self.slug, capture, link=part.link if part else None)
        if capture.status is None:
            return
        if capture.status in REDIRECTS and not capture.truncated:
            self._follow(record, capture, part)
        elif part is None or self._family is None:
            return
        elif capture.truncated or not (200 <= capture.status < 300 or is_not_modified(record)):
            self._mark_failed(capture, part)
        else:
            try:
                page = self._playback.page_of_record(record, place.warc_file, self._original(record))
                self._read(self._family, page, capture, part)
            except LostPayloadError as error:
                self.lost.append(f"{capture.url} of {capture.date}: {error}")
                self._mark_failed(capture, part)  # so that the next run asks for it
            except UndecodableBodyError:
                self._mark_failed(capture, part)  # the crawl got no page of it either
            except DanvanError:
                raise
            except Exception as error:
                # The crawl logged the same and went on; here, too, one page must not cost the others.
                self.failures.append(f"{capture.url}: {type(error).__name__}: {error}")
                logger.debug("%s: cannot be parsed", capture.url, exc_info=True)

    def _original(self, record: WarcRecord) -> WarcRecord | None:
        """The record that a revisit refers to, None for other records. Raises LostPayloadError when it is not there."""
        reference = reference_of(record)
        if reference is None:
            return None
        place = self.store.originals.named(self.slug, reference.record_id, reference.url, reference.date)
        try:
            found = read_record(self.archive, place.warc_file, place.warc_offset) if place is not None else None
        except ArchiveError as error:
            raise LostPayloadError(f"its payload is in a record that cannot be read: {error}") from error
        if found is None or not reference.names(found):
            raise LostPayloadError(f"its payload is in a record that is not in the archive: {reference}")
        return found

    def _part(self, capture: CaptureRecord) -> _Part | None:
        key = self._scope.key_of(capture.url)
        part = self._parts.get(key)
        name = self._names.get(capture.warc_file, {}).get(key)
        return replace(part, section=name) if part is not None and name is not None else part

    def _led_part(self, capture: CaptureRecord) -> _Part | None:
        """The part of an article whose redirect led here just before, for this one capture."""
        waiting = self._led.get(self._scope.key_of(capture.url))
        while waiting:
            part, at = waiting.popleft()
            if datetime.fromisoformat(capture.date) - at < _ONE_RUN:  # else the run died before it followed
                return part
        return None

    def _follow(self, record: WarcRecord, capture: CaptureRecord, part: _Part | None) -> None:
        location = parse_head(split_head(record.block)[0]).get(b"Location")
        if location:
            target = urljoin(capture.url, safe_url_string(location))
            part = part or _Part(NO_SECTION)
            if part.first_url is not None and path_key(target) == self._home != path_key(part.first_url):
                return  # a section that was given up: the crawl read no listing there
            key, at = self._scope.key_of(target), datetime.fromisoformat(capture.date)
            led = replace(part, link=part.link or capture.url)
            known = self._parts.setdefault(key, led)
            if part.section == NO_SECTION:
                if known.link != led.link:  # asked for on its own: the crawl followed nothing
                    self._mark(capture, part, ARCHIVED, f"leads to {target}")
            elif part.section is None:
                link = led.link or ""
                if part.link is None:
                    self._led_away.pop(link, None)
                if path_key(target) in self._fronts and not self._led_away.get(link):
                    self._led_away[link] = self._is_absent(capture, part)
                if known.section is None and known.link is None:  # an article that the crawl asked for on its own
                    self._mark(capture, part, ARCHIVED, f"leads to {target}")
                else:
                    self._led.setdefault(key, deque()).append((led, at))

    def _read(self, family: Family, page: Page, capture: CaptureRecord, part: _Part) -> None:
        if part.section is None:
            self._read_article(family, page, capture, part)
        elif part.section == NO_SECTION:
            self._mark(capture, part, ARCHIVED)
            if part.depth < MAX_DEPTH:
                self._discover(within(page), part.depth + 1)
        elif page.is_text and host_of(page.url) in self._hosts:
            if part.section == FEED:
                self._read_feed(family, page, capture)
            else:
                self._read_listing(family, page, capture, part)

    def _read_article(self, family: Family, page: Page, capture: CaptureRecord, part: _Part) -> None:
        found = False
        for item in extract(family, page, capture) if host_of(page.url) in self._hosts else ():
            if isinstance(item, VisitCounters):
                self.store.write_counters(item)
                continue
            self._discover(of_page(page, item))
            found = self._through_stages(item) or found
        self.articles += found
        led_away = self._led_away.pop(part.link or "", None)
        if found or led_away:
            return
        is_missing = led_away is not None or says_not_found(page)
        if is_missing and led_away is None and self._is_absent(capture, part):
            return
        hidden_by = stands_in_the_way(page, redirected=part.link is not None)
        if hidden_by is not None:
            self._fail(capture, part, f"shows {hidden_by} instead")
        elif is_missing:
            self._fail(capture, part, "is not there")
        elif is_blank(page):
            self._fail(capture, part, BLANK)
        else:
            self._reject(capture, part, "no article on the page")

    def _is_absent(self, capture: CaptureRecord, part: _Part) -> bool:
        """Notes that the article which a capture was asked for is gone, as the crawl does."""
        fresh = self.store.signs.are_fresh(self.slug, capture.date)
        return fresh and self.store.note_absence(self.slug, capture, part.link or capture.url) is not None

    def _fail(self, capture: CaptureRecord, part: _Part, reason: str) -> None:
        """Notes a failure, once for all tries of a run."""
        key, at = self._key(capture, part), datetime.fromisoformat(capture.date)
        before = self._failed.get(key)
        self._failed[key] = at
        if before is None or at - before >= _ONE_RUN:
            self.store.frontier.fail(self.slug, key, reason, at)

    def _reject(self, capture: CaptureRecord, part: _Part, reason: str) -> None:
        at = datetime.fromisoformat(capture.date)
        self.store.frontier.reject(self.slug, self._key(capture, part), reason, at)

    def _discover(self, requisites: Iterable[str], depth: int = 1) -> None:
        known = self._requisites
        fresh = {key: url for key, url in self._scope.keyed(requisites).items() if key not in known}
        if fresh:
            self._requisites.update(fresh)
            self.store.frontier.discover(self.slug, fresh, NO_SECTION)
            for key in fresh:
                self._parts.setdefault(key, _Part(NO_SECTION, depth=depth))

    def _through_stages(self, item: Article) -> bool:
        try:
            for stage in self._stages:
                item = stage.process_item(item)
        except DropItem:
            return False
        return True

    def _read_listing(self, family: Family, page: Page, capture: CaptureRecord, part: _Part) -> None:
        self._discover(of_page(page))
        section, first = part.section or "", part.first_url
        if first is not None and self._is_first(capture, part):
            self._begin_walk(first, capture.date)
        listing = family.parse_section(page)
        listed = self.store.write_listing(self.slug, section, capture, listing.links)
        news = any(entry.state in (NEW, PENDING, CHANGED) for entry in listed)
        for entry in listed:
            self._parts.setdefault(path_key(entry.link.url), _Part(None))
        if listing.next_url is not None:
            key = path_key(listing.next_url)
            if self._parts.get(key, part).section:
                self._parts[key] = _Part(section, first_url=first)
        if first not in self._was_complete:
            return
        if not listing.links:
            if not self._is_first(capture, part) and page_kind(page) is None:
                self.store.frontier.complete_walk(self.slug, first, capture.date, swept=True)
            return
        if listing.next_url is None or (not news and self._was_complete.get(first)):
            swept = listing.next_url is None
            self.store.frontier.complete_walk(self.slug, first, capture.date, swept=swept)
        else:
            self._pages[first] = self._pages.get(first, 0) + 1
            self.store.frontier.go_on_at(
                self.slug,
                first,
                listing.next_url,
                self._pages[first],
                last_page=capture.url,
                for_news=bool(self._was_complete.get(first)),
            )

    def _begin_walk(self, first: str, date: str) -> None:
        known = self.store.frontier.walk_of(self.slug, first)
        if known is not None and known.began_at is not None and known.began_at >= date:
            # A recovery, and the dead run had noted what follows from its pages: here all of them would look known.
            self._was_complete.pop(first, None)
        else:
            self._was_complete[first] = known is not None and known.completed_at is not None
            self.store.frontier.begin_walk(self.slug, first, date)

    def _read_feed(self, family: Family, page: Page, capture: CaptureRecord) -> None:
        named = family.parse_section(page)
        if not named.is_feed:
            return
        if named.links:
            self.store.signs.note(self.slug, capture.date)
        for url, _ in discover_named(self.store, self.slug, named.links):
            self._parts.setdefault(path_key(url), _Part(None))
        if named.next_url is not None:
            self._parts.setdefault(path_key(named.next_url), _Part(FEED))

    def _mark_failed(self, capture: CaptureRecord, part: _Part) -> None:
        final = capture.status in FINAL_STATUSES and not capture.truncated
        if part.section is None and final and self._is_absent(capture, part):
            return
        if part.section is None or part.section == NO_SECTION:
            if part.section == NO_SECTION and (final or capture.truncated == "length"):
                self._reject(capture, part, f"HTTP {capture.status}")
            else:
                self._fail(capture, part, f"HTTP {capture.status}")
        elif part.first_url in self._was_complete and final and not self._is_first(capture, part):
            self.store.frontier.complete_walk(self.slug, part.first_url, capture.date, swept=True)

    @staticmethod
    def _is_first(capture: CaptureRecord, part: _Part) -> bool:
        return part.first_url is not None and path_key(part.link or capture.url) == path_key(part.first_url)

    def _mark(self, capture: CaptureRecord, part: _Part, state: str, reason: str | None = None) -> None:
        self.store.frontier.mark(self.slug, self._key(capture, part), state, reason)

    def _key(self, capture: CaptureRecord, part: _Part) -> str:
        """Under which the frontier knows what was asked for."""
        return self._scope.key_of(part.link or capture.url)
