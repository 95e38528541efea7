"""Redirects: the target of a redirect, and detection of endless chains."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

from w3lib.url import safe_url_string

from danvan_crawler.walk.asking import Why

STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 5
"""Most redirects in a row that are followed, as RFC 2068 recommended (section 10.3)."""


def target_of(url: str, location: bytes | None) -> str | None:
    """The target of a redirect from `url`; None if the Location field is missing or not an http(s) address.

    >>> target_of("http://example.vn/a/b.html", b"../c d.html#top")
    'http://example.vn/c%20d.html'
    """
    if not location:
        return None
    try:
        # Like browsers: decode as UTF-8, and percent-encode characters that are not allowed in a URL.
        target = urldefrag(urljoin(url, safe_url_string(location)))[0]
    except ValueError:  # "http://[" and the like
        return None
    return target if target.lower().startswith(("http://", "https://")) else None


def endless(why: Why, url: str, target: str) -> str | None:
    """Why a redirect from `url` to `target` must not be followed; None if it may be."""
    if target == url or target in why.hops:
        return "redirects in a circle"
    return "redirects too often" if len(why.hops) >= MAX_HOPS else None
