"""Bare spiders that follow every link of a host: what Scrapy costs when nothing is kept.

`links` is written for speed, so that the comparison is with Scrapy at its best: links by regular expression, and an
address that was asked for before is left out before a Request is made of it. `rules` is what Scrapy's manual teaches: a
CrawlSpider with a LinkExtractor. Both run on every Scrapy since 2.9: scrapy-webarchive needs one older than ours.

    link_spider.py links|rules START [SETTINGS]

SETTINGS is a JSON object. Prints how many pages it got. A program of its own because `scrapy runspider` would find the
project's scrapy.cfg in a folder above, and archive.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule

_LINK = re.compile(rb'<a\s[^>]*?href="([^"#]+)"')


_SETTINGS: dict[str, Any] = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "COOKIES_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
}


class LinkSpider(scrapy.Spider):
    """Follows the links of the host of `start`, found by a regular expression."""

    name = "links"

    def __init__(self, start: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = [start]
        self.host = urlsplit(start).netloc
        self.seen = {start}
        self.pages = 0

    def parse(self, response: Response) -> Iterator[scrapy.Request]:
        self.pages += 1
        for link in _LINK.findall(response.body):
            url = urljoin(response.url, link.decode())
            if url not in self.seen and urlsplit(url).netloc == self.host:
                self.seen.add(url)
                yield scrapy.Request(url)

    def closed(self, reason: str) -> None:
        print(self.pages)


class RulesSpider(CrawlSpider):
    """Follows the links of the host of `start`, found by Scrapy's LinkExtractor."""

    name = "rules"

    def __init__(self, start: str, **arguments: Any) -> None:
        extractor = LinkExtractor(allow_domains=[urlsplit(start).netloc])
        self.rules = (Rule(extractor, callback="count", follow=True),)
        super().__init__(**arguments)
        self.start_urls = [start]
        self.pages = 0

    def parse_start_url(self, response: Response, **_: Any) -> None:
        self.pages += 1

    def count(self, response: Response) -> None:
        self.pages += response.url != self.start_urls[0]

    def closed(self, reason: str) -> None:
        print(self.pages)


if __name__ == "__main__":
    kind, start, *settings = sys.argv[1:]
    process = CrawlerProcess({**_SETTINGS, **(json.loads(settings[0]) if settings else {})})
    process.crawl({"links": LinkSpider, "rules": RulesSpider}[kind], start=start)
    process.start()
