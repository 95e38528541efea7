"""Redirects: the target of a redirect, and detection of endless chains.

Some portals answer the first request of a visitor with a redirect to the same address, to the front page, or to a page
that redirects back, and set a cookie. The next request has this cookie and gets the page. So an address that was
requested before is requested again if a redirect has set a new cookie since then. A cookie is new if no earlier
redirect of the chain has set it with the same value: which cookies a request had is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from urllib.parse import urldefrag

from w3lib.url import safe_url_string

from danvan_crawler.urls import join
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
        target = urldefrag(join(url, safe_url_string(location)))[0]
    except ValueError:  # "http://[" and the like
        return None
    return target if target.lower().startswith(("http://", "https://")) else None


def cookies_of(fields: Iterable[bytes]) -> tuple[str, ...]:
    """A short digest of name and value of each cookie in these Set-Cookie fields (RFC 6265, section 4.1)."""
    pairs = (field.partition(b";")[0].partition(b"=") for field in fields)
    named = (name.strip() + b"=" + value.strip() for name, _, value in pairs)
    return tuple(hashlib.sha256(pair).hexdigest()[:12] for pair in named)


def endless(why: Why, url: str, target: str) -> str | None:
    """Why a redirect from `url` to `target` must not be followed; None if it may be.

    `why` has the cookies of this redirect.
    """
    requested = (*why.hops, url)
    if target in requested:
        last = len(requested) - 1 - requested[::-1].index(target)
        if not any(why.cookies[last:]):
            return "redirects in a circle"
    return "redirects too often" if len(why.hops) >= MAX_HOPS else None


def is_gate(why: Why, url: str) -> bool:
    """Whether a redirect from `url`, to a page that is not the one that `why` asks for, may be that of a cookie gate.

    The address that was requested first is then requested once more. `why` has the cookies of this redirect.
    """
    requested = (*why.hops, url)
    return any(why.cookies[len(why.hops) :]) and requested.count(why.link) < 2 and len(why.hops) < MAX_HOPS
