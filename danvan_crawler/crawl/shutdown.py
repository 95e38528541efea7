"""A crawl that is stopped ends soon, even if its server is slow.

Scrapy waits for running requests: a minute for a server that hangs, a minute more for each retry, or the two minutes
that a server asked to wait. When a crawl is closing (signal, limit, full disk), downloads are cut off after `SECONDS`:
what arrived is archived as truncated, and waiting requests are dropped. They stay pending in the crawl state, so the
next run asks for them.
"""

from __future__ import annotations

import time
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.utils.asyncio import create_looping_call

from danvan_crawler.capture.wire import downloads_given_up

SECONDS = 6.0
"""How long a crawl that closes waits for downloads; supervisors and operators rely on an end within 15 seconds."""


class PromptStop:
    """Scrapy extension that checks every half second whether the crawl is closing, and cuts off slow downloads."""

    def __init__(self, crawler: Crawler, seconds: float = SECONDS) -> None:
        self._crawler = crawler
        self._seconds = seconds
        self._closing_since: float | None = None
        self._timer = create_looping_call(self._check)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PromptStop:
        extension = cls(crawler)
        crawler.signals.connect(extension.start, signals.engine_started)
        crawler.signals.connect(extension.stop, signals.engine_stopped)
        return extension

    def start(self) -> None:
        self._timer.start(0.5, now=False)

    def stop(self) -> None:
        if self._timer.running:
            self._timer.stop()

    def _check(self) -> None:
        engine: Any = self._crawler.engine
        # Private, but only this shows that a spider is closing before it has closed.
        if engine is None or engine._slot is None or engine._slot.closing is None:
            return
        now = time.monotonic()
        if self._closing_since is None:
            self._closing_since = now
        elif now - self._closing_since >= self._seconds:
            # Repeated at each check: a failed robots.txt is requested again, and then its page.
            self._crawler.signals.send_catch_log(downloads_given_up)
            for slot in engine.downloader.slots.values():
                while slot.queue:
                    request, download = slot.queue.popleft()
                    download.errback(DownloadFailedError(f"{request.url} was not asked for: the crawl is ending"))
