"""A portal whose bytes are known to the tests, and desks: an archive with our commands.

`Portal` serves the sample portal over raw sockets; a test can replace its pages.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from desk import PATIENCE, Desk, Record, read_warc
from forked import Forked

from danvan_crawler.sample import portal as sample

Answer = bytes | Callable[[bytes], bytes]  # a response message, or a function that makes one from a request
HTML = "text/html; charset=utf-8"


def message(
    body: bytes | str = b"", *, status: str = "200 OK", media_type: str = HTML, headers: Mapping[str, str] | None = None
) -> bytes:
    """A response with Content-Length."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""]).encode() + data


def chunked(body: bytes, *, headers: Mapping[str, str]) -> bytes:
    """A chunked response with field names in odd case: the archive must keep what a parser would normalise."""
    lines = ["HTTP/1.1 200 Được", "content-TYPE: text/html; charset=utf-8", "transfer-ENCODING: chunked"]
    head = "\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode()
    parts = [body[start : start + 3000] for start in range(0, len(body), 3000)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Exchange:
    """A request and its response, byte by byte."""

    target: str
    request: bytes
    response: bytes


@dataclass
class Portal:
    """The sample portal on a loopback port; pages go out compressed, in chunks and with a cookie, files plain.

    `pages` maps targets (path, or path and query) to answers that replace those of the sample.
    """

    edition: int = 1
    address: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    pages: dict[str, Answer] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.most_at_once = self._busy = 0
        self._held: dict[str, threading.Event] = {}
        self._news = threading.Condition()
        self._connections: set[socket.socket] = set()
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.create_server((self.address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        host = f"[{self.address}]" if ":" in self.address else self.address
        self.url = f"{'https' if self.tls else 'http'}://{host}:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def targets(self) -> list[str]:
        """Targets of the requests that were answered, in order."""
        return [exchange.target for exchange in self.exchanges]

    def forget(self) -> None:
        """Begins a new record of exchanges, for the next crawl."""
        self.exchanges.clear()
        self.arrived.clear()

    def html(self, target: str) -> str:
        """The sample's page."""
        parts = urlsplit(target)
        return sample.render(parts.path, parts.query, edition=self.edition, base_url=self.url).body.decode()

    def also_link(self, listing: str, *targets: str) -> None:
        """Adds entries at the top of a listing."""
        start = '<div class="noi-dung">'
        entries = "".join(
            f'<div><a href="{target}">Một bài viết nữa của chuyên mục này</a></div>' for target in targets
        )
        assert start in self.html(listing)
        self.pages[listing] = lambda _request: message(self.html(listing).replace(start, start + entries, 1))

    def hold(self, target: str) -> threading.Event:
        """Makes requests for a target wait until the event is set."""
        return self._held.setdefault(target, threading.Event())

    def wait_for(self, target: str) -> None:
        """Returns when a request for this target has arrived."""
        with self._news:
            assert self._news.wait_for(lambda: target in self.arrived, PATIENCE), f"{target} was not requested"

    def stop(self) -> None:
        for event in self._held.values():
            event.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, self._encrypted(connection) as stream:
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    data = stream.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                self._answer(stream, head + b"\r\n\r\n")
        self._connections.discard(connection)

    def _encrypted(self, connection: socket.socket) -> AbstractContextManager[socket.socket]:
        return nullcontext(connection) if self.tls is None else self.tls.wrap_socket(connection, server_side=True)

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        target = request.split(b" ", 2)[1].decode()
        with self._news:
            self.arrived.append(target)
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
            self._news.notify_all()
        if target in self._held:
            self._held[target].wait(PATIENCE)
        answer = self.pages.get(target) or self.pages.get(urlsplit(target).path) or self._page(target, request)
        response = answer(request) if callable(answer) else answer
        self.exchanges.append(Exchange(target, request, response))
        self._busy -= 1
        connection.sendall(response)

    def _page(self, target: str, request: bytes) -> bytes:
        parts = urlsplit(target)
        page = sample.render(parts.path, parts.query, edition=self.edition, base_url=self.url)
        if page.static or page.status != 200:
            status = {200: "200 OK", 301: "301 Moved Permanently", 404: "404 Not Found"}[page.status]
            return message(page.body, status=status, media_type=page.media_type, headers=dict(page.headers))
        assert b"gzip" in request
        coded = gzip.compress(page.body, mtime=0)
        return chunked(coded, headers={"Content-Encoding": "gzip", "Set-Cookie": "phien=7; path=/"})


@pytest.fixture(scope="session")
def new_portal() -> Iterator[Callable[..., Portal]]:
    """Starts portals that serve until the session ends."""
    portals: list[Portal] = []

    def start(**settings: Any) -> Portal:
        portals.append(Portal(**settings))
        return portals[-1]

    yield start
    for portal in portals:
        portal.stop()


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Runs commands in forked processes."""
    made = Forked()
    yield made
    made.close()


@pytest.fixture(scope="session")
def new_desk(tmp_path_factory: pytest.TempPathFactory, forked: Forked) -> Iterator[Callable[..., Desk]]:
    """Makes desks: new_desk(portal, connections="4") has the portal's profile, new_desk() has no profile."""
    desks: list[Desk] = []

    def make(portal: Portal | str | None = None, **keys: str) -> Desk:
        desks.append(Desk(tmp_path_factory.mktemp("desk"), forked))
        if portal is not None:
            desks[-1].profile(portal, **keys)
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture(scope="session")
def read() -> Callable[[Path], list[Record]]:
    return read_warc


@pytest.fixture(scope="session")
def answer() -> Callable[..., bytes]:
    return message
