"""Index keys of addresses: `https://www.a.example/Tin/?b=2&a=1` becomes `example,a)/tin?a=1&b=2`.

SURT keys (Sort-friendly URI Reordering Transform) in the form of the Wayback Machine's WaybackURLKeyMaker. pywb and
every CDX index look pages up by exactly this text, so every character must be the same. The library `surt`, which
cdxj-indexer uses, is only used in tests, for comparison: it is under the AGPL, had its last release in 2019, asks the
resolver for numeric hosts and emits warnings about its own escapes when it is imported.

The rules: percent-encoding is decoded repeatedly, then applied once; the host is in lower case, without `www`, `www2`,
…, and reversed; default port, user, fragment and session ids are removed; the path is in lower case without `.`, `..`,
empty parts and last slash; parameters are in lower case and sorted.
"""

from __future__ import annotations

import re
import socket
import struct
from contextlib import suppress
from urllib.parse import SplitResultBytes, quote_from_bytes, unquote_to_bytes

_KEPT = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Characters that are not percent-encoded, besides letters and digits: printable ASCII except `#`, `%` and space."""
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")
_HTTP_REPEATED = re.compile(rb"(https?://)+")
_WWW = re.compile(rb"www\d*\.")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}
_NUMERIC_HOST = re.compile(rb"[1-9][0-9]*(?:\.[0-9]+){0,3}|0[0-7]*(?:\.[0-7]+){0,3}")
_SESSIONS_IN_PATH = (
    re.compile(rb"(.*/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)/)([^?]+\.aspx.*)"),
    re.compile(rb"(.*/)(?:\([0-9a-z]{24}\)/)([^?]+\.aspx.*)"),
)
_SESSIONS_IN_QUERY = tuple(
    re.compile(rb"(.*)(?:" + session + rb")(?:&(.*))?")
    for session in (
        rb"jsessionid=[0-9a-z]{32}",
        rb"phpsessid=[0-9a-z]{32}",
        rb"sid=[0-9a-z]{32}",
        rb"aspsessionid[a-z]{8}=[a-z]{24}",
        rb"cfid=[^&]+&cftoken=[^&]+",
    )
)


def surt(url: str) -> str:
    """The key of an address; `-` for an empty address. Raises ValueError for white space alone or an invalid port."""
    data = url.encode("utf-8", "surrogateescape")
    if not data:
        return "-"
    if data.startswith(b"filedesc"):
        return url
    split = _split(data)
    host, path = split.hostname or b"", split.path
    if split.scheme.startswith(b"http") and not host and path:
        host, _, rest = path.lstrip(b"/").partition(b"/")  # http:////portal.example/
        path = b"/" + rest
    port = split.port
    host = _host(host, split.scheme)
    key = _path(path, has_host=bool(host)) + _query(split.query)
    if not host:
        return (split.scheme + b":" + (b"/" + key if key.startswith(b"?") else key)).decode("ascii")
    shown = b":%d" % port if port and port != _DEFAULT_PORTS.get(split.scheme.lower()) else b""
    return (b",".join(reversed(host.split(b"."))) + shown + b")" + key).decode("ascii")


def _split(data: bytes) -> SplitResultBytes:
    """Splits by RFC 2396 appendix B; urllib's `urlsplit` refuses non-ASCII bytes."""
    data = re.sub(rb"[\n\r\t]", b"", data.strip())
    if not _SCHEME.match(data):
        if not data:
            raise ValueError("an address of white space alone")
        data = b"http://" + data
    data = _HTTP_REPEATED.sub(lambda found: found[1], data, count=1) if _HTTP_REPEATED.match(data) else data
    before, _, _ = data.partition(b"#")
    before, _, query = before.partition(b"?")
    scheme, _, rest = before.partition(b":")
    netloc = b""
    if rest.startswith(b"//"):
        netloc, slash, path = rest[2:].partition(b"/")
        rest = slash + path
    return SplitResultBytes(scheme, netloc.rstrip(b":"), rest, query, b"")


def _unescaped(data: bytes) -> bytes:
    while (once := unquote_to_bytes(data)) != data:
        data = once
    return data


def _escaped(data: bytes) -> bytes:
    return quote_from_bytes(data, safe=_KEPT).encode("ascii")


def _host(host: bytes, scheme: bytes) -> bytes:
    host = _unescaped(host)
    if not host.isascii():
        with suppress(UnicodeError):  # else percent-encoded below
            host = host.decode("utf-8", "ignore").encode("idna")
    host = host.replace(b"..", b".").strip(b".")
    host = (_address(host) or _escaped(host)).lower()
    return host if scheme == b"dns" else _WWW.sub(b"", host, count=1) if _WWW.match(host) else host


def _address(host: bytes) -> bytes | None:
    """The dotted form of an IPv4 address in another notation (one number, octal parts); None for a host name."""
    if host.isdigit():
        return socket.inet_ntoa(struct.pack(">L", int(host) & 0xFFFFFFFF)).encode("ascii")
    if not _NUMERIC_HOST.fullmatch(host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host.decode("ascii"))).encode("ascii")
    except OSError:
        return None


def _path(path: bytes, *, has_host: bool) -> bytes:
    path = _unescaped(path)
    if has_host:
        path = _normalised(path)
    path = _escaped(path).lower()
    for session in _SESSIONS_IN_PATH:
        if found := session.fullmatch(path):
            path = found[1] + found[2]
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


def _normalised(path: bytes) -> bytes:
    kept: list[bytes] = []
    for part in path.split(b"/")[1:]:
        if part == b".." and kept:
            kept.pop()
        elif part != b".":
            kept.append(part)
    if not kept:
        return b"/"
    *folders, last = kept
    return b"/" + b"".join(folder + b"/" for folder in folders if folder) + last


def _query(query: bytes) -> bytes:
    query = _escaped(_unescaped(query)).lower()
    for session in _SESSIONS_IN_QUERY:
        if found := session.fullmatch(query):
            query = found[1] + (found[2] or b"")
    if not query:
        return b""
    parameters = sorted(parameter.split(b"=", 1) for parameter in query.split(b"&"))
    return b"?" + b"&".join(b"=".join(parameter) for parameter in parameters)
