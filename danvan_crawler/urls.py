"""Addresses: one canonical form for the variants of a page, and the item id derived from it.

The same article is linked with tracking parameters, session ids and print switches. They are removed, so that one
article is one item. Everything else in an address is kept: some portals use `//` in paths and `&` without `?`, and
correcting them leads to other pages.

No function here raises an error for any string. Pages contain addresses such as `http://[` or `http://example.vn:80x/`;
one of them in a listing must not prevent reading the other links. An invalid address has no host and is not changed.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from w3lib.url import safe_url_string

TRACKING = re.compile(
    r"(?i)^(utm_\w+|fbclid|gclid|dclid|msclkid|zarsrc|mc_[ce]id|igshid|_ga|_gl|yclid|share|from_source)$"
)
"""Query keys that describe how the reader found the page. They do not change the page."""
SESSION = re.compile(r"(?i)^(jsessionid|phpsessid|aspsessionid\w*|sessionid|session_id|sid|cfid|cftoken|_afrloop)$")
_A_STORY_NUMBER = re.compile(r"(?i)^sid=[0-9]{1,9}$")
"""Used in addresses of PHP-Nuke and of NukeViet 2, which is based on it: `modules.php?name=News&op=viewst&sid=543`."""
PRINT = re.compile(r"(?i)^(print|printable|in|ban-?in|isprint|forprint)$")
"""Query keys for the print form of a page. `in` is Vietnamese for print."""
PRINT_VALUES = re.compile(r"(?i)^(|1|true|yes|y|on)$")
SESSION_IN_PATH = re.compile(r"(?i);jsessionid=[^/?#]*|/\(S\([a-z0-9]+\)\)")
"""Cookieless sessions of Java and ASP.NET servers."""
DEFAULT_PORTS = {"http": 80, "https": 443}

_REMEMBERED = 2048
"""Cache size of each function: the addresses of a few pages, each of which is used several times.

Unlimited caches grew by about half a kilobyte per page (tracemalloc), for addresses that were not used again.
"""
_CREDENTIALS = re.compile(r"\A(\s*[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\\]*@")
_BEFORE_AND_PATH = re.compile(r"((?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?)([^?#]*)")
_AFTER_SCHEME = len("https://")
_STEP_BEGINS = re.compile("/(?=/)")
_EMPTY_STEP = "\ue000"
_LINE_BREAKS = re.compile(r"[\t\n\r]")
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_LONGEST_HOST = 253
"""Characters of a host name and of its parts (RFC 1035, section 2.3.4)."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCRIPTS = ("", ".asp", ".aspx", ".ashx", ".php", ".jsp", ".do", ".htm", ".html")
"""Extensions of programs and pages: the path does not have the name of the downloaded file."""


@lru_cache(maxsize=_REMEMBERED)
def canonical(url: str) -> str:
    """The address without fragment, default port, and tracking, session and print parameters; host in lower case.

    The order of the remaining query and the spelling of the path are kept, because servers may distinguish them. Unsafe
    characters are percent-encoded as in browsers.

    >>> canonical("HTTP://Example.vn:80/tin/a-1.html?utm_source=zalo&id=3&print=1#top")
    'http://example.vn/tin/a-1.html?id=3'
    """
    parts = _split(url)
    if parts is None:
        return _SURROGATE.sub("\ufffd", url).strip()
    host = ascii_host(parts.hostname or "")
    if ":" in host:
        host = f"[{host}]"
    scheme = parts.scheme.lower()
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(scheme):
        host = f"{host}:{parts.port}"
    return urlunsplit((scheme, host, SESSION_IN_PATH.sub("", parts.path) or "/", _kept_query(parts.query), ""))


def without_session(url: str) -> str:
    """The address as it is printed, without the session id that servers add to each visitor's links.

    >>> without_session("http://example.vn/tep/ct-05.pdf;jsessionid=0A1B?id=3&PHPSESSID=7f")
    'http://example.vn/tep/ct-05.pdf?id=3'
    """
    path, mark, query = url.partition("?")
    kept = "&".join(pair for pair in query.split("&") if not _is_session(pair))
    return SESSION_IN_PATH.sub("", path) + (mark + kept if kept or not query else "")


def without_credentials(url: str) -> str:
    """The address without user name and password, which requests must not have and nobody should read.

    >>> without_credentials("http://bien-tap:m@t-khau@example.vn/tin@1.html")
    'http://example.vn/tin@1.html'
    """
    return _CREDENTIALS.sub(r"\1", url)


def join(base: str, reference: str) -> str:
    """The address of a reference on a page, as browsers form it, without credentials (RFC 3986, section 5.2).

    Unlike `urllib.parse.urljoin`, empty steps of a path are kept. Raises ValueError for addresses such as `http://[`.

    >>> join("http://example.vn//van-ban/", "&cpage=2")
    'http://example.vn//van-ban/&cpage=2'
    """
    if base.find("//", _AFTER_SCHEME) > 0 or "//" in reference:
        # urljoin drops empty steps: a character that no address has stands for them meanwhile.
        base, reference = _with_marked_steps(base), _with_marked_steps(reference)
    return without_credentials(urljoin(base, reference).replace(_EMPTY_STEP, ""))


def _with_marked_steps(url: str) -> str:
    return _BEFORE_AND_PATH.sub(lambda at: at[1] + _STEP_BEGINS.sub(f"/{_EMPTY_STEP}", at[2]), url, count=1)


