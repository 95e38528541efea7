"""Private addresses are not contacted: as literals, by name, or after redirects."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.statscollectors import DummyStatsCollector
from scrapy.utils.test import get_crawler

from danvan_crawler.exceptions import CaptureRefusedError
from danvan_crawler.politeness.guard import AddressPolicy, GuardMiddleware, check_url, is_public, policy_for


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "14.225.0.1",
        "2001:4860:4860::8888",
        "2400:cb00::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ],
)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.5", "100.64.0.1", "127.0.0.1", "127.8.9.1", "169.254.169.254", "172.16.0.1", "192.0.2.1",
        "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::8.8.8.8", "::ffff:10.0.0.5", "::ffff:127.0.0.1", "64:ff9b::10.0.0.5", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:a00:5::", "3fff::1", "fc00::1",
        "fd12::1", "fe80::1", "fe80::1%eth0", "2400:cb00::1%eth0", "fec0::1", "ff02::1", "4000::1",
        "example.vn", "127.1", "",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    assert not is_public(address)


def test_policy_allows_public_addresses() -> None:
    AddressPolicy().check("example.vn", 80, "14.225.0.1")


def test_policy_refuses_a_private_address_and_names_it() -> None:
    with pytest.raises(CaptureRefusedError, match=r"example\.vn:8080: its address 10\.0\.0\.5 is private"):
        AddressPolicy().check("example.vn", 8080, "10.0.0.5")


def test_policy_allows_the_private_endpoints_of_its_site() -> None:
    AddressPolicy(frozenset({("portal.lan", 8080)})).check("Portal.LAN.", 8080, "10.0.0.5")


@pytest.mark.parametrize(("host", "port"), [("portal.lan", 8081), ("other.lan", 8080), ("10.0.0.5", 8080)])
def test_policy_refuses_other_hosts_and_ports_of_a_private_network(host: str, port: int) -> None:
    with pytest.raises(CaptureRefusedError):
        AddressPolicy(frozenset({("portal.lan", 8080)})).check(host, port, "10.0.0.5")


@pytest.mark.parametrize("url", ["https://example.vn/", "http://8.8.8.8/", "HTTP://EXAMPLE.vn:8080/a"])
def test_url_that_may_be_fetched(url: str) -> None:
    check_url(url, AddressPolicy())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "https://10.0.0.5:8443/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::1",
        "file:///etc/passwd", "ftp://example.vn/", "data:text/html,x", "http:///a", "http://127.0.0.1:99999/",
    ],
)  # fmt: skip
def test_url_that_is_refused_before_a_connection(url: str) -> None:
    with pytest.raises(CaptureRefusedError):
        check_url(url, AddressPolicy())


def test_literal_address_is_allowed_on_its_default_port() -> None:
    check_url("https://10.0.0.5/", AddressPolicy(frozenset({("10.0.0.5", 443)})))


class OpenSpider:
    private_network = True


class ClosedSpider:
    pass


def test_spider_without_site_uses_its_attribute() -> None:
    assert (policy_for(OpenSpider()).any_private, policy_for(ClosedSpider()).any_private) == (True, False)


def test_a_request_goes_without_user_name_and_password() -> None:
    guard = GuardMiddleware(AddressPolicy(), DummyStatsCollector(get_crawler()))
    plain = guard.process_request(Request("http://u:secret@example.vn/x", headers={"a": "b"}, meta={"c": "d"}))
    assert plain is not None
    assert (plain.url, plain.headers["a"], plain.meta["c"]) == ("http://example.vn/x", b"b", "d")
    assert guard.process_request(plain) is None
