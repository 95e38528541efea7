"""Cookies of a public suffix are refused, by the list that is in the package."""

from __future__ import annotations

import socket

import pytest
from scrapy import Request
from scrapy.http import Response

from danvan_crawler.politeness import cookies
from danvan_crawler.politeness.cookies import SnapshotCookies, is_public_suffix


@pytest.mark.parametrize("domain", ["vn", "gov.vn", "com.vn", "thanhhoa.vn", "blogspot.com"])
def test_public_suffixes(domain: str) -> None:
    assert is_public_suffix(domain)


@pytest.mark.parametrize("domain", ["thanhhoa.gov.vn", "danvan.vn", "127.0.0.1", "localhost", "portal.lan", "[::1]"])
def test_not_public_suffixes(domain: str) -> None:
    assert not is_public_suffix(domain)


def test_the_list_is_read_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(cookies._split, "_extractor", None)
    assert is_public_suffix("gov.vn")


def sent_back(url: str, cookie: str, later: str) -> bytes | None:
    """The Cookie field of a later request."""
    jar = SnapshotCookies()
    jar.process_response(Request(url), Response(url, headers={"Set-Cookie": cookie}))
    request = Request(later)
    jar.process_request(request)
    return request.headers.get("Cookie")


@pytest.mark.parametrize(
    ("cookie", "later", "expected"),
    [
        ("a=1", "http://tin.thu.gov.vn/2", b"a=1"),
        ("a=1; Domain=thu.gov.vn", "http://khac.thu.gov.vn/", b"a=1"),
        ("a=1; Domain=gov.vn", "http://tin.thu.gov.vn/2", None),
        ("a=1; Domain=gov.vn", "http://nguoikhac.gov.vn/", None),
    ],
)
def test_a_cookie_goes_to_its_own_site_only(cookie: str, later: str, expected: bytes | None) -> None:
    assert sent_back("http://tin.thu.gov.vn/", cookie, later) == expected


@pytest.mark.parametrize(
    ("later", "expected"), [("http://[::1]:8017/2", b"a=1"), ("http://[::1]/", b"a=1"), ("http://[::2]/", None)]
)
def test_an_ipv6_host_gets_its_cookies_back(later: str, expected: bytes | None) -> None:
    assert sent_back("http://[::1]:8017/", "a=1; path=/", later) == expected


def test_a_host_that_is_a_public_suffix_itself_can_have_cookies() -> None:
    assert sent_back("http://thanhhoa.vn/", "a=1; Domain=thanhhoa.vn", "http://thanhhoa.vn/2") == b"a=1"
    assert sent_back("http://tin.thanhhoa.vn/", "a=1; Domain=thanhhoa.vn", "http://thanhhoa.vn/") is None
