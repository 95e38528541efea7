"""Pass archived exchanges through the reducer as in a crawl, for rebuilds and imports.

The reason for each request is archived with the exchange (`warc.notes`). For older archives, and if a note cannot be
read, the reason is inferred from the links of earlier pages. Pages that nothing links, and pages of other tools, are
read without a reason.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from scrapy.crawler import Crawler

from danvan_crawler.capture.playback import Playback, capture_of
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.derive.scan import Began, Died, Ended, Event, GivenUp, Opening, Seen
from danvan_crawler.exceptions import ArchiveError, DanvanError, LostPayloadError, ProfileError
from danvan_crawler.families import load_family
from danvan_crawler.pages.page import Page
from danvan_crawler.pages.requisites import Scope
from danvan_crawler.sites.profile import Site
from danvan_crawler.stages import stages_of
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import path_key
from danvan_crawler.walk.asking import Effects, Run, Unanswered, Why
from danvan_crawler.walk.redirects import cookies_of
from danvan_crawler.walk.reducer import Exchange, Reducer
from danvan_crawler.warc.framing import fitting
from danvan_crawler.warc.message import parse_head, split_head
from danvan_crawler.warc.reader import WarcRecord, read_record
from danvan_crawler.warc.revisits import reference_of, whole_response
from danvan_crawler.warc.unusable import why_unusable

logger = logging.getLogger(__name__)

_PAGES = frozenset({"text/html", "application/xhtml+xml", None})
"""Media types of pages that may hold an article."""


@dataclass(slots=True)
class Reading:
    """What the captures of an imported file gave."""

    articles: int = 0
    """Captures that gave an article."""
    unread: Counter[str] = field(default_factory=Counter)
    """The others, by the reason."""
    undecodable: Counter[str] = field(default_factory=Counter)
    """Pages whose body could not be decoded, by the reason."""
    doubts: Counter[str] = field(default_factory=Counter)
    """Pages whose head does not fit their body, by what does not fit; they are read all the same."""

    def add(self, other: Reading) -> None:
        """Adds the counts of another file."""
        self.articles += other.articles
        self.unread += other.unread
        self.undecodable += other.undecodable
        self.doubts += other.doubts


class Reparse:
    """Turns one site's exchanges into rows of `store`; `site` is None for a spider without a site.

    Pipelines and decompression are built from `crawler`, which has `store` attached. `profiles` are those in the WARC
    files: sections that were removed from the profile still apply to their captured pages. `run` has the options for
    runs that did not archive them.

    `captures` counts exchanges and `articles` those that gave one; `failures` names pages that could not be parsed and
    records that cannot be used, `lost` revisits whose payload is not in the archive any more, one sentence each.
    `imported` has the details for each imported file, by its name.
    """

    def __init__(
        self,
        archive: Path,
        slug: str,
        site: Site | None,
        store: Store,
        crawler: Crawler,
        profiles: Mapping[str, str],
        run: Run,
    ) -> None:
        self.captures = self.articles = 0
        self.failures: list[str] = []
        self.lost: list[str] = []
        self.imported: defaultdict[str, Reading] = defaultdict(Reading)
        self._archive, self._slug, self._store = archive, slug, store
        self._playback = Playback(crawler)
        self._default_run = run
        self._reducer: Reducer | None = None
        self._inferred: InferredReasons | None = None
        if site is not None:
            whole, names = with_archived_profiles(site, profiles)
            self._reducer = Reducer(whole, load_family(whole), store, stages_of(crawler))
            self._inferred = InferredReasons(whole, names)
        self._has_reasons = False

    def take(self, event: Event) -> Effects | None:
        """Stores one event in the database. A page that cannot be parsed is added to `failures`.

        Raises ArchiveError and StoreError.
        """
        reducer, effects = self._reducer, None
        match event:
            case Seen():
                effects = self._take_seen(event)
            case GivenUp():
                if reducer is not None:
                    effects = reducer.give_up(event.request, event.place)
            case Ended():
                if reducer is not None:
                    effects = reducer.end(event.date, event.place, finished=event.reason == "finished")
            case Began():
                effects = self._begin(event.opening)
            case Died():
                if reducer is not None:
                    reducer.abandon()
        if effects is not None:
            self._note(effects)
        return effects

    @property
    def run_id(self) -> str | None:
        """Id of the current run; None between runs."""
        return self._reducer.run.run_id if self._reducer is not None and self._reducer.run is not None else None

    def take_again(self, seen: Seen) -> None:
        """Reads an article's exchange again that is already in the database. Raises as `take` does."""
        if self._reducer is not None:
            self._reducer.abandon()
            capture = capture_of(seen.record, seen.warc_file)
            self._note(self._reducer.take(self._exchange(seen, capture, seen.why), is_known=True))

    def _begin(self, opening: Opening) -> Effects | None:
        self._has_reasons = opening.run is not None
        if self._reducer is None or self._inferred is None:
            return None
        self._inferred.begin()
        run = opening.run or replace(self._default_run, run_id=opening.name, began_at=opening.date)
        return self._reducer.begin(run)

    def _take_seen(self, seen: Seen) -> Effects | None:
        """Takes an exchange. If its record cannot be used, names it and goes on. Raises ArchiveError and StoreError."""
        place = f"{seen.warc_file} at byte {seen.record.offset}"
        reason = why_unusable(seen.record.headers)
        if reason is not None:
            self.failures.append(f"{place}: passed over: {reason}")
            return None
        try:
            return self._take_exchange(seen)
        except DanvanError:
            raise
        except Exception as error:
            logger.debug("%s: cannot be taken", place, exc_info=True)
            self.failures.append(f"{place}: passed over: {type(error).__name__}: {error}")
            return None

    def _take_exchange(self, seen: Seen) -> Effects | None:
        record = seen.record
        capture = capture_of(record, seen.warc_file)
        self.captures += 1
        if self._reducer is None or self._inferred is None:
            self._store.note_capture(self._slug, capture)
            return None
        inferred, why = self._inferred, seen.why
        is_inferred = why is None and not (self._has_reasons or seen.is_imported)
        if is_inferred:
            why = inferred.why(seen.warc_file, capture.url)
        exchange = self._exchange(seen, capture, why)
        if why is None:
            effects = self._reducer.take_without_reason(exchange, inferred.section(seen.warc_file, capture.url))
            if seen.is_imported:
                self._note_imported(self.imported[seen.warc_file], effects, seen.record, capture)
            return effects
        effects = self._reducer.take(exchange)
        if is_inferred and not effects.is_decided and not effects.lost:
            # Without notes it is unknown whether the crawl gave it up, as it usually did.
            reason = f"HTTP {capture.status}"
            self._note(self._reducer.give_up(Unanswered(why, capture.url, capture.date, reason), None))
        return effects

    def _exchange(self, seen: Seen, capture: CaptureRecord, why: Why | None) -> Exchange:
        head = parse_head(split_head(seen.record.block)[0])
        return Exchange(
            capture,
            why,
            location=head.get(b"Location"),
            page=lambda: self._page(seen, capture),
            cookies=cookies_of(head.getall(b"Set-Cookie")),
        )

    def _page(self, seen: Seen, capture: CaptureRecord) -> Page:
        original = self._original(seen.record)
        if not seen.is_imported:
            return self._playback.page_of_record(seen.record, seen.warc_file, original)
        message = seen.record.block if original is None else whole_response(seen.record, original)
        return self._playback.page(fitting(message).message, capture)

    def _note_imported(self, reading: Reading, effects: Effects, record: WarcRecord, capture: CaptureRecord) -> None:
        reading.articles += bool(effects.items)
        if effects.undecodable is not None:
            reading.undecodable[effects.undecodable] += 1
        elif effects.unread is not None:
            reading.unread[effects.unread] += 1
        if capture.status == 200 and capture.media_type in _PAGES and reference_of(record) is None:
            reading.doubts.update(fitting(record.block).doubts)

    def _original(self, record: WarcRecord) -> WarcRecord | None:
        """The record that a revisit refers to, None for other records. Raises LostPayloadError if it is missing."""
        reference = reference_of(record)
        if reference is None:
            return None
        capture = self._store.originals.named(self._slug, reference.record_id, reference.url, reference.date)
        try:
            found = read_record(self._archive, capture.place) if capture is not None else None
        except ArchiveError as error:
            raise LostPayloadError(f"its payload is in a record that cannot be read: {error}") from error
        if found is None or not reference.matches(found):
            raise LostPayloadError(f"its payload is in a record that is not in the archive: {reference}")
        return found

    def _note(self, effects: Effects) -> None:
        self.articles += bool(effects.items)
        self.failures += effects.failures
        self.lost += effects.lost
        if self._inferred is not None and not self._has_reasons:
            self._inferred.note(effects)


