"""A bare spider that asks for the addresses in a file, one a line, and keeps nothing: `list_spider.py FILE SETTINGS`.

SETTINGS is a JSON object. Runs on every Scrapy since 2.9, as `link_spider.py` does, for scrapy-webarchive's sake.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class ListSpider(scrapy.Spider):
    """Asks for every address once, whatever the answer."""

    name = "list"
    handle_httpstatus_all = True

    def __init__(self, file: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.addresses = Path(file).read_text(encoding="ascii").split()

    def start_requests(self) -> Iterator[scrapy.Request]:  # Scrapy before 2.13
        meta = {"handle_httpstatus_all": True, "dont_retry": True}
        yield from (scrapy.Request(url, meta=meta, errback=self.parse) for url in self.addresses)  # type: ignore[arg-type]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for request in self.start_requests():
            yield request

    def parse(self, response: Response) -> None:
        """What the archive keeps is all that matters."""


if __name__ == "__main__":
    file, settings = sys.argv[1:]
    defaults = {
        "LOG_LEVEL": "CRITICAL",
        "TELNETCONSOLE_ENABLED": False,
        "CONCURRENT_REQUESTS": 1,
        "ROBOTSTXT_OBEY": False,
    }
    process = CrawlerProcess({**defaults, **json.loads(settings)})
    process.crawl(ListSpider, file=file)
    process.start()