def document_base(url: str, declared: str) -> str:
    """The base of relative addresses on a page at `url` whose <base> has this href: as in browsers, `url` itself if the
    declared base is not a valid http(s) address (HTML Standard, "document base URL").

    >>> document_base("http://example.vn/tin/", "/goc/"), document_base("http://example.vn/tin/", "http://[email=a@b.vn/")
    ('http://example.vn/goc/', 'http://example.vn/tin/')
    """
    try:
        base: str = safe_url_string(join(url, _LINE_BREAKS.sub("", declared.strip())))
        parts = urlsplit(base)
        host, port = parts.hostname or "", parts.port
        host.encode("ascii").decode("idna")
    except ValueError:  # "http://[", ports above 65535, and UnicodeError
        return url
    is_host = ":" in host or (_HOST.fullmatch(host) is not None and len(host) <= _LONGEST_HOST)
    return base if parts.scheme in DEFAULT_PORTS and port != 0 and is_host else url


def _split(url: str) -> SplitResult | None:
    """The parts of the percent-encoded address; None if it is invalid."""
    try:
        parts = urlsplit(safe_url_string(_SURROGATE.sub("\ufffd", url).strip(), encoding="utf-8"))
        _ = parts.port  # an invalid port raises only on access
    except ValueError:
        return None
    return parts


def _kept_query(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _is_noise(pair))


def _is_noise(pair: str) -> bool:
    name, _, value = pair.partition("=")
    if TRACKING.match(name) or _is_session(pair):
        return True
    return bool(PRINT.match(name) and PRINT_VALUES.match(value))


def _is_session(pair: str) -> bool:
    return SESSION.match(pair.partition("=")[0]) is not None and not _A_STORY_NUMBER.match(pair)


@lru_cache(maxsize=_REMEMBERED)
def path_key(url: str) -> str:
    """Path and query of the canonical form: equal for http/https, www and alias hosts of one site.

    >>> path_key("https://www.example.vn/tin/a-1.html?fbclid=x") == path_key("http://example.vn/tin/a-1.html")
    True
    """
    parts = _split(canonical(url))
    return _path_and_query(parts) if parts is not None else canonical(url)


def _path_and_query(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_canonical(url: str, canonical_url: str) -> bool:
    """Whether a fetched address is the canonical one, on any host, and not a variant of it.

    >>> is_canonical("https://www.example.vn/a-1.html", "http://example.vn/a-1.html")
    True
    >>> is_canonical("http://example.vn/a-1.html?print=1", "http://example.vn/a-1.html")
    False
    """
    parts = _split(url)
    return parts is not None and _path_and_query(parts) == path_key(canonical_url)


def item_id(site: str, canonical_url: str) -> str:
    """`<slug>-<16 hex digits>`: the first 64 bits of the path key's SHA-256, so that a new host does not change it."""
    return f"{site}-{hashlib.sha256(path_key(canonical_url).encode()).hexdigest()[:16]}"


def ascii_host(name: str) -> str:
    """A host name as requests have it: in lower case, Unicode by IDNA 2003, without the dot of the root.

    An IPv6 address has its short form (RFC 5952), without brackets. A name that IDNA cannot encode stays as it is.

    >>> ascii_host("Tỉnhủy.VN."), ascii_host("[2001:DB8:0:0::1]")
    ('xn--tnhy-vw5a2h.vn', '2001:db8::1')
    """
    name = name.lower()
    if ":" in name:
        try:
            return ip_address(name.removeprefix("[").removesuffix("]")).compressed
        except ValueError:
            return name
    if "%" in name:  # browsers decode it
        name = unquote(name)
    if not name.isascii():
        with suppress(UnicodeError):
            name = name.encode("idna").decode("ascii")
    return name.rstrip(".")


@lru_cache(maxsize=_REMEMBERED)
def host_of(url: str) -> str:
    """Host of an address as `ascii_host` writes it, without port; empty if there is none."""
    try:
        return ascii_host(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def bare_host(url: str) -> str:
    """Host name as in the canonical form, without `www.`."""
    return host_of(canonical(url)).removeprefix("www.")


def endpoint(url: str) -> tuple[str, int]:
    """Host and port of a request for this address; ("", 0) if the address is invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", 0
    return host_of(url), port or DEFAULT_PORTS.get(parts.scheme, 0)


def file_name(url: str) -> str:
    """The percent-decoded file name in an address; from a parameter such as `?file=` if the path ends with a program.

    An escaped slash is part of the name ("131-KH/TU.pdf"), unless the name could then leave its folder.

    >>> file_name("http://example.vn/tep/K%E1%BA%BF%20ho%E1%BA%A1ch%20131.pdf?download=1")
    'Kế hoạch 131.pdf'
    """
    parts = _split(url)
    if parts is None:
        return ""
    name = _safe_name(unquote(parts.path.rsplit("/", 1)[-1]))
    if posixpath.splitext(name)[1].lower() in _SCRIPTS:
        for _, value in parse_qsl(parts.query):
            candidate = _last_part(value)
            if re.fullmatch(r"[^/\\]+\.[A-Za-z0-9]{2,5}", candidate):
                return candidate
    return name


def _safe_name(name: str) -> str:
    steps = re.split(r"[/\\]", name)
    return _last_part(name) if {"", ".", ".."} & set(steps) else name


def _last_part(path: str) -> str:
    return posixpath.basename(path.replace("\\", "/"))