class InferredReasons:
    """The reasons for the requests of a crawl that did not archive them, inferred from the earlier pages."""

    def __init__(self, site: Site, names: Mapping[str, Mapping[str, str]]) -> None:
        self._scope = Scope.of(site)
        self._names = names
        self._firsts = {path_key(section.url): section for section in site.sections}
        self._named: dict[str, Why] = {}
        self._led: dict[str, deque[Why]] = {}
        """By key of a redirect target, the reasons for its next exchanges, in order."""

    def begin(self) -> None:
        """Begins a run: forgets redirects that the previous run did not follow."""
        self._led.clear()

    def note(self, effects: Effects) -> None:
        """Remembers the new requests of an exchange."""
        for ask in effects.asks:
            key = self._scope.key_of(ask.url)
            if ask.why.hops:
                self._led.setdefault(key, deque()).append(ask.why)
            else:
                self._named[key] = ask.why

    def section(self, warc_file: str, url: str) -> str | None:
        """Name of the section whose first page this is; None for any other page."""
        key = path_key(url)
        name = self._names.get(warc_file, {}).get(key)
        return name or (self._firsts[key].name if key in self._firsts else None)

    def why(self, warc_file: str, url: str) -> Why | None:
        """The reason for the request of an address; None if no earlier page names it."""
        key = self._scope.key_of(url)
        waiting = self._led.get(key)
        if waiting:
            return waiting.popleft()
        known = self._named.get(key)
        section = self.section(warc_file, url)
        if section is None:
            return known
        if known is not None and known.kind == "listing":
            return replace(known, section=section)
        first = self._firsts.get(path_key(url))
        return Why("listing", url, section=section, first_url=first.url if first is not None else url)


