"""A portal whose every byte a test knows, and our commands as people start them: in processes of their own.

`Portal` serves the sample portal over raw sockets, with what a test puts in the place of its pages. `Desk` is an
archive, a folder of profiles, and the commands that work with them. `read_warc` checks the structure of a WARC file
with zlib alone, so that it shares no code with what wrote it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from danvan_crawler.export.items import write_jsonl
from danvan_crawler.sample import portal as sample
from danvan_crawler.sample import profile_toml
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds after which a test that waits for something gives up."""

Answer = bytes | Callable[[bytes], bytes]  # a whole response message, or what makes one of a request message
HTML = "text/html; charset=utf-8"


def message(
    body: bytes | str = b"", *, status: str = "200 OK", media_type: str = HTML, headers: Mapping[str, str] | None = None
) -> bytes:
    """A response with a Content-Length."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""]).encode() + data


def chunked(body: bytes, *, headers: Mapping[str, str]) -> bytes:
    """A response of several chunks, with names in odd case: what a parser would make uniform has to survive."""
    lines = ["HTTP/1.1 200 Được", "content-TYPE: text/html; charset=utf-8", "transfer-ENCODING: chunked"]
    head = "\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode()
    parts = [body[start : start + 3000] for start in range(0, len(body), 3000)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Exchange:
    """What went over a connection for one request."""

    target: str
    request: bytes
    response: bytes


@dataclass
class Portal:
    """The sample portal on a loopback port; pages go out compressed, in chunks and with a cookie, files plain.

    `pages` maps targets (path, or path and query) to answers that replace those of the sample.
    """

    edition: int = 1
    pages: dict[str, Answer] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.most_at_once = self._busy = 0
        self._held: dict[str, threading.Event] = {}
        self._news = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def targets(self) -> list[str]:
        """Targets of the requests that were answered, in order."""
        return [exchange.target for exchange in self.exchanges]

    def forget(self) -> None:
        """Begins the record of exchanges anew, for what the next crawl asks for."""
        self.exchanges.clear()
        self.arrived.clear()

    def html(self, target: str) -> str:
        """The sample's page."""
        parts = urlsplit(target)
        return sample.render(parts.path, parts.query, edition=self.edition, base_url=self.url).body.decode()

    def also_link(self, listing: str, *targets: str) -> None:
        """Puts further entries on top of a listing."""
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
            assert self._news.wait_for(lambda: target in self.arrived, PATIENCE), f"nobody asked for {target}"

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
        with suppress(OSError), connection:
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    data = connection.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                self._answer(connection, head + b"\r\n\r\n")
        self._connections.discard(connection)

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


@dataclass(frozen=True)
class Record:
    """A WARC record as `read_warc` found it."""

    offset: int
    fields: dict[str, str]
    block: bytes

    @property
    def type(self) -> str:
        return self.fields["WARC-Type"]

    @property
    def id(self) -> str:
        return self.fields["WARC-Record-ID"].strip("<>")

    @property
    def url(self) -> str:
        return self.fields.get("WARC-Target-URI", "")

    @property
    def target(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def entity(self) -> bytes:
        """The body of a response without framing; the portal frames in the two ways that are undone here."""
        head, _, body = self.block.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head.lower():
            return body
        found = b""
        while size := int(body.partition(b"\r\n")[0], 16):
            body = body.partition(b"\r\n")[2]
            found, body = found + body[:size], body[size + 2 :]
        return found


def read_warc(path: Path) -> list[Record]:
    """The records of a WARC file, each one gzip member of right form, length and block digest."""
    data, position, found = path.read_bytes(), 0, []
    while position < len(data):
        member = zlib.decompressobj(31)
        content = member.decompress(data[position:])
        assert member.eof, f"the member at {position} is cut short"
        head, _, rest = content.partition(b"\r\n\r\n")
        version, *lines = head.decode().split("\r\n")
        assert version == "WARC/1.1"
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines), "a field is repeated"
        block = rest[:-4]
        assert rest[-4:] == b"\r\n\r\n"
        assert fields["Content-Length"] == str(len(block))
        digest = hashlib.sha1(block, usedforsecurity=False).digest()
        assert fields["WARC-Block-Digest"] == f"sha1:{base64.b32encode(digest).decode()}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fields["WARC-Date"])
        found.append(Record(position, fields, block))
        position = len(data) - len(member.unused_data)
    return found


@dataclass
class Desk:
    """An archive, the profiles of an operator, and the commands."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.archive = self.folder / "archive"
        self.sites = self.folder / "sites"
        self.sites.mkdir(parents=True)
        self._children: list[subprocess.Popen[str]] = []

    def profile(self, portal: Portal | str, *, slug: str = "mau-danvan", only: str = "", **keys: str) -> Path:
        """Writes the sample portal's profile, without delay; `keys` are TOML values that replace or add keys.

        `only` is the slug of the one section that is to be crawled; all three are without it.
        """
        url = portal if isinstance(portal, str) else portal.url
        facts, *sections = profile_toml(url).split("\n[[sections]]")
        text = "\n[[sections]]".join([facts, *(one for one in sections if only in one)])
        for key, value in {"slug": f'"{slug}"', "delay": "0", **keys}.items():
            text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
            text = text if found else f"{key} = {value}\n{text}"
        path = self.sites / f"{slug}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def variables(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DANVAN_ARCHIVE": str(self.archive),
            "DANVAN_SITES": str(self.sites),
            **self.environment,
        }

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs Python with these arguments, in the desk's folder unless told otherwise."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=folder or self.folder,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )

    def danvan(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `danvan` and checks its exit code."""
        result = self.run("-m", "danvan_crawler", *arguments)
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def crawl(self, *options: str, code: int = 0, slug: str = "mau-danvan") -> subprocess.CompletedProcess[str]:
        return self.danvan("crawl", slug, *options, code=code)

    def scrapy(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `scrapy` in the checkout."""
        result = self.run("-m", "scrapy", *arguments, folder=ROOT)
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `danvan`; `finish` waits for it."""
        child = subprocess.Popen(
            [sys.executable, "-m", "danvan_crawler", *arguments],
            cwd=self.folder,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._children.append(child)
        return child

    def read_until(self, child: subprocess.Popen[str], text: str) -> str:
        """What a child prints up to a line that holds `text`."""
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError("".join(lines))

    def finish(self, child: subprocess.Popen[str], *, code: int) -> str:
        """Waits for a child, checks its exit code and returns what it printed."""
        output, _ = child.communicate(timeout=PATIENCE)
        assert child.returncode == code, output
        return output

    def close(self) -> None:
        for child in self._children:
            with child:
                child.kill()

    def export(self) -> list[dict[str, Any]]:
        """All items as `danvan export` writes them, ordered by item_id, without the second that a process takes."""
        out = io.BytesIO()
        with open_for_reading(self.archive / "danvan.sqlite").connect() as connection:
            write_jsonl(items(connection, Filter()), out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.archive / "danvan.sqlite")) as connection:
            return connection.execute(statement).fetchall()

    def warc_files(self, pattern: str = "*.warc.gz") -> list[Path]:
        return sorted(self.archive.glob(f"warc/**/{pattern}"))

    def records(self) -> list[Record]:
        return [record for path in self.warc_files() for record in read_warc(path)]


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
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Desk]]:
    """Makes desks: new_desk(portal, connections="4") has the portal's profile, new_desk() has none."""
    desks: list[Desk] = []

    def make(portal: Portal | str | None = None, **keys: str) -> Desk:
        desks.append(Desk(tmp_path_factory.mktemp("desk")))
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
