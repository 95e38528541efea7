"""Which hosts the crawl of a site may contact, by name: no third party without a reason.

A site's own hosts are those of its profile (`Site.hosts`). All other hosts are foreign. A foreign host is contacted
only if the profile names it (`static_hosts`), or for a file that a page of the site embeds or offers. The rules for
addresses (`politeness.guard`), robots.txt and the delay apply to foreign hosts too. The run report lists them.

The reducer decides what is requested (`walk`). This is a second check, which also covers requests that Scrapy makes
itself: robots.txt is requested only from a host that has been allowed, wherever another robots.txt redirects to.
"""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.statscollectors import StatsCollector

from danvan_crawler import statistics
from danvan_crawler.politeness.budget import REQUISITE_KEY
from danvan_crawler.sites.profile import Site
from danvan_crawler.urls import endpoint, host_of


class ForeignHostRefused(IgnoreRequest):
    """A request that was not made, because neither the profile nor a page of the site names its host."""


class ForeignHosts:
    """The foreign hosts of one run."""

    def __init__(self, site: Site) -> None:
        self._own = frozenset(site.hosts)
        self._allowed = {*site.hosts, *site.static_hosts}
        # On a private network every port is a separate server.
        self._servers = site.private_endpoints() if site.private_network else None

    def allow(self, url: str, *, is_named_by_page: bool) -> None:
        """Raises ForeignHostRefused if the host of an address may not be contacted.

        `is_named_by_page`: a page of the site embeds or offers this file.
        """
        host = host_of(url)
        if is_named_by_page:
            self._allowed.add(host)
        elif host not in self._allowed:
            raise ForeignHostRefused(f"refused to contact {host}: neither the profile nor a page of the site names it")

    def name_of(self, url: str) -> str | None:
        """The name of a foreign host in the run report, with its port if that is unusual; None for an own host."""
        host = host_of(url)
        is_own = host in self._own and (self._servers is None or endpoint(url) in self._servers)
        return None if is_own else urlsplit(url).netloc.rpartition("@")[2].lower()


class ForeignHostsMiddleware:
    """Downloader middleware, before robots.txt. It counts requests to foreign hosts in statistic FOREIGN_HOSTS."""

    def __init__(self, hosts: ForeignHosts, stats: StatsCollector) -> None:
        self._hosts = hosts
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a site: it names its hosts itself."""
        site = getattr(crawler.spider, "site", None)
        if site is None:
            raise NotConfigured
        assert crawler.stats is not None  # made by the crawler before any component
        middleware = cls(ForeignHosts(site), crawler.stats)
        crawler.signals.connect(middleware.request_reached_downloader, signals.request_reached_downloader)
        return middleware

    def process_request(self, request: Request) -> None:
        self._hosts.allow(request.url, is_named_by_page=REQUISITE_KEY in request.meta)

    def request_reached_downloader(self, request: Request) -> None:
        name = self._hosts.name_of(request.url)
        if name is not None:
            known = self._stats.get_value(statistics.FOREIGN_HOSTS, {})
            self._stats.set_value(statistics.FOREIGN_HOSTS, {**known, name: known.get(name, 0) + 1})