def with_archived_profiles(site: Site, profiles: Mapping[str, str]) -> tuple[Site, dict[str, dict[str, str]]]:
    """The site, extended by the sections and hosts of archived profiles; and by WARC file, the section names by the key
    of their first page."""
    sections = {path_key(section.url): section for section in site.sections}
    hosts, static_hosts = dict.fromkeys(site.hosts), dict.fromkeys(site.static_hosts)
    parsed: dict[str, Site | None] = {}
    names: dict[str, dict[str, str]] = {}
    for name, text in profiles.items():
        if text not in parsed:
            parsed[text] = _archived(text, site.slug)
        past = parsed[text]
        if past is None:
            continue
        hosts.update(dict.fromkeys(past.hosts))
        static_hosts.update(dict.fromkeys(past.static_hosts))
        names[name] = {path_key(section.url): section.name for section in past.sections}
        for section in past.sections:
            sections.setdefault(path_key(section.url), section)
    past_too = {"sections": tuple(sections.values()), "aliases": tuple(hosts), "static_hosts": tuple(static_hosts)}
    return site.model_copy(update=past_too), names


def _archived(text: str, slug: str) -> Site | None:
    try:
        return Site.parse(text, origin=f"a profile archived with {slug}")
    except ProfileError as error:
        logger.debug("%s", error)
        return None
