"""A server that answers as no textbook does, over raw sockets: what it sends is known to the byte.

Every kind of answer has an address of its own, and a body that no other has, so that no archive may keep one for
another. Kinds that end with a closed connection close it; all others keep it alive.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

LISTING = "/tin-tuc/dan-van-kheo/"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer: what is sent (floats are pauses in seconds), and whether the connection is closed then."""

    name: str
    steps: Sequence[bytes | float]
    closes: bool = False
    interim: bytes = b""
    """What of it comes before the final response."""
    surplus: bytes = b""
    """What of it comes after the final response."""

    @property
    def sent(self) -> bytes:
        """Everything, in order."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    @property
    def response(self) -> bytes:
        """The final response, from its status line to the end of the message."""
        return self.sent[len(self.interim) : len(self.sent) - len(self.surplus)]


def _body(name: str) -> bytes:
    text = f"<p>Hội nghị công tác dân vận, trả lời kiểu {name}.</p>" * 20
    return f"<html><body><h1>Bài viết {name}</h1>{text}</body></html>".encode()


def _ok(body: bytes, *fields: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    head = [status, *(fields or (b"Content-Type: text/html; charset=utf-8",)), b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*head, b"", body])


def _chunks(body: bytes, *, extension: bytes = b"") -> bytes:
    parts = [body[start : start + 700] for start in range(0, len(body), 700)]
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)


_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </kieu.css>; rel=preload\r\n\r\n"
_NO_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def _coded(name: str) -> Iterator[Kind]:
    """Content codings, true and false."""
    body = _body(name)
    packed = gzip.compress(body, mtime=0)
    yield Kind("gzip", [_ok(gzip.compress(_body("gzip"), mtime=0), b"Content-Encoding: gzip")])
    yield Kind("deflate", [_ok(zlib.compress(_body("deflate")), b"Content-Encoding: deflate")])
    yield Kind("raw deflate", [_ok(zlib.compress(_body("raw"))[2:-4], b"Content-Encoding: deflate")])
    yield Kind("gzip twice", [_ok(gzip.compress(packed, mtime=0), b"Content-Encoding: gzip, gzip")])
    yield Kind("says gzip, is plain", [_ok(_body("lying"), b"Content-Encoding: gzip")])
    yield Kind("unknown coding", [_ok(_body("unknown"), b"Content-Encoding: x-party")])
    yield Kind("short gzip body", [_ok(gzip.compress(_body("short gzip"))[:-9], b"Content-Encoding: gzip")])
    yield Kind("bytes after the gzip", [_ok(gzip.compress(_body("after")) + b"\0rest", b"Content-Encoding: gzip")])


def _framed() -> Iterator[Kind]:
    """Chunked framing."""
    packed = gzip.compress(_body("chunked gzip"))
    end = b"0\r\n\r\n"
    yield Kind("chunked", [_CHUNKED + b"\r\n" + _chunks(_body("chunked")) + end])
    extended = _chunks(_body("extension"), extension=b';ten="mot hai"')
    yield Kind("chunk extensions", [_CHUNKED + b"\r\n" + extended + b"0;cuoi\r\n\r\n"])
    trailers = b"Trailer: X-Tong\r\n\r\n" + _chunks(_body("trailers")) + b"0\r\nX-Tong: 1\r\nx-THEM:2\r\n\r\n"
    yield Kind("chunk trailers", [_CHUNKED + trailers])
    yield Kind("chunked gzip", [_CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + _chunks(packed) + end])
    yield Kind("chunked and empty", [_CHUNKED + b"\r\n" + end])
    both = b"Content-Length: 3\r\n\r\n" + _chunks(_body("both")) + end
    yield Kind("chunked with a length", [_CHUNKED + both])
    yield Kind("cut inside a chunk", [_CHUNKED + b"\r\n1000\r\n" + _body("cut")], closes=True)
    yield Kind("no last chunk", [_CHUNKED + b"\r\n" + _chunks(_body("no last"))], closes=True)


def _headed() -> Iterator[Kind]:
    """Status lines and header fields."""
    fields = {
        "repeated fields": (b"Set-Cookie: a=1", b"X-A: 1", b"set-cookie: b=2", b"X-A: 1"),
        "odd case and blanks": (b"cOnTeNt-TyPe:text/html", b"X_gach-DUOI:  hai  ", b'eTag:\t"a"'),
        "UTF-8 in a field": ("X-Tieu-De: Bản tin Tỉnh ủy".encode(),),
        "Latin-1 in a field": (b"X-Ten: caf\xe9 \xff\x80",),
        "folded field": (b"X-Dai: mot\r\n  hai\r\n\tba",),
        "field without a colon": (b"day khong phai la truong",),
        "keep-alive": (b"Connection: keep-alive", b"Keep-Alive: timeout=5, max=100"),
    }
    for name, lines in fields.items():
        yield Kind(name, [_ok(_body(name), *lines)])
    status_lines = {
        "reason phrase in UTF-8": "HTTP/1.1 200 Tốt lắm :-)".encode(),
        "reason phrase in Latin-1": b"HTTP/1.1 200 tr\xe8s bien",
        "empty reason phrase": b"HTTP/1.1 200 ",
        "no reason phrase": b"HTTP/1.1 200",
        "unknown status 299": b"HTTP/1.1 299 La lung",
        "404": b"HTTP/1.1 404 Khong co",
        "500": b"HTTP/1.1 500 Loi",
    }
    for name, line in status_lines.items():
        yield Kind(name, [_ok(_body(name), status=line)])
    yield Kind("bare line feeds", [_ok(_body("line feeds")).replace(b"\r\n", b"\n")])


def _shaped() -> Iterator[Kind]:
    """Messages as a whole: where they begin and end, and how they come."""
    yield Kind("plain", [_ok(_body("plain"))])
    yield Kind("204", [b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"])
    yield Kind("empty body", [_ok(b"")])
    redirect = _ok(_body("redirect"), b"Location: " + LISTING.encode(), status=b"HTTP/1.1 302 Found")
    yield Kind("redirect", [redirect])
    surplus = b"HTTP/1.1 200 OK\r\n\r\nthua"
    yield Kind("bytes after the message", [_ok(_body("surplus")) + surplus], surplus=surplus, closes=True)
    yield Kind("HTTP/1.0", [_ok(_body("1.0"), status=b"HTTP/1.0 200 OK")], closes=True)
    yield Kind("no length", [_NO_LENGTH + _body("no length")], closes=True)
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + _body("short")
    yield Kind("short body", [short], closes=True)
    slow = _ok(_body("slow")[:200])
    yield Kind("slow drip", [part for byte in slow for part in (bytes([byte]), 0.002)])
    yield Kind("6 MB", [_ok(bytes(range(256)) * (6 * 4096), b"Content-Type: application/octet-stream")])


def _interim() -> Iterator[Kind]:
    """Last of all: who takes the first message for the answer may give the second one to whoever asks next."""
    yield Kind("103 before the 200", [_HINTS, 0.05, _ok(_body("103"))], interim=_HINTS)


KINDS: tuple[Kind, ...] = (*_shaped(), *_coded("gzip twice"), *_framed(), *_headed(), *_interim())


def path_of(kind: Kind) -> str:
    """Where the server answers so."""
    return f"{LISTING}kieu-{KINDS.index(kind) + 1}.html"


@dataclass
class Hostile:
    """The server, on a free loopback port while the context lasts; a listing links all kinds."""

    host: str = "127.0.0.1"
    requests: Counter[str] = field(default_factory=Counter)
    """How often each target was asked for."""
    on_one_connection: int = 0
    """The most requests that came over one connection."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.url = f"http://{self.host}:{self._listener.getsockname()[1]}"
        self._answers = {path_of(kind): (kind.steps, kind.closes) for kind in KINDS}
        links = "".join(f'<div><a href="{path}">Bài viết của kiểu trả lời ấy</a></div>' for path in self._answers)
        page = f'<html><body><div class="noi-dung">{links}</div></body></html>'.encode()
        self._answers |= {
            LISTING: ([_ok(page)], False),
            "/robots.txt": ([_ok(b"", b"Content-Type: text/plain")], False),
        }
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def address_of(self, kind: Kind) -> str:
        return self.url + path_of(kind)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        pending, served, closes = b"", 0, False
        with contextlib.suppress(OSError), connection:
            while not closes:
                while b"\r\n\r\n" not in pending:
                    data = connection.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode("latin-1")
                served += 1
                self.requests[target] += 1
                self.on_one_connection = max(self.on_one_connection, served)
                steps, closes = self._answers.get(target, ([_ok(b"", status=b"HTTP/1.1 404 Not Found")], False))
                for step in steps:
                    if isinstance(step, float):
                        threading.Event().wait(step)
                    else:
                        connection.sendall(step)
