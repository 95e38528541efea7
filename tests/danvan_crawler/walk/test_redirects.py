"""Targets of redirects."""

from __future__ import annotations

import pytest

from danvan_crawler.walk.asking import Why
from danvan_crawler.walk.redirects import MAX_HOPS, endless, target_of

PAGE = "http://example.vn/tin/a.html"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/b.html", "http://example.vn/b.html"),
        (b"b.html?x=1", "http://example.vn/tin/b.html?x=1"),
        (b"https://www.example.vn/", "https://www.example.vn/"),
        (b"//khac.vn/a", "http://khac.vn/a"),
        ("/tin-tức/".encode(), "http://example.vn/tin-t%E1%BB%A9c/"),
        (b"/b.html#dau", "http://example.vn/b.html"),
        (b" /b.html ", "http://example.vn/b.html"),
        (b"", None),
        (None, None),
        (b"http://[", None),
        (b"javascript:void(0)", None),
        (b"mailto:a@example.vn", None),
    ],
)
def test_the_target_of_a_redirect_is_that_of_browsers(location: bytes | None, target: str | None) -> None:
    assert target_of(PAGE, location) == target


def test_a_redirect_to_itself_or_back_is_a_loop() -> None:
    why = Why("article", PAGE)
    assert endless(why, PAGE, PAGE) == "redirects in a circle"
    assert endless(why.redirected(PAGE), "http://example.vn/b", PAGE) == "redirects in a circle"
    assert endless(why, PAGE, "https://example.vn/tin/a.html") is None


def test_redirects_are_followed_up_to_the_limit() -> None:
    why = Why("article", PAGE)
    for hop in range(MAX_HOPS):
        assert endless(why, f"http://example.vn/{hop}", f"http://example.vn/{hop + 1}") is None
        why = why.redirected(f"http://example.vn/{hop}")
    assert endless(why, "http://example.vn/5", "http://example.vn/6") == "redirects too often"
