"""The context that the components of a run share: the store, the reducer for its exchanges, and the new requests.

There is one such object per crawl, attached to Scrapy's crawler before any component is created.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections import Counter, deque
from collections.abc import Callable

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector

from danvan_crawler import clock
from danvan_crawler.capture.archiver import WHY_KEY, ArchiverMiddleware
from danvan_crawler.capture.context import attached
from danvan_crawler.capture.deduplication import Lookups
from danvan_crawler.capture.playback import Playback
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.clock import warc_date
from danvan_crawler.exceptions import DanvanError
from danvan_crawler.families import load_family
from danvan_crawler.health.coverage import count
from danvan_crawler.items import Article
from danvan_crawler.plurals import counted
from danvan_crawler.sites.profile import Site
from danvan_crawler.stages import stages_of
from danvan_crawler.statistics import ITEM_ERRORS, SPIDER_ERRORS
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.asking import Ask, Effects, Run, Unanswered
from danvan_crawler.walk.redirects import cookies_of
from danvan_crawler.walk.reducer import Exchange, Reducer
from danvan_crawler.warc.message import parse_head, split_head
from danvan_crawler.warc.notes import END, RUN, UNANSWERED

logger = logging.getLogger(__name__)

_ALIKE = 3
"""Lines of a log that differ in their address only."""
DECIDED_KEY = "danvan_decided"
"""Key in `request.meta`: True if the exchange was judged; otherwise giving up the request decides."""


class RunContext:
    """The run of one spider. Exchanges of a spider without a site are only recorded."""

    def __init__(
        self,
        slug: str,
        store: Store,
        stats: StatsCollector,
        on_error: Callable[[str, BaseException], None],
        on_article: Callable[[], None],
    ) -> None:
        self.store = store
        self.outbox: deque[Ask | Article] = deque()
        """Requests and articles that the spider has not passed to Scrapy yet, in order."""
        self.is_behind = False
        """An archived exchange could not be stored in the database: the next run stores it from the file."""
        self.planned: list[str] = []
        """With `plan`: article addresses that a crawl would request."""
        self._slug, self._stats = slug, stats
        self._on_error, self._on_article = on_error, on_article
        self._alike: Counter[str] = Counter()
        """How often which message was logged, its address left out."""
        self._run: Run | None = None
        self._reducer: Reducer | None = None
        self._playback: Playback | None = None
        self._archiver: ArchiverMiddleware | None = None

    def walk(self, site: Site, run: Run, crawler: Crawler) -> None:
        """Makes this the run of a site with the options `run`. The crawler has this context attached."""
        self._run, self._playback = run, Playback(crawler)
        self._reducer = Reducer(site, load_family(site), self.store, stages_of(crawler))

    @property
    def lookups(self) -> Lookups:
        return self.store.originals

    @property
    def opening(self) -> tuple[str, str] | None:
        """Id and options (JSON) of the run, which are at the beginning of each of its WARC files."""
        return (self._run.run_id, self._run.as_json()) if self._run is not None else None

    def begin(self) -> None:
        """Begins the run with its first requests."""
        assert self._reducer is not None
        assert self._run is not None
        if self._run.took_up and self._archiver is not None:
            # At once: `took_up` is recorded nowhere else, and the run may write no other record.
            self._archiver.write_note(RUN, self._run.run_id, self._run.as_json())
        self._apply(self._reducer.begin(self._run))

    def set_archiver(self, archiver: ArchiverMiddleware) -> None:
        """Sets the archiver, which also writes the notes of the run to its WARC file."""
        self._archiver = archiver

    def record_capture(self, capture: CaptureRecord, request: Request, message: bytes) -> None:
        """Stores an exchange that has just been archived; `message` is its complete response."""
        try:
            if self._reducer is None or self._playback is None:
                redirects = request.meta.get("redirect_urls")
                self.store.note_capture(self._slug, capture, link=redirects[0] if redirects else None)
                return
            why, playback = request.meta.get(WHY_KEY), self._playback
            head = parse_head(split_head(message)[0] if why is not None else b"")
            effects = self._reducer.take(
                Exchange(
                    capture,
                    why,
                    location=head.get(b"Location"),
                    page=lambda: playback.page(message, capture),
                    cookies=cookies_of(head.getall(b"Set-Cookie")),
                )
            )
        except DanvanError as error:
            self.is_behind = True
            self._on_error(ITEM_ERRORS, error)
            return
        request.meta[DECIDED_KEY] = effects.is_decided
        self._apply(effects, is_visit=why is not None and why.is_visit)

    def give_up(self, request: Unanswered) -> None:
        """Handles a request that was given up, and archives the fact if it has consequences."""
        assert self._reducer is not None
        place, archiver = None, self._archiver
        if request.is_archived and archiver is not None:
            note = (UNANSWERED, uuid.uuid4().hex, request.as_json())
            # If nothing answers at all, a failed section alone needs no WARC file.
            if request.why.kind in ("listing", "feed") and not archiver.has_written:
                archiver.queue_note(*note)
            elif (place := archiver.write_note(*note)) is None:
                return
        try:
            self._apply(self._reducer.give_up(request, place))
        except DanvanError as error:
            self.is_behind = True
            self._on_error(ITEM_ERRORS, error)

    def ask_further(self) -> None:
        """Puts the next requests of a run that has no others left into the outbox, if there are any."""
        assert self._reducer is not None
        try:
            while not self.outbox and (effects := self._reducer.further()) is not None:
                self._apply(effects)
        except DanvanError as error:
            self._on_error(ITEM_ERRORS, error)

    def end(self, reason: str) -> None:
        """Ends the run; the archiver calls this before it finishes its file. `reason` is Scrapy's."""
        self._log_numbers()
        if self._reducer is None or self._reducer.run is None:
            return
        run_id = self._reducer.run.run_id
        if self._archiver is None or not self._archiver.has_written:
            return  # nothing was archived, so nothing follows
        date = warc_date(clock.now())
        text = json.dumps({"date": date, "reason": reason})
        place = self._archiver.write_note(END, run_id, text)
        if place is None:
            return
        try:
            self._apply(self._reducer.end(date, place, finished=reason == "finished"))
        except DanvanError as error:
            self.is_behind = True
            self._on_error(ITEM_ERRORS, error)

    def _log(self, level: int, text: str) -> None:
        """Writes a line to the log; a few lines are enough of what happens to many addresses alike."""
        what = text.partition(": ")[2] or text
        self._alike[what] += 1
        logger.log(level if self._alike[what] <= _ALIKE else min(level, logging.INFO), text)

    def _log_numbers(self) -> None:
        for what, number in self._alike.items():
            if number > _ALIKE:
                logger.warning("%s: %s", counted(number - _ALIKE, "further address", "further addresses"), what)
        self._alike.clear()

    def _apply(self, effects: Effects, *, is_visit: bool = False) -> None:
        """Passes the effects of an exchange to the spider, the statistics and the log."""
        self.outbox.extend(effects.items)
        self.outbox.extend(effects.asks)
        self.planned.extend(effects.planned)
        for name, number in effects.counts.items():
            self._stats.inc_value(name, number)
        for name, section in effects.named:
            self._stats.set_value(name, [*self._stats.get_value(name, []), section])
        for name, kind, sentence in effects.troubles:
            known = self._stats.get_value(name, {})
            if kind not in known:  # the sentence is about the first page of its kind
                self._stats.set_value(name, {**known, kind: sentence})
        for level, text in effects.messages:
            self._log(level, text)
        for sentence in effects.failures:
            self._stats.inc_value(SPIDER_ERRORS)
            logger.error("%s", sentence)
        for item in effects.items:
            self._on_article()
            # A visit to a known article repeats the first one. If it counted, three articles without a picture would
            # look like ten.
            if not is_visit:
                count(self._stats, item)


def run_context_of(crawler: Crawler) -> RunContext:
    """The context of a crawl. Raises LookupError if no run has been opened."""
    context = attached(crawler)
    if not isinstance(context, RunContext):
        raise LookupError("this crawler has no run: check that RunExtension is in EXTENSIONS")
    return context
