"""The spider of a site: it sends the requests of the reducer (`danvan_crawler.walk`).

One class serves all sites, with a profile and its family; all decisions are in the reducer. The archiver passes each
exchange to the reducer as soon as it is written. New requests wait in the run's outbox, and the next callback yields
them to Scrapy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.python.failure import Failure

from danvan_crawler.capture.archiver import CAPTURE_KEY, WHY_KEY
from danvan_crawler.capture.context import attached
from danvan_crawler.crawl.context import DECIDED_KEY, RunContext, run_context_of
from danvan_crawler.exceptions import UsageError
from danvan_crawler.pages.requisites import is_media
from danvan_crawler.politeness.budget import REQUISITE_KEY
from danvan_crawler.sites.profile import Site
from danvan_crawler.walk.asking import Ask
from spiders import arguments
from spiders.failures import unanswered


class SiteSpider(Spider):
    """Fetches one site. `spiders.loader` derives a class with `name` and `site` for every profile.

    Arguments (options of `danvan crawl`, `-a NAME=VALUE` of `scrapy crawl`): `since`, `until` (ISO days, inclusive),
    `full`, `plan` (true if not empty or 0), `max_pages` (listings and articles).
    """

    site: ClassVar[Site]

    def __init__(
        self,
        name: str | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        full: str | bool = False,
        plan: str | bool = False,
        max_pages: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if not self.site.enabled:
            raise UsageError(f"site {self.site.slug!r} has enabled = false in its profile: it is not contacted")
        self.since, self.until = arguments.day("since", since), arguments.day("until", until)
        self.full, self.plan = arguments.flag(full), arguments.flag(plan)
        self.max_pages = arguments.count("max_pages", max_pages)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        site = cls.site
        settings.setdict(
            {
                "DOWNLOAD_DELAY": site.delay,
                "AUTOTHROTTLE_ENABLED": site.delay > 0,
                "AUTOTHROTTLE_START_DELAY": site.delay,
                "CONCURRENT_REQUESTS_PER_DOMAIN": site.connections,
                # Without a delay Scrapy 2.19 exceeds the setting above, up to this one (measured).
                "CONCURRENT_REQUESTS": site.connections,
                # In the order of the listings: newest first, so that an interrupted run has the newest articles.
                "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
            },
            priority="spider",
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.spider_idle, signals.spider_idle)
        return spider

    @property
    def planned(self) -> list[str]:
        """Article addresses that a crawl would fetch, with `plan`; empty if no run could be opened."""
        run = attached(self.crawler)
        return run.planned if isinstance(run, RunContext) else []

    @property
    def run(self) -> RunContext:
        return run_context_of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        self.run.begin()
        for one in self._outbox():
            yield one

    def on_response(self, response: Response) -> Iterator[Any]:
        """The callback of every request. Its exchange was archived and passed to the reducer before."""
        yield from self._outbox()

    def on_failure(self, failure: Failure) -> Iterator[Any]:
        """The errback of every request. Reports the failure, unless its exchange was already decided by the reducer."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if request.meta.get(CAPTURE_KEY) is None or not request.meta.get(DECIDED_KEY, True):
            self.run.give_up(unanswered(failure))
        yield from self._outbox()

    def spider_idle(self) -> None:
        """Send requests that an exchange without a callback has put into the outbox, else the last ones of the run."""
        if not self.run.outbox:
            self.run.ask_further()
        waiting = list(self._outbox())
        if not waiting:
            return
        assert self.crawler.engine is not None
        for one in waiting:
            if isinstance(one, Request):
                self.crawler.engine.crawl(one)
        raise DontCloseSpider

    def _outbox(self) -> Iterator[Any]:
        outbox = self.run.outbox
        while outbox:
            one = outbox.popleft()
            yield self._request(one) if isinstance(one, Ask) else one

    def _request(self, ask: Ask) -> Request:
        meta: dict[str, Any] = {
            WHY_KEY: ask.why,
            # The reducer decides whether a redirect is followed.
            "dont_redirect": True,
            "handle_httpstatus_list": [301, 302, 303, 307, 308],
            # Scrapy would send the page of the wrong callback.
            "referrer_policy": "no-referrer",
        }
        if ask.why.kind == "requisite":
            meta[REQUISITE_KEY] = True
            if is_media(ask.url):
                meta["download_maxsize"] = self.settings.getint("DANVAN_MAX_MEDIA")
        return Request(
            ask.url,
            callback=self.on_response,
            errback=self.on_failure,
            headers=_referer(ask),
            meta=meta,
            priority=ask.priority,
            dont_filter=True,  # the reducer avoids duplicates, and repeats a request only on purpose
        )


def _referer(ask: Ask) -> dict[str, str]:
    """The Referer of the page that links to the address, as browsers send it; none from https to http."""
    via = ask.why.via
    if not via or (via.startswith("https:") and not ask.url.startswith("https:")):
        return {}
    if urlsplit(via).netloc != urlsplit(ask.url).netloc:
        via = "{0.scheme}://{0.netloc}/".format(urlsplit(via))
    return {"Referer": via}
