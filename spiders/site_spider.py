"""The spider of a site: it fetches what the reducer of its captures asks for (`danvan_crawler.walk`).

One class serves all sites, with a profile and its family. It decides nothing. Each exchange goes from the archiver to
the reducer as soon as it is written. New requests wait in the run's outbox, and the next callback hands them to Scrapy.
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

    Arguments (`danvan crawl` gives them as options, `scrapy crawl` as `-a NAME=VALUE`): `since`, `until` (ISO days,
    inclusive), `full`, `plan` (true when not empty or 0), `max_pages` (listings and articles).
    """

    site: ClassVar[Site]
    allowed_domains: ClassVar[list[str]]

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
                # Without a delay Scrapy 2.19 goes beyond the setting above by as much as this one lets it (measured).
                "CONCURRENT_REQUESTS": site.connections,
                # In the order of the listings: what is newest comes first, and a run that is cut short has it.
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
        """Article addresses that a crawl would fetch, with `plan`; none where no run could be opened."""
        run = attached(self.crawler)
        return run.planned if isinstance(run, RunContext) else []

    @property
    def run(self) -> RunContext:
        return run_context_of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        self.run.begin()
        for one in self._outbox():
            yield one

    def took(self, response: Response) -> Iterator[Any]:
        """The callback of every request: its exchange was archived and taken before it came here."""
        yield from self._outbox()

    def gave_up(self, failure: Failure) -> Iterator[Any]:
        """The errback of every request. What an exchange has decided is no news; what it left open is now."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if request.meta.get(CAPTURE_KEY) is None or not request.meta.get(DECIDED_KEY, True):
            self.run.give_up(unanswered(failure))
        yield from self._outbox()

    def spider_idle(self) -> None:
        """Hands over what was asked for by an exchange that reached no callback."""
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
            # Where a redirect leads, and whether it is followed, is for the reducer to say.
            "dont_redirect": True,
            "handle_httpstatus_list": [301, 302, 303, 307, 308],
            # Scrapy would name the page whose callback came next.
            "referrer_policy": "no-referrer",
        }
        if ask.why.kind == "requisite":
            meta[REQUISITE_KEY] = True
            if is_media(ask.url):
                meta["download_maxsize"] = self.settings.getint("DANVAN_MAX_MEDIA")
        return Request(
            ask.url,
            callback=self.took,
            errback=self.gave_up,
            headers=_referer(ask),
            meta=meta,
            priority=ask.priority,
            dont_filter=True,  # the reducer asks once, and twice where it means to
        )


def _referer(ask: Ask) -> dict[str, str]:
    """The page that names the address, as browsers send it; nothing from https to http."""
    via = ask.why.via
    if not via or (via.startswith("https:") and not ask.url.startswith("https:")):
        return {}
    if urlsplit(via).netloc != urlsplit(ask.url).netloc:
        via = "{0.scheme}://{0.netloc}/".format(urlsplit(via))
    return {"Referer": via}
