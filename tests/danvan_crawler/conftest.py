"""What tests of several rooms share: site profiles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from danvan_crawler import _layout

_layout.activate()  # families are looked up by name

REQUIRED = {
    "slug": '"thanhhoa-danvan"',
    "name": '"Ban Dân vận Tỉnh ủy Thanh Hóa"',
    "family": '"danvan_portal"',
    "home": '"https://danvan.example.vn/"',
    "province": '"VN-21"',
    "body": '"ban-dan-van"',
}
SECTIONS = """
[[sections]]
name = "Tin tức - Sự kiện"
url = "https://danvan.example.vn/tin-tuc/"
"""


@pytest.fixture
def profile() -> Callable[..., str]:
    """Makes TOML of a right profile: keys (values are TOML) added or replaced, one left out, tables put at its end."""

    def make(*, sections: str = SECTIONS, end: str = "", without: str = "", **keys: str) -> str:
        facts = {**REQUIRED, **keys}
        facts.pop(without, None)
        return "".join(f"{key} = {value}\n" for key, value in facts.items()) + sections + end

    return make
