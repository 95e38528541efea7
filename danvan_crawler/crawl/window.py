"""Hours in which a site is crawled: no crawl begins outside them, and a running crawl stops cleanly when they end.

A profile's `window` applies to its site. The setting `DANVAN_WINDOW` applies to all other sites, except those on
private networks, where a crawl disturbs no office hours. Hours are those of the site's time zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import deferred_from_coro

from danvan_crawler import clock
from danvan_crawler.exceptions import OutsideWindowError, UsageError
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.rules import Window

CLOSE_REASON = "window_closed"
_SECONDS = 1.0


def window_of(site: Site | None, setting: str) -> Window | None:
    """The hours of a site; None if it may be crawled at any time. Raises UsageError for a wrong `DANVAN_WINDOW`."""
    try:
        general = Window.parse(setting) if setting else None
    except ValueError as error:
        raise UsageError(f"DANVAN_WINDOW {error}") from error
    if site is None:
        return None
    return site.hours or (None if site.private_network else general)


def require_open(site: Site, window: Window | None, now: datetime) -> None:
    """Raises OutsideWindowError outside the hours of a site."""
    if window is not None and not window.holds(now.astimezone(site.zone)):
        raise OutsideWindowError(f"not crawled at this hour: its window is {window} ({site.timezone})")


class WindowExtension:
    """Scrapy extension that closes the crawl when its hours are over."""

    def __init__(self, crawler: Crawler, site: Site, window: Window) -> None:
        self._crawler = crawler
        self._site = site
        self._window = window
        self._timer = create_looping_call(self._check)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WindowExtension:
        site: Site | None = getattr(crawler.spider, "site", None)
        window = window_of(site, crawler.settings["DANVAN_WINDOW"])
        if site is None or window is None:
            raise NotConfigured
        extension = cls(crawler, site, window)
        crawler.signals.connect(extension.start, signals.engine_started)
        crawler.signals.connect(extension.stop, signals.engine_stopped)
        return extension

    def start(self) -> None:
        self._timer.start(_SECONDS, now=False)

    def stop(self) -> None:
        if self._timer.running:
            self._timer.stop()

    def _check(self) -> None:
        engine: Any = self._crawler.engine
        if engine is None or self._window.holds(clock.now().astimezone(self._site.zone)):
            return
        self.stop()
        deferred_from_coro(engine.close_spider_async(reason=CLOSE_REASON)).addErrback(lambda _failure: None)
