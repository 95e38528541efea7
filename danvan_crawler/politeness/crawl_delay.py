"""Crawl-delay in robots.txt: the longer of it and the profile's `delay` is used.

`Crawl-delay` is not part of RFC 9309, but webmasters use it. Scrapy 2.19 reads the value but does not use it.
AutoThrottle gets it as its minimum.
"""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.extensions.throttle import AutoThrottle
from scrapy.robotstxt import RobotParser

from danvan_crawler import statistics
from danvan_crawler.politeness.guard import slot_of

_logger = logging.getLogger(__name__)

LONGEST = 600.0
"""Seconds; with a longer delay, a portal cannot be crawled in a night, and the crawl would seem to hang."""


class CrawlDelay:
    """Scrapy extension. Statistic CRAWL_DELAY holds the seconds, if robots.txt asks for more than the profile."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CrawlDelay:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        extension = cls(crawler)
        crawler.signals.connect(extension.robots_parsed, signals.robots_parsed)
        return extension

    def robots_parsed(self, robotparser: RobotParser, request: Request) -> None:
        """Sets the delay of a host; called before the first request to it."""
        asked = robotparser.crawl_delay(
            self._crawler.settings["ROBOTSTXT_USER_AGENT"] or self._crawler.settings["USER_AGENT"]
        )
        own = self._crawler.settings.getfloat("DOWNLOAD_DELAY")
        if asked is None or not asked > own:
            return
        delay = min(asked, LONGEST)
        engine: Any = self._crawler.engine
        key = slot_of(request.url)
        # Scrapy discards a slot that is unused for a minute; the next slot of this host must start with this delay too.
        engine.downloader.per_slot_settings[key] = {**engine.downloader.per_slot_settings.get(key, {}), "delay": delay}
        if (slot := engine.downloader.slots.get(key)) is not None:
            slot.delay = max(slot.delay, delay)
        throttle = self._crawler.get_extension(AutoThrottle)
        if throttle is not None:
            throttle.mindelay = max(throttle.mindelay, delay)
            throttle.maxdelay = max(throttle.maxdelay, delay)
        assert self._crawler.stats is not None
        self._crawler.stats.max_value(statistics.CRAWL_DELAY, delay)
        _logger.info("%s: robots.txt asks for %.1f s between requests", key, asked)
