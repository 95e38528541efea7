"""Cookies, without a request for the list of public suffixes.

Before Scrapy 2.19 stores its first cookie, it asks `tldextract` whether the cookie's domain is a public suffix such as
gov.vn. By default `tldextract` fetches the list from publicsuffix.org or from a mirror, outside of guard, robots.txt
and archive, and without a network it logs tracebacks. Here the copy of the list that is part of the package is used. It
is as old as the installed `tldextract`, and reading it takes 50 ms and 6 MB (measured).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from http.cookiejar import Cookie

from scrapy import Request
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http.cookies import CookieJar, WrappedRequest
from tldextract import TLDExtract

from danvan_crawler.urls import host_of

# Without addresses and cache folder, only the copy in the package is left.
_split = TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)


def is_public_suffix(domain: str) -> bool:
    """Whether sites of different owners are below a domain, so that it can have no cookies of its own.

    >>> is_public_suffix("gov.vn"), is_public_suffix("thanhhoa.gov.vn"), is_public_suffix("127.0.0.1")
    (True, False, False)
    """
    return not _split(domain).domain


class _Jar(CookieJar):
    def add_cookie_header(self, request: Request) -> None:
        if ":" not in host_of(request.url):
            super().add_cookie_header(request)
            return
        # http.cookiejar stores the cookies of an IPv6 host under "[::1].local", where Scrapy does not look for them.
        self.jar.add_cookie_header(WrappedRequest(request))  # type: ignore[arg-type]


class SnapshotCookies(CookiesMiddleware):
    """Scrapy's downloader middleware with the list above, and with cookies of IPv6 hosts."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self.jars = defaultdict(_Jar)

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        host = host_of(request.url)
        for cookie in cookies:
            domain = cookie.domain.removeprefix(".")
            if domain and is_public_suffix(domain):
                if domain != host:
                    continue
                cookie.domain = host  # a host that is a public suffix may have cookies for itself alone
            jar.set_cookie_if_ok(cookie, request)
