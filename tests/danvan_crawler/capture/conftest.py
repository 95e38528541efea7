"""A server that sends exactly the bytes of a test, and crawls of it in child processes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from forked import Forked
from warcio.archiveiterator import ArchiveIterator

import danvan_crawler

PATIENCE = 30.0
"""Seconds after which the server gives up on a client that neither sends nor disconnects."""

Reply = tuple[Sequence[bytes | float], str]
"""What is sent (floats are pauses in seconds) and how it ends: keep (the connection open), close, eof (over TLS: close
without closing alert), reset, or hold (send nothing more until the client disconnects)."""


@dataclass
class RawServer:
    """Serves scripted bytes on a loopback port; the nth request for a path gets its nth reply, later ones the last."""

    replies: Mapping[str, Sequence[Reply]]
    tls: ssl.SSLContext | None = None
    requests: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    connections: list[bytearray] = field(default_factory=list)  # all bytes of each connection, in order of arrival

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            arrived = bytearray()
            self.connections.append(arrived)
            thread = threading.Thread(target=self._serve, args=(connection, arrived), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, arrived: bytearray) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True)
                stack.callback(connection.close)
            while request := self._read_request(connection, arrived):
                path = request.split(b" ", 2)[1].decode()
                seen = self.requests[path]
                seen.append(request)
                replies = self.replies[path]
                steps, end = replies[min(len(seen), len(replies)) - 1]
                if not self._reply(connection, steps, end):
                    return

    @staticmethod
    def _read_request(connection: socket.socket, arrived: bytearray) -> bytes:
        request, wanted = b"", None
        while wanted is None or len(request) < wanted:
            data = connection.recv(65536)
            if not data:
                return b""
            arrived += data
            request += data
            if wanted is None and (end := request.find(b"\r\n\r\n")) >= 0:
                fields = dict(line.lower().split(b":", 1) for line in request[:end].split(b"\r\n")[1:])
                wanted = end + 4 + int(fields.get(b"content-length", b"0"))
        return request

    @staticmethod
    def _reply(connection: socket.socket, steps: Sequence[bytes | float], end: str) -> bool:
        for step in steps:
            if isinstance(step, float):
                threading.Event().wait(step)
            else:
                connection.sendall(step)
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end == "close" and isinstance(connection, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                connection.unwrap()
        elif end == "hold":
            while connection.recv(65536):
                pass
        return end == "keep"


@dataclass
class ArchivedExchange:
    """The records of one exchange, read by warcio: header fields by name, and raw blocks."""

    response: dict[str, str]
    response_block: bytes
    request: dict[str, str] = field(default_factory=dict)
    request_block: bytes = b""
    metadata: dict[str, bytes] = field(default_factory=dict)  # blocks by content type


@dataclass
class Crawled:
    """The result of a child crawl."""

    archive: Path
    results: dict[str, dict[str, Any]]
    stats: dict[str, Any]
    log: str

    @property
    def warc_files(self) -> list[Path]:
        return sorted(self.archive.glob("warc/**/*.warc.gz"))

    def records(self) -> Iterator[tuple[dict[str, str], bytes]]:
        for path in self.warc_files:
            with path.open("rb") as stream:
                for record in ArchiveIterator(stream, no_record_parse=True):
                    yield dict(record.rec_headers.headers), record.raw_stream.read()

    def exchanges(self) -> dict[str, list[ArchivedExchange]]:
        """By target URI, in the order of the archive."""
        records = list(self.records())
        found: dict[str, list[ArchivedExchange]] = defaultdict(list)
        by_id: dict[str, ArchivedExchange] = {}
        for headers, block in records:
            if headers["WARC-Type"] == "response":
                exchange = by_id[headers["WARC-Record-ID"]] = ArchivedExchange(headers, block)
                found[headers["WARC-Target-URI"]].append(exchange)
        for headers, block in records:
            if headers["WARC-Type"] == "request":
                by_id[headers["WARC-Concurrent-To"]].request = headers
                by_id[headers["WARC-Concurrent-To"]].request_block = block
            elif headers["WARC-Type"] == "metadata" and "WARC-Concurrent-To" in headers:
                by_id[headers["WARC-Concurrent-To"]].metadata[headers["Content-Type"]] = block
        return found


@pytest.fixture(scope="session")
def tls_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Server side of TLS with a self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    key_format = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *key_format))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])  # HTTP/2 would be negotiated with a client that offers it, and fail
    return context


@pytest.fixture(scope="session")
def raw_server(tls_context: ssl.SSLContext) -> Iterator[Callable[..., RawServer]]:
    """Factory: raw_server({path: [reply, …]}, tls=False) starts a server that lives until the session ends."""
    servers: list[RawServer] = []

    def start(replies: Mapping[str, Sequence[Reply]], *, tls: bool = False) -> RawServer:
        servers.append(RawServer(replies, tls_context if tls else None))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Runs scripts in forks, with warnings as errors."""
    made = Forked("-W", "error")
    yield made
    made.close()


@pytest.fixture(scope="session")
def crawl(tmp_path_factory: pytest.TempPathFactory, forked: Forked) -> Callable[..., Crawled]:
    """Factory: crawl([{"case": name, "url": url, …}], settings={}, spider={}, archive=None, …) runs a child crawl."""

    def run(
        requests: Sequence[Mapping[str, Any]],
        *,
        settings: Mapping[str, Any] | None = None,
        spider: Mapping[str, Any] | None = None,
        archive: Path | None = None,
        **job: Any,
    ) -> Crawled:
        folder = tmp_path_factory.mktemp("crawl")
        archive = archive or folder / "archive"
        job["requests"] = [{**one, "body": base64.b64encode(one.get("body", b"")).decode()} for one in requests]
        job["spider"] = {"name": "hostile-test", "private_network": True, **(spider or {})}
        job["settings"] = {**BASE_SETTINGS, "DANVAN_ARCHIVE": str(archive), **(settings or {})}
        (folder / "job.json").write_text(json.dumps(job))
        script = Path(__file__).with_name("crawl_job.py")
        root = Path(danvan_crawler.__file__).parents[1]
        child = forked.run(
            [str(script), str(folder / "job.json"), str(folder / "result.json")],
            folder=folder,
            environment={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{script.parent}"},
            timeout=300,
        )
        assert child.returncode == 0, child.stderr
        return Crawled(archive=archive, log=child.stderr, **json.loads((folder / "result.json").read_text()))

    return run


_HANDLER = "danvan_crawler.capture.wire.WireDownloadHandler"
BASE_SETTINGS: dict[str, Any] = {
    "DOWNLOAD_HANDLERS": {"http": _HANDLER, "https": _HANDLER},
    "DOWNLOADER_MIDDLEWARES": {
        "danvan_crawler.politeness.guard.GuardMiddleware": 50,
        "danvan_crawler.capture.archiver.ArchiverMiddleware": 950,
        "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,  # the first cookie would contact others
        "danvan_crawler.politeness.cookies.SnapshotCookies": 700,
        "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    },
    "DEFAULT_REQUEST_HEADERS": {"Accept": "text/html", "Accept-Encoding": "gzip, deflate"},
    "USER_AGENT": "danvan-test (+https://example.vn/)",
    "DANVAN_OPERATOR": "Test operator",
    "ROBOTSTXT_OBEY": False,
    "CONCURRENT_REQUESTS": 1,
    "HTTPERROR_ALLOW_ALL": True,
    "RETRY_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
}
