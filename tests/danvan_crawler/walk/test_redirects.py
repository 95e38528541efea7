"""Targets of redirects."""

from __future__ import annotations

import pytest

from danvan_crawler.walk.asking import Why
from danvan_crawler.walk.redirects import MAX_HOPS, cookies_of, endless, is_gate, target_of

PAGE = "http://example.vn/tin/a.html"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/b.html", "http://example.vn/b.html"),
        (b"b.html?x=1", "http://example.vn/tin/b.html?x=1"),
        (b"https://www.example.vn/", "https://www.example.vn/"),
        (b"//khac.vn/a", "http://khac.vn/a"),
        (b"http://u:p@khac.vn/a", "http://khac.vn/a"),
        (b"c//d.html", "http://example.vn/tin/c//d.html"),
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


def onward(why: Why, url: str, *cookies: str) -> Why:
    """The reason after a redirect from `url` that set these cookies."""
    return with_cookies(why, *cookies).redirected(url)


def with_cookies(why: Why, *cookies: str) -> Why:
    return why.with_cookies(cookies_of(cookie.encode() for cookie in cookies))


def test_a_redirect_to_itself_that_set_a_new_cookie_is_followed_once() -> None:
    why = with_cookies(Why("article", PAGE), "D1N=abc; path=/")
    assert endless(why, PAGE, PAGE) is None
    again = with_cookies(why.redirected(PAGE), "D1N=abc; expires=Thu, 31-Dec-37 23:55:55 GMT")
    assert endless(again, PAGE, PAGE) == "redirects in a circle"
    further = with_cookies(why.redirected(PAGE), "D1N=abc", "buoc=2")
    assert endless(further, PAGE, PAGE) is None


@pytest.mark.parametrize(("first", "second"), [("cua=1", ""), ("", "cua=1"), ("cua=1", "cua=2")])
def test_a_detour_leads_back_if_one_of_its_redirects_set_a_cookie(first: str, second: str) -> None:
    check = "http://example.vn/kiem-tra?ve=1"
    why = with_cookies(Why("listing", PAGE), *filter(None, [first]))
    assert endless(why, PAGE, check) is None
    assert endless(with_cookies(why.redirected(PAGE), *filter(None, [second])), check, PAGE) is None


def test_a_cookie_that_came_before_the_circle_began_does_not_excuse_it() -> None:
    first, second = "http://example.vn/1", "http://example.vn/2"
    why = onward(onward(Why("article", PAGE), PAGE, "phien=7"), first)
    assert endless(with_cookies(why, "phien=7"), second, first) == "redirects in a circle"


def test_a_page_that_sets_another_cookie_each_time_has_an_end() -> None:
    why = Why("article", PAGE)
    for number in range(MAX_HOPS):
        why = with_cookies(why, f"dem={number}")
        assert endless(why, PAGE, PAGE) is None
        why = why.redirected(PAGE)
    assert endless(with_cookies(why, "dem=99"), PAGE, PAGE) == "redirects too often"


def test_a_gate_to_another_page_is_tried_once() -> None:
    why = Why("article", PAGE)
    assert not is_gate(why, PAGE)
    assert is_gate(with_cookies(why, "phien=1"), PAGE)
    assert not is_gate(with_cookies(onward(why, PAGE, "phien=1"), "phien=2"), PAGE)
    moved = onward(why, PAGE)
    assert is_gate(with_cookies(moved, "phien=1"), "http://example.vn/moi")


def test_digests_are_of_name_and_value() -> None:
    fields = [b"a=1; path=/", b" a = 1 ;HttpOnly", b"a=2", "b=giá-trị".encode(), b"c", b""]
    found = cookies_of(fields)
    assert found[0] == found[1]
    assert len(set(found)) == 5


def test_cookies_are_archived_with_the_reason() -> None:
    why = with_cookies(onward(onward(Why("article", PAGE), PAGE), "http://example.vn/1"), "a=1")
    assert why.cookies[:2] == ("", "")
    assert Why.from_json(why.as_json()) == why
    assert "cookies" not in onward(Why("article", PAGE), PAGE).as_json()
