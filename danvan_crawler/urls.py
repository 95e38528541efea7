"""Addresses: one canonical form for the variants of a page, and the item id that follows from it.

The same article is linked with tracking parameters, session ids and print switches. Folding those away is what keeps
one article one item. Everything else in an address is kept: portals have been seen with `//` in paths and `&` without
`?`, and "repairing" them leads to other pages.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from w3lib.url import safe_url_string

TRACKING = re.compile(
    r"(?i)^(utm_\w+|fbclid|gclid|dclid|msclkid|zarsrc|mc_[ce]id|igshid|_ga|_gl|yclid|share|from_source)$"
)
"""Query keys that tell how a reader came, never what is shown."""
SESSION = re.compile(r"(?i)^(jsessionid|phpsessid|aspsessionid\w*|sessionid|session_id|sid|cfid|cftoken|_afrloop)$")
PRINT = re.compile(r"(?i)^(print|printable|in|ban-?in|isprint|forprint)$")
"""Query keys that switch a page to its print form. `in` is Vietnamese for print."""
PRINT_VALUES = re.compile(r"(?i)^(|1|true|yes|y|on)$")
SESSION_IN_PATH = re.compile(r"(?i);jsessionid=[^/?#]*|/\(S\([a-z0-9]+\)\)")
"""Cookieless sessions of Java and ASP.NET servers."""
DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=65536)
def canonical(url: str) -> str:
    """The address without fragment, tracking, session and print parameters; host in lower case, default port off.

    The order of the remaining query and the spelling of the path stay, because servers may tell them apart. Unsafe
    characters are percent-encoded as browsers do it.

    >>> canonical("HTTP://Example.vn:80/tin/a-1.html?utm_source=zalo&id=3&print=1#top")
    'http://example.vn/tin/a-1.html?id=3'
    """
    parts = urlsplit(safe_url_string(url.strip(), encoding="utf-8"))
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    scheme = parts.scheme.lower()
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(scheme):
        host = f"{host}:{parts.port}"
    return urlunsplit((scheme, host, SESSION_IN_PATH.sub("", parts.path) or "/", _kept_query(parts.query), ""))


def _kept_query(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _is_noise(pair))


def _is_noise(pair: str) -> bool:
    name, _, value = pair.partition("=")
    if TRACKING.match(name) or SESSION.match(name):
        return True
    return bool(PRINT.match(name) and PRINT_VALUES.match(value))


def path_key(url: str) -> str:
    """Path and query of the canonical form: equal for http/https, www and alias hosts of one site.

    >>> path_key("https://www.example.vn/tin/a-1.html?fbclid=x") == path_key("http://example.vn/tin/a-1.html")
    True
    """
    parts = urlsplit(canonical(url))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def item_id(site: str, canonical_url: str) -> str:
    """`<slug>-<16 hex digits>`: the first 64 bits of the SHA-256 of the path key. Stable over a move to another host."""
    return f"{site}-{hashlib.sha256(path_key(canonical_url).encode()).hexdigest()[:16]}"


def host_of(url: str) -> str:
    """Host name in lower case, without port; empty when there is none."""
    return (urlsplit(url).hostname or "").rstrip(".")


def endpoint(url: str) -> tuple[str, int]:
    """Host and port that a request for this address goes to."""
    parts = urlsplit(url)
    return host_of(url), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)


def file_name(url: str) -> str:
    """The file's name at the end of an address, percent-decoded: of `?file=` style parameters when the path names none.

    >>> file_name("http://example.vn/tep/K%E1%BA%BF%20ho%E1%BA%A1ch%20131.pdf?download=1")
    'Kế hoạch 131.pdf'
    """
    parts = urlsplit(url)
    name = unquote(posixpath.basename(parts.path))
    if posixpath.splitext(name)[1].lower() in ("", ".aspx", ".ashx", ".php", ".html"):
        for _, value in parse_qsl(parts.query):
            candidate = posixpath.basename(value)
            if re.fullmatch(r"[^/\\]+\.[A-Za-z0-9]{2,5}", candidate):
                return candidate
    return name
