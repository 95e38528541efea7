"""Which requests a run has made before, remembered in little memory."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.dupefilters import RFPDupeFilter

from danvan_crawler.walk.seen import KeySet


class KeyDupeFilter(RFPDupeFilter):
    """Scrapy's filter of requests that a run has made before, with fingerprints in a `KeySet`.

    A spider with a method `asks_again(request)` lets some of them pass.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._known = KeySet()
        self._crawler: Crawler | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        made = super().from_crawler(crawler)
        made._crawler = crawler
        return made

    def request_seen(self, request: Request) -> bool:
        if self.file is not None:  # a JOBDIR, which is Scrapy's business
            return super().request_seen(request)
        if self._known.add(self.fingerprinter.fingerprint(request)):
            return False
        asks_again = getattr(self._crawler.spider, "asks_again", None) if self._crawler is not None else None
        return asks_again is None or not asks_again(request)
