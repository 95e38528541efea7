"""Serves the sample portal over HTTP/1.1 on loopback: keep-alive, Content-Length, gzip for pages, validators for all.

A threaded `http.server` is enough: the demo and the tests request a few hundred pages. It also works with browsers, so
that the portal can be viewed while it is being crawled.
"""

from __future__ import annotations

import gzip
import hashlib
import socket
import sys
import threading
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from danvan_crawler.sample._content import EDITIONS
from danvan_crawler.sample.portal import Page, render

# The files never change, so they all have one date: 23 May 2017, 00:00 in Việt Nam.
_FILES_CHANGED = 1495472400
_HOST = "127.0.0.1"


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header asks for gzip (RFC 9110, section 12.5.3); "gzip;q=0" refuses it.

    >>> accepts_gzip("gzip, deflate"), accepts_gzip("identity, gzip;q=0")
    (True, False)
    """
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def is_unchanged(etag: str, changed: int | None, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """Whether a conditional request gets 304 (RFC 9110, section 13.2.2: if present, only If-None-Match counts).

    `changed` is the POSIX time of the last change; None for a page that is generated for each request.
    """
    if if_none_match is not None:
        known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return etag.removeprefix("W/") in known or "*" in known
    if changed is None or if_modified_since is None:
        return False
    try:
        return parsedate_to_datetime(if_modified_since).timestamp() >= changed
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Header and body are two writes: with Nagle's algorithm the second would wait for the client's delayed ACK.
    disable_nagle_algorithm = True
    server: _Server

    def version_string(self) -> str:
        """The value of the Server header."""
        return "CongMau/1.0"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        portal = self.server.portal
        target = urlsplit(self.path)
        page = render(target.path, target.query, edition=portal.edition, base_url=portal.url)
        status, headers, body = self._negotiate(page)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if with_body and status != 304:
            self.wfile.write(body)

    def _negotiate(self, page: Page) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body for this client."""
        headers, body = list(page.headers), page.body
        compress = bool(body) and not page.static and accepts_gzip(self.headers.get("Accept-Encoding", ""))
        if body and not page.static:
            headers.append(("Vary", "Accept-Encoding"))
        if page.status == 200:
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            # Strong tags would have to differ between the codings of a page; like nginx, use weak ones.
            etag = f"W/{etag}" if compress else etag
            changed = _FILES_CHANGED if page.static else None
            headers.append(("ETag", etag))
            if changed is not None:
                headers.append(("Last-Modified", formatdate(changed, usegmt=True)))
            if is_unchanged(etag, changed, self.headers["If-None-Match"], self.headers["If-Modified-Since"]):
                return 304, headers, b""
        if compress:
            # Without a time stamp, so that equal pages give equal bytes.
            body = gzip.compress(body, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        if body:
            headers.append(("Content-Type", page.media_type))
        headers.append(("Content-Length", str(len(body))))
        return page.status, headers, body

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing: the demo's output is about the crawl."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, portal: SamplePortal, port: int) -> None:
        self.portal = portal
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((_HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Shuts down connections that clients keep alive; their threads then close them."""
        with self._lock:
            for connection in self._open:
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # No traceback if a client disconnects.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class SamplePortal:
    """The sample portal on a loopback port.

    >>> with SamplePortal() as portal:
    ...     portal.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, port: int = 0, edition: int = 1) -> None:
        """With `port` 0, the system chooses one. The port is opened by `start`."""
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.edition = edition

    @property
    def edition(self) -> int:
        """The edition served, 1 or 2; may be set while serving. Raises ValueError for other values."""
        return self._edition

    @edition.setter
    def edition(self, edition: int) -> None:
        if edition not in EDITIONS:
            raise ValueError(f"the edition of the sample portal must be 1 or 2, got {edition!r}")
        self._edition = edition

    @property
    def url(self) -> str:
        """Address of the home page. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the sample portal has no address before it is started")
        return f"http://{_HOST}:{self._server.server_address[1]}/"

    def start(self) -> Self:
        """Starts listening; requests are answered in separate threads. Raises OSError if the port is in use."""
        if self._server is None:
            self._server = _Server(self, self._port)
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sample", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stops listening and closes connections; does nothing if stopped already."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.close_connections()
        server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
