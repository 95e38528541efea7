"""Decides by IP address, not by name, which servers a spider may contact.

A Party portal is on the public Internet. A link or redirect to 127.0.0.1, to the office router or to a cloud's metadata
service is a mistake or an attack, whatever its host name. The rules are in `AddressPolicy`:

- `GuardMiddleware` checks IP addresses in URLs before anything else happens, and refuses other schemes than http(s);
- `capture.wire` checks every new connection, after TCP has connected and before the first byte (including TLS) is sent:
  this refuses names that resolve to a private address or change their address, also after redirects;
- a site profile with `private_network = true` allows host and port of its home and sections, nothing else.

Public addresses are defined by the IANA special-purpose registries (RFC 6890 and its updates). `ipaddress.is_global` of
Python 3.11 is True for multicast, fec0::/10 and private addresses embedded in 6to4 or NAT64 (measured), hence the
explicit rules.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector

from danvan_crawler import statistics
from danvan_crawler.exceptions import CaptureRefusedError
from danvan_crawler.urls import ascii_host, host_of, without_credentials

DEFAULT_PORTS = {"http": 80, "https": 443}

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has allocated; the rest of IPv6 is special or unassigned
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is really contacted
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637; newer than the tables of Python 3.11


def is_public(address: str) -> bool:
    """True for a unicast address on the public Internet; False for anything else, including invalid addresses.

    For an IPv6 address that embeds an IPv4 address (mapped, 6to4, NAT64), the IPv4 address is checked.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(ip) if isinstance(ip, IPv4Address) else _is_public_v6(ip)


def _is_public_v4(ip: IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _is_public_v6(ip: IPv6Address) -> bool:
    if ip.scope_id is not None:
        return False
    carried = ip.ipv4_mapped or ip.sixtofour
    if carried is None and ip in _NAT64:
        carried = IPv4Address(int(ip) & 0xFFFFFFFF)
    if carried is not None:
        return _is_public_v4(carried)
    return ip in _GLOBAL_UNICAST and ip.is_global and ip not in _DOCUMENTATION


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The addresses that a spider may contact: all public ones, and the private ones that are allowed here.

    `allowed` holds pairs of host (in lower case) and port. `any_private` allows all private addresses; it is for
    spiders that are not ours and set `private_network = True`.
    """

    allowed: frozenset[tuple[str, int]] = frozenset()
    any_private: bool = False

    def check(self, host: str, port: int, address: str) -> None:
        """Raises CaptureRefusedError if `host`:`port` at the IP address `address` may not be contacted."""
        if self.any_private or is_public(address) or (ascii_host(host), port) in self.allowed:
            return
        raise CaptureRefusedError(
            f"refused to contact {host}:{port}: its address {address} is private, "
            "and private_network does not allow this host and port"
        )


def policy_for(spider: object) -> AddressPolicy:
    """The policy of a spider: of its site profile if it has one, else of its class attribute `private_network`."""
    site: Any = getattr(spider, "site", None)
    if site is None:
        return AddressPolicy(any_private=getattr(spider, "private_network", False) is True)
    return AddressPolicy(allowed=site.private_endpoints() if site.private_network else frozenset())


def check_url(url: str, policy: AddressPolicy) -> None:
    """Raises CaptureRefusedError for a URL that can be refused without connecting: by its scheme or IP address."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise CaptureRefusedError(f"refused to fetch {url}: the URL is malformed ({error})") from error
    if scheme not in DEFAULT_PORTS:
        raise CaptureRefusedError(f"refused to fetch {url}: only http and https can be archived")
    if host is None:
        raise CaptureRefusedError(f"refused to fetch {url}: the URL has no host")
    if is_address(host):
        policy.check(host, DEFAULT_PORTS[scheme] if port is None else port, host)


def is_address(host: str) -> bool:
    """Whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def slot_of(url: str) -> str:
    """The name of a host's queue in Scrapy, which holds its delay; the same with and without www."""
    return host_of(url).removeprefix("www.")


class GuardMiddleware:
    """Downloader middleware, before all others, so that robots.txt of a refused address is not requested either.

    A refused request fails with `CaptureRefusedError`, which Scrapy logs and gives to the errback, and counts in the
    statistic REFUSED, whether it was refused here or when the connection was made.
    """

    def __init__(self, policy: AddressPolicy, stats: StatsCollector) -> None:
        self._policy = policy
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        assert crawler.stats is not None  # made by the crawler before any component
        return cls(policy_for(crawler.spider), crawler.stats)

    def process_request(self, request: Request) -> Request | None:
        plain = without_credentials(request.url)
        if plain != request.url:  # of robots.txt after a redirect, or of another spider
            return request.replace(url=plain, dont_filter=True)
        check_url(request.url, self._policy)
        request.meta["download_slot"] = slot_of(request.url)
        return None

    def process_exception(self, request: Request, exception: Exception) -> None:
        if isinstance(exception, CaptureRefusedError):
            self._stats.inc_value(statistics.REFUSED)
