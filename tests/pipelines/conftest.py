"""Articles as a family gives them to the first stage, and the crawler from which a stage is created."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import Settings

from danvan_crawler import _layout
from danvan_crawler.items import Article
from danvan_crawler.sites.profile import Site

_layout.activate()


@pytest.fixture
def make_article() -> Callable[..., Article]:
    """An article with title, lead, body and date line, captured in November 2026; given fields replace these."""

    def make(**fields: Any) -> Article:
        url = "http://danvan.example.vn/tin-tuc/hoi-nghi-1.html"
        known: dict[str, Any] = {
            "site": "vi-du-danvan",
            "url": url,
            "canonical_url": url,
            "title": "Hội nghị công tác dân vận",
            "lead": "Sáng 23/5, Ban Dân vận tổ chức hội nghị.",
            "body_text": "Đoạn một.\nĐoạn hai.",
            "published_raw": "Đăng lúc: 23/05/2017 08:15:30",
            "published_from": "visible",
            "captured_at": "2026-11-23T08:00:00.000000Z",
        }
        return Article(**{**known, **fields})

    return make


@pytest.fixture
def make_site() -> Callable[..., Site]:
    """A profile with more keys in TOML."""

    def make(extra: str = "") -> Site:
        return Site.parse(
            f"""slug = "vi-du-danvan"
name = "Ban Dân vận Tỉnh ủy"
family = "danvan_portal"
home = "http://danvan.example.vn/"
province = "VN-21"
body = "ban-dan-van"
{extra}
[[sections]]
name = "Tin tức"
url = "http://danvan.example.vn/tin-tuc/"
"""
        )

    return make


@pytest.fixture
def make_crawler() -> Callable[..., Crawler]:
    """A crawler whose spider has this site, or no site if it is None."""

    def make(site: Site | None = None) -> Crawler:
        crawler = Crawler(Spider, Settings())
        crawler.spider = Spider("vi-du-danvan", **({"site": site} if site is not None else {}))
        return crawler

    return make
