"""The exact bytes of an HTTP exchange, out of Scrapy's own HTTP/1.1 handler.

A Scrapy `Response` is an interpretation: header names in title case, transfer framing and (a middleware later) content
coding gone. An archive keeps what was on the wire. `WireDownloadHandler` is Scrapy's handler with a tee on both
directions of the connection; everything Scrapy does (pooling, timeouts, size limits, TLS) stays Scrapy's.

The way of one request:

    WireDownloadHandler.download_request
      makes a Recording, leaves it in request.meta["danvan_exchange"], also when the download fails
      -> Scrapy's agent, given a _RecordingPool: it hands out connections, and makes of the request a _RecordedRequest
      -> _GuardedPool: a cached connection, or a new one whose address the spider's policy allows
      -> _TeeProtocol.request -> _RecordedRequest.writeTo: the Recording begins anew and notes what is sent
      -> _TeeProtocol.dataReceived: notes what arrives, then lets Twisted parse it

Recording begins in `writeTo` because Twisted sends a request again, on a new connection, when a kept-alive one turns
out to be dead: what counts is the last attempt, with its own beginning and its own address.

Where a message ends is Twisted's decision: `_finishResponse(rest)` says how many bytes came after it. Those are kept
apart (`Exchange.surplus`) and the connection is not used again, since the server's idea of where the next message
begins differs from ours. A message that did not end is truncated: "time" (timeout), "length" (DOWNLOAD_MAXSIZE),
"disconnect" (the connection ended first) or "unspecified" (Twisted could not parse it, or a signal handler stopped it).
A body without length ends with the connection; there only an orderly end counts. Over TLS that would be a closing
alert (RFC 9112, 9.8), but so many servers leave it out, and Twisted reports a reset in the same way, that over
TLS any end counts, as it does for browsers.

Refused: proxies, because the guard could not see the real peer, so the settings switch HttpProxyMiddleware off. HTTP/2
is never negotiated: this handler offers no ALPN protocol.

Imported names that begin with an underscore are private to Scrapy or Twisted. The test `test_private_names.py` fails
when one of them moves.
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
from danvan_crawler.politeness.certificates import CertificateWatch
from danvan_crawler.politeness.guard import AddressPolicy, policy_for
from danvan_crawler.warc.message import split_interim
from danvan_crawler.warc.records import Exchange, Truncation

downloads_given_up = object()
"""Scrapy signal: the crawl has to end. What is under way is cut off, and nothing further is asked for."""

_logger = logging.getLogger(__name__)

RECORDING_KEY = "danvan_exchange"
"""Where in `request.meta` the handler leaves the `Recording`; the archiver takes it out."""


@dataclass(slots=True)
class Recording:
    """What passed over the wire for one request: the protocol fills it, the handler closes it, others read it."""

    url: str
    began_at: datetime | None = None
    ip_address: str | None = None
    truncated: Truncation | None = None
    complete: bool = False  # the response message came to its end
    closed: bool = False  # Scrapy has its result; later bytes are the tail of a download that it has given up
    connection: Literal["up", "ended", "cut", "dropped"] = "up"  # in order by the server, in disorder, by us
    _sent: list[bytes] = field(default_factory=list)
    _received: list[bytes] = field(default_factory=list)
    _surplus: int = 0

    def begin(self, ip_address: str) -> None:
        """A request is about to be written to a connection with this peer."""
        self.began_at = clock.now()
        self.ip_address = ip_address.partition("%")[0]  # a zone (fe80::1%eth0) means nothing on other machines
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
        """The parser found the end of the message; so many of the received bytes (0 or more) lie after it."""
        self.complete = self.connection in ("up", "ended")
        self._surplus = surplus

    def connection_lost(self, *, orderly: bool) -> None:
        """The connection went away before an end of the message was seen; for a body without length that is its end.

        A download that was given up has no end: it was Scrapy that hung up.
        """
        self.connection = "dropped" if self.closed else "ended" if orderly else "cut"

    def close(self, result: Any) -> Any:
        """Take no more bytes; passes `result` on, to be a callback and errback."""
        self.closed = True
        return result

    def exchange(self) -> Exchange | None:
        """The exchange for the archive, or None when nothing was received."""
        received = b"".join(self._received)
        if not received or self.began_at is None:
            return None
        end = len(received) - self._surplus
        message, surplus = received[:end], received[end:]
        interim, response = split_interim(message)
        if not response:  # the connection ended after "103 Early Hints": that is then all the response there is
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
    """Why a response is incomplete, in the words of WARC/1.1 section 5.13; None when it is complete.

    A response can be complete though its download failed: when its last bytes were those that passed DOWNLOAD_MAXSIZE.
    """
    if recording.complete:
        return None
    if isinstance(error, DownloadTimeoutError):
        return "time"
    if isinstance(error, DownloadCancelledError):
        return "length"
    return "disconnect" if recording.connection in ("ended", "cut") else "unspecified"


class _TeeTransport:
    """A transport that notes what is written to it; Twisted's `Request` also registers its body's producer there."""

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
    """A Twisted `Request` that knows its recording, so that every connection it is sent over finds it."""

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
    """Scrapy's HTTP/1.1 client protocol with a tee on what arrives.

    It holds the recording of the exchange under way. On an idle connection there is none; bytes that arrive then make
    Twisted drop the connection.
    """

    _recording: Recording | None = None

    def __init__(self, quiescent: Callable[[Any], None], look: Callable[[Any], None]) -> None:
        super().__init__(quiescent)  # type: ignore[no-untyped-call]
        self._look: Callable[[Any], None] | None = look

    def request(self, request: Any) -> Deferred[IResponse]:
        self._recording = request.recording
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        if self._recording is not None:
            self._recording.received(data)
        if self._look is not None and ISSLTransport.providedBy(self.transport):
            self._look(self.transport.getHandle())  # type: ignore[union-attr]  # the check above leaves no None
        self._look = None
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
    """Builds the protocol of a connection that TCP has just made, if its address may be contacted.

    An exception raised here closes the connection and fails the request. It comes before TLS is started.
    """

    def __init__(
        self,
        quiescent: Callable[[Any], None],
        metadata: str,
        check: Callable[[str], None],
        look: Callable[[Any], None],
    ) -> None:
        super().__init__(quiescent, metadata)  # type: ignore[no-untyped-call]
        self._check = check
        self._look = look

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:
        self._check(str(getattr(addr, "host", addr)))
        return _TeeProtocol(self._quiescentCallback, self._look)


class _GuardedPool(HTTPConnectionPool):
    """Scrapy's connection pool, where a new connection is checked against the spider's address policy.

    A cached connection needs no second check: its key holds host and port, and its peer cannot change.
    """

    def __init__(self, reactor: Any, policy: AddressPolicy, watch: CertificateWatch, max_per_host: int) -> None:
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self._policy = policy
        self._watch = watch
        self.maxPersistentPerHost = max_per_host

    def _newConnection(self, key: Any, endpoint: Any) -> Deferred[HTTP11ClientProtocol]:
        _scheme, host, port, *_bind_address = key
        name = host.decode("ascii")
        check, look = partial(self._policy.check, name, port), partial(self._watch.look, name)
        factory = _TeeFactory(partial(self._putConnection, key), repr(endpoint), check, look)
        connection: Deferred[HTTP11ClientProtocol] = endpoint.connect(factory)
        return connection


class _RecordingPool:
    """The pool as Scrapy's agent sees it for one request: same connections, but the request carries its recording."""

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
    """Scrapy's handler for http and https that keeps the bytes; set it for both in `DOWNLOAD_HANDLERS`."""

    _pool: _GuardedPool

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        stock = self._pool  # made by Scrapy and not yet used: its reactor and its limit, with our guard
        assert crawler.stats is not None  # made by the crawler before any component
        watch = CertificateWatch(crawler.stats)
        self._pool = _GuardedPool(stock._reactor, policy_for(crawler.spider), watch, stock.maxPersistentPerHost)
        self._under_way: set[Deferred[Response]] = set()
        self._given_up = False
        crawler.signals.connect(self.give_up, downloads_given_up)

    def give_up(self) -> None:
        """Cuts off what is under way and refuses what comes after it."""
        self._given_up = True
        for download in list(self._under_way):
            download.cancel()

    async def download_request(self, request: Request) -> Response:
        """Scrapy's method of this name, with a recording; raises what Scrapy's raises, and `CaptureRefusedError`."""
        if request.meta.get("proxy"):
            raise CaptureRefusedError(f"refused to fetch {request.url} over a proxy: the real peer would be unknown")
        if self._given_up:
            raise DownloadFailedError(f"{request.url} was not asked for: the crawl is ending")
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
                # Closed in the callback and not after the await: asyncio resumes this coroutine a turn later.
                download: Deferred[Response] = agent.download_request(request).addBoth(recording.close)
                self._under_way.add(download)
                try:
                    return await maybe_deferred_to_future(download)
                finally:
                    self._under_way.discard(download)
        except DownloadCancelledError as error:
            if self._given_up:  # not for its length: this one may be tried again
                raise DownloadFailedError(str(error)) from error
            raise
        except ResponseDataLossError:
            if not self._fail_on_dataloss_warned:
                _logger.warning(get_dataloss_msg(request.url))
                self._fail_on_dataloss_warned = True
            raise
