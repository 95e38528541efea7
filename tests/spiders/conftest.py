"""Pages of fixtures as the responses that a family is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from danvan_crawler import _layout
from danvan_crawler.sites.profile import Site
from danvan_crawler.warc.records import CaptureRecord

_layout.activate()
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def case() -> Callable[[str], tuple[HtmlResponse, dict[str, Any]]]:
    """Reads `<family>/<case>`: the recorded response, and what is expected of it."""

    def read(name: str) -> tuple[HtmlResponse, dict[str, Any]]:
        folder = FIXTURES / name
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        capture = CaptureRecord(
            url=meta["url"], date=meta["captured_at"], warc_file="warc/x.warc.gz", warc_offset=0,
            warc_record_id="urn:uuid:0", payload_digest=None, status=200, truncated=None, media_type="text/html",
        )  # fmt: skip
        response = HtmlResponse(
            meta["url"],
            headers=meta["headers"],
            body=(folder / "page.html").read_bytes(),
            request=Request(meta["url"], meta={"capture": capture}),
        )
        return response, json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture
def make_site() -> Callable[..., Site]:
    """A profile with one section; `extra` is TOML put behind its required keys."""

    def make(
        *,
        home: str = "http://danvan.example.vn/",
        section: str | None = None,
        extra: str = "",
        family: str = "danvan_portal",
    ) -> Site:
        return Site.parse(
            f'''slug = "vi-du-danvan"
name = "Ban Dân vận Tỉnh ủy"
family = "{family}"
home = "{home}"
province = "VN-21"
body = "ban-dan-van"
{extra}
[[sections]]
name = "Tin tức"
url = "{section or home + "tin-tuc/"}"
'''
        )

    return make
