"""Records the exact bytes of an HTTP exchange in Scrapy's own HTTP/1.1 handler.

A Scrapy `Response` is an interpretation: header names are in title case, transfer framing and (a middleware later)
content coding are removed. An archive must keep the bytes on the wire. `WireDownloadHandler` is Scrapy's handler with a
tee on both directions of the connection; pooling, timeouts, size limits and TLS are Scrapy's.

The path of a request:

    WireDownloadHandler.download_request
      makes a Recording and leaves it in request.meta["danvan_exchange"], even if the download fails
      -> Scrapy's agent with a _RecordingPool, which wraps the request into a _RecordedRequest
      -> _GuardedPool: a cached connection, or a new one whose address the spider's policy allows
      -> _TeeProtocol.request -> _RecordedRequest.writeTo: the Recording starts again and records the sent bytes
      -> _TeeProtocol.dataReceived: records the received bytes, then lets Twisted parse them

Recording begins in `writeTo` because Twisted sends a request again, on a new connection, if a kept-alive connection is
dead: then the last attempt is recorded, with its own start time and address.

Twisted decides where a message ends: `_finishResponse(rest)` reports how many bytes came after it. Those are kept
separately (`Exchange.surplus`) and the connection is not used again, because the server and Twisted disagree on where
the next message begins. A message without an end is truncated: "time" (timeout), "length" (DOWNLOAD_MAXSIZE),
"disconnect" (the connection ended first) or "unspecified" (Twisted could not parse it, or a signal handler stopped it).
A body without length ends with the connection, which must be closed properly. Over TLS that would be a closing alert
(RFC 9112, 9.8), but many servers omit it, and Twisted reports a reset in the same way. So over TLS any end of the
connection is accepted, as in browsers.

Proxies are refused, because the guard could not see the real peer; the settings disable HttpProxyMiddleware. HTTP/2 is
never negotiated: this handler offers no ALPN protocol.

Imported names that begin with an underscore are private to Scrapy or Twisted. The test `test_private_names.py` fails
if one of them changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import urldefrag

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _ScrapyAgent,
)
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.utils._download_handlers import get_dataloss_msg, wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool
from twisted.web.iweb import IResponse

from danvan_crawler import clock
from danvan_crawler.exceptions import CaptureRefusedError
from danvan_crawler.politeness.certificates import CertificateChecker
from danvan_crawler.politeness.guard import AddressPolicy, policy_for
from danvan_crawler.politeness.legacy_tls import LegacyTls
from danvan_crawler.warc.message import split_interim
from danvan_crawler.warc.records import Exchange, Truncation

downloads_given_up = object()
"""Scrapy signal: the crawl must end. Running downloads are cancelled, and further requests are refused."""

_logger = logging.getLogger(__name__)

RECORDING_KEY = "danvan_exchange"
"""Key in `request.meta` under which the handler leaves the `Recording`; the archiver removes it."""


@dataclass(slots=True)
class Recording:
    """The bytes on the wire for one request. The protocol fills it, the handler closes it."""

    url: str
    began_at: datetime | None = None
    ip_address: str | None = None
    truncated: Truncation | None = None
    complete: bool = False  # the end of the response message was received
    closed: bool = False  # Scrapy has its result; later bytes belong to a download that it has given up
    connection: Literal["up", "ended", "cut", "dropped"] = "up"  # closed properly, closed by an error, closed by us
    _sent: list[bytes] = field(default_factory=list)
    _received: list[bytes] = field(default_factory=list)
    _surplus: int = 0

    def begin(self, ip_address: str) -> None:
        """Starts the recording: a request is about to be written to a connection with this peer."""
        self.began_at = clock.now()
        self.ip_address = ip_address.partition("%")[0]  # a zone (fe80::1%eth0) is valid only on this machine
        self.complete = False
        self.connection = "up"
        self._sent.clear()
        self._received.clear()
        self._surplus = 0

    def sent(self, data: bytes) -> None:
        self._sent.append(data)

    def received(self, data: bytes) -> None:
        if self.closed:
            self.connection = "dropped"
        else:
            self._received.append(data)

    def ended(self, surplus: int) -> None:
        """The parser found the end of the message; `surplus` is the number of received bytes after it."""
        self.complete = self.connection in ("up", "ended")
        self._surplus = surplus

    def connection_lost(self, *, orderly: bool) -> None:
        """The connection closed before the end of the message was found; for a body without length, that is the end.

        A download that was given up has no end, because Scrapy closed the connection.
        """
        self.connection = "dropped" if self.closed else "ended" if orderly else "cut"

    def close(self, result: Any) -> Any:
        """Stops the recording. Returns `result`, so that it can be used as callback and errback."""
        self.closed = True
        return result

    def exchange(self) -> Exchange | None:
        """The exchange for the archive; None if nothing was received."""
        received = b"".join(self._received)
        if not received or self.began_at is None:
            return None
        end = len(received) - self._surplus
        message, surplus = received[:end], received[end:]
        interim, response = split_interim(message)
        if not response:  # the connection ended after "103 Early Hints": treat that as the response
            interim, response = b"", message
        return Exchange(
            url=self.url,
            request=b"".join(self._sent),
            response=response,
            began_at=self.began_at,
            ip_address=self.ip_address,
            truncated=self.truncated,
            interim=interim,
            surplus=surplus,
        )


def truncation(recording: Recording, error: Exception | None) -> Truncation | None:
    """Why a response is incomplete, as a value of WARC/1.1 section 5.13; None if it is complete.

    A response can be complete although its download failed: if its last bytes exceeded DOWNLOAD_MAXSIZE.
    """
    if recording.complete:
        return None
    if isinstance(error, DownloadTimeoutError):
        return "time"
    if isinstance(error, DownloadCancelledError):
        return "length"
    return "disconnect" if recording.connection in ("ended", "cut") else "unspecified"


class _TeeTransport:
    """A transport that records all written data; Twisted's `Request` also registers its body's producer there."""

    def __init__(self, transport: Any, recording: Recording) -> None:
        self._transport = transport
        self._recording = recording

    def write(self, data: bytes) -> None:
        self._recording.sent(bytes(data))
        self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _RecordedRequest:
    """A Twisted `Request` with its recording, so that every connection over which it is sent finds the recording."""

    def __init__(self, request: Any, recording: Recording) -> None:
        self._request = request
        self.recording = recording
        self.persistent: bool = request.persistent

    def writeTo(self, transport: Any) -> Deferred[None]:
        self.recording.begin(transport.getPeer().host)
        written: Deferred[None] = self._request.writeTo(_TeeTransport(transport, self.recording))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


class _TeeProtocol(_LenientHTTP11ClientProtocol):
    """Scrapy's HTTP/1.1 client protocol with a tee on received data.

    It holds the recording of the current exchange. On an idle connection there is no recording; if bytes arrive then,
    Twisted drops the connection.
    """

    _recording: Recording | None = None

    def __init__(self, quiescent: Callable[[Any], None], check_encryption: Callable[[Any], None]) -> None:
        super().__init__(quiescent)  # type: ignore[no-untyped-call]
        self._check_encryption: Callable[[Any], None] | None = check_encryption

    def request(self, request: Any) -> Deferred[IResponse]:
        self._recording = request.recording
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        if self._recording is not None:
            self._recording.received(data)
        if self._check_encryption is not None and ISSLTransport.providedBy(self.transport):
            self._check_encryption(self.transport.getHandle())  # type: ignore[union-attr]  # not None, see above
        self._check_encryption = None
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def _finishResponse(self, rest: bytes) -> None:
        if self._recording is not None:
            self._recording.ended(len(rest))
            self._recording = None
        if rest and self._currentRequest is not None:
            self._currentRequest.persistent = False  # makes Twisted close the connection
        super()._finishResponse(rest)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self._recording is not None:
            over_tls = ISSLTransport.providedBy(self.transport)
            orderly = reason.type is ConnectionDone or (over_tls and reason.type is ConnectionLost)
            self._recording.connection_lost(orderly=orderly)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _TeeFactory(_LenientHTTP11ClientFactory):
    """Builds the protocol of a new TCP connection, if its address may be contacted.

    An exception raised here closes the connection and fails the request, before TLS is started.
    """

    def __init__(
        self,
        quiescent: Callable[[Any], None],
        metadata: str,
        check_address: Callable[[str], None],
        check_encryption: Callable[[Any], None],
    ) -> None:
        super().__init__(quiescent, metadata)  # type: ignore[no-untyped-call]
        self._check_address = check_address
        self._check_encryption = check_encryption

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:
        self._check_address(str(getattr(addr, "host", addr)))
        return _TeeProtocol(self._quiescentCallback, self._check_encryption)


class _GuardedPool(HTTPConnectionPool):
    """Scrapy's connection pool, which checks new connections against the spider's address policy.

    A cached connection needs no second check: its key holds host and port, and its peer cannot change.
    """

    def __init__(
        self, reactor: Any, policy: AddressPolicy, check_encryption: Callable[[str, Any], None], max_per_host: int
    ) -> None:
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self._policy = policy
        self._check_encryption = check_encryption
        self.maxPersistentPerHost = max_per_host

    def _newConnection(self, key: Any, endpoint: Any) -> Deferred[HTTP11ClientProtocol]:
        _scheme, host, port, *_bind_address = key
        name = host.decode("ascii")
        check_address, check_encryption = partial(self._policy.check, name, port), partial(self._check_encryption, name)
        factory = _TeeFactory(partial(self._putConnection, key), repr(endpoint), check_address, check_encryption)
        connection: Deferred[HTTP11ClientProtocol] = endpoint.connect(factory)
        return connection


class _RecordingPool:
    """The pool for one request: the same connections, but the request gets its recording."""

    persistent = True

    def __init__(self, pool: _GuardedPool, recording: Recording) -> None:
        self._pool = pool
        self._recording = recording

    def getConnection(self, key: Any, endpoint: Any) -> Deferred[_RecordingConnection]:
        return self._pool.getConnection(key, endpoint).addCallback(_RecordingConnection, self._recording)


class _RecordingConnection:
    """A connection, new or cached, for one request."""

    def __init__(self, connection: Any, recording: Recording) -> None:
        self._connection = connection
        self._recording = recording

    def request(self, request: Any) -> Deferred[Any]:
        answer: Deferred[Any] = self._connection.request(_RecordedRequest(request, self._recording))
        return answer


class WireDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, with recording; set it for both in `DOWNLOAD_HANDLERS`."""

    _pool: _GuardedPool

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        stock = self._pool  # made by Scrapy and not yet used; replaced by one with the same reactor and limit
        assert crawler.stats is not None  # made by the crawler before any component
        self._certificates = CertificateChecker(crawler.stats)
        self._legacy_tls: LegacyTls | None = None
        if getattr(getattr(crawler.spider, "site", None), "legacy_tls", False):
            self._legacy_tls = LegacyTls(crawler.stats)
            self._contextFactory = self._legacy_tls  # type: ignore[assignment]  # by a decorator of zope.interface
        self._pool = _GuardedPool(
            stock._reactor, policy_for(crawler.spider), self._check_encryption, stock.maxPersistentPerHost
        )
        self._under_way: set[Deferred[Response]] = set()
        self._given_up = False
        crawler.signals.connect(self.give_up, downloads_given_up)

    def _check_encryption(self, host: str, connection: Any) -> None:
        self._certificates.check(host, connection)
        if self._legacy_tls is not None:
            self._legacy_tls.check(host, connection)

    def give_up(self) -> None:
        """Cancels running downloads and refuses further requests."""
        self._given_up = True
        for download in list(self._under_way):
            download.cancel()

    async def download_request(self, request: Request) -> Response:
        """Scrapy's method of this name, with a recording. Raises the same errors, and CaptureRefusedError."""
        if request.meta.get("proxy"):
            raise CaptureRefusedError(f"refused to fetch {request.url} over a proxy: the real peer would be unknown")
        if self._given_up:
            raise DownloadFailedError(f"{request.url} was not requested: the crawl is ending")
        recording = Recording(urldefrag(request.url)[0])
        request.meta[RECORDING_KEY] = recording
        error: Exception | None = None
        try:
            return await self._download(request, recording)
        except Exception as reason:
            error = reason
            raise
        finally:
            recording.truncated = truncation(recording, error)

    async def _download(self, request: Request, recording: Recording) -> Response:
        agent = _ScrapyAgent(
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=_RecordingPool(self._pool, recording),  # type: ignore[arg-type]
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        try:
            with wrap_twisted_exceptions():
                # Closed in the callback, not after the await: asyncio resumes this coroutine one iteration later.
                download: Deferred[Response] = agent.download_request(request).addBoth(recording.close)
                self._under_way.add(download)
                try:
                    return await maybe_deferred_to_future(download)
                finally:
                    self._under_way.discard(download)
        except DownloadCancelledError as error:
            if self._given_up:  # not cancelled because of its length, so it may be tried again
                raise DownloadFailedError(str(error)) from error
            raise
        except ResponseDataLossError:
            if not self._fail_on_dataloss_warned:
                _logger.info(get_dataloss_msg(request.url))
                self._fail_on_dataloss_warned = True
            raise
