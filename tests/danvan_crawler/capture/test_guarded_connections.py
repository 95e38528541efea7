"""The guard in a crawl: refused before a byte is sent, by the address that was connected to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def site_for(server: Any, *, private_network: bool = True, host: str = "127.0.0.1") -> dict[str, Any]:
    endpoints = [(host, server.port)]
    return {"name": "Portal", "source_text": "", "private_network": private_network, "endpoints": endpoints}


def crawl_site(crawl: Callable[..., Any], urls: Mapping[str, str], site: dict[str, Any] | None) -> Any:
    requests = [{"case": case, "url": url} for case, url in urls.items()]
    return crawl(requests, spider={"site": site, "private_network": False})


@pytest.fixture(params=[False, True], ids=["http", "https"])
def portal(request: pytest.FixtureRequest, raw_server: Callable[..., Any]) -> Any:
    return raw_server({"/": [([OK], "keep")]}, tls=request.param)


def test_name_of_a_private_address_is_refused_before_a_byte_is_sent(portal: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl_site(crawl, {"name": portal.url("/", host="localhost")}, None)
    assert crawled.results["name"]["error"] == "CaptureRefusedError"
    assert [bytes(data) for data in portal.connections] == [b""]


def test_redirect_to_a_private_address_is_refused_on_the_connected_address(
    portal: Any, raw_server: Callable[..., Any], crawl: Callable[..., Any]
) -> None:
    location = portal.url("/", host="localhost").encode()
    redirect = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    home = raw_server({"/": [([redirect], "keep")]})
    crawled = crawl_site(crawl, {"home": home.url("/")}, site_for(home))
    assert crawled.results["home"]["error"] == "CaptureRefusedError"
    assert [bytes(data) for data in portal.connections] == [b""]
    assert list(crawled.exchanges()) == [home.url("/")]


def test_redirect_to_a_private_literal_is_refused_without_connecting(
    portal: Any, raw_server: Callable[..., Any], crawl: Callable[..., Any]
) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: " + portal.url("/").encode() + b"\r\nContent-Length: 0\r\n\r\n"
    home = raw_server({"/": [([redirect], "keep")]})
    crawled = crawl_site(crawl, {"home": home.url("/")}, site_for(home))
    assert crawled.results["home"]["error"] == "CaptureRefusedError"
    assert portal.connections == []


def test_private_site_is_reached_by_its_name(portal: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl_site(crawl, {"home": portal.url("/", host="localhost")}, site_for(portal, host="localhost"))
    assert crawled.results["home"]["status"] == 200


def test_endpoints_count_only_with_private_network(portal: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl_site(crawl, {"home": portal.url("/")}, site_for(portal, private_network=False))
    assert crawled.results["home"]["error"] == "CaptureRefusedError"


def test_refusals_are_counted(portal: Any, crawl: Callable[..., Any]) -> None:
    urls = {"name": portal.url("/", host="localhost"), "literal": portal.url("/"), "scheme": "file:///etc/passwd"}
    assert crawl_site(crawl, urls, None).stats["danvan/refused"] == 3


def test_proxy_is_refused(portal: Any, crawl: Callable[..., Any]) -> None:
    crawled = crawl([{"case": "proxied", "url": portal.url("/"), "meta": {"proxy": portal.url("/")}}])
    assert crawled.results["proxied"]["error"] == "CaptureRefusedError"
    assert portal.connections == []
