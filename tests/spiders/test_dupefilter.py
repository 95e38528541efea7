"""Requests that a run has made before."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from spiders.dupefilter import KeyDupeFilter


def test_requests_are_filtered_as_scrapy_does() -> None:
    crawler = get_crawler(Spider)
    known = KeyDupeFilter.from_crawler(crawler)
    asked = ["http://a.vn/?b=1&a=2", "http://a.vn/?a=2&b=1", "http://a.vn/?a=2", "http://a.vn/?a=2#top"]
    assert [known.request_seen(Request(url)) for url in asked] == [False, True, False, True]
    assert known.request_seen(Request("http://a.vn/?a=2", method="POST")) is False
