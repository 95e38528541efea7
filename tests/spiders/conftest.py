"""Pages of fixtures as a family gets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler import _layout
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site

_layout.activate()
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def case(make_page: Callable[..., Page]) -> Callable[[str], tuple[Page, dict[str, Any]]]:
    """Reads `<family>/<case>`: the recorded page, and its expectation."""

    def read(name: str) -> tuple[Page, dict[str, Any]]:
        folder = FIXTURES / name
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        page = make_page(
            (folder / "page.html").read_bytes(),
            meta["url"],
            content_type=meta["headers"].get("Content-Type", ""),
            captured_at=meta["captured_at"],
        )
        return page, json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture
def make_site() -> Callable[..., Site]:
    """A profile with one section; `extra` is TOML added after its required keys."""

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
