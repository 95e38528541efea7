"""Old encryption, for sites whose profile has `legacy_tls = true`.

Without it, TLS 1.0 and 1.1 (RFC 8996), SHA-1 signatures, and keys of less than 2,048 bits are refused (OpenSSL's
security level 2). Some portals have nothing better. A page that was fetched over old encryption is better than no page:
what is archived is public, and certificates need not be trusted either (`politeness.certificates`). So security level 0
is allowed here, and the best that the server offers is used. What would have been refused is reported.

At every level, OpenSSL refuses a Diffie-Hellman prime of less than 1,024 bits. After such a failure, the next
connection to that host offers no Diffie-Hellman over integers, so the server has to choose something else. Scrapy's
retry makes this connection.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from OpenSSL import SSL
from scrapy.statscollectors import StatsCollector
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer  # type: ignore[import-untyped]

from danvan_crawler import statistics
from danvan_crawler.politeness.guard import is_address
from danvan_crawler.politeness.handshake import Handshake

_CIPHERS = b"DEFAULT:@SECLEVEL=0"
_WITHOUT_DH = b"DEFAULT:!kDHE:!aNULL:@SECLEVEL=0"
_REFUSED_BITS = 1024
"""A shorter prime is refused at every security level (OpenSSL, SSL_CTX_set_security_level)."""
STRONG_BITS = 2048
"""Length of RSA keys and Diffie-Hellman primes from which security level 2 accepts them; of ECDSA keys it is 224."""
STRONG_CURVE_BITS = 224
_OLD_PROTOCOLS = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1"}
_OLD_HASHES = {"md5": "MD5", "sha1": "SHA-1"}

Buffer = bytes | bytearray | memoryview

_logger = logging.getLogger(__name__)


def weaknesses(connection: SSL.Connection, dh_bits: int | None) -> list[str]:
    """What security level 2 and TLS 1.2 would have refused of a connection, in words. `dh_bits`: of `Handshake`."""
    found = []
    if (protocol := _OLD_PROTOCOLS.get(connection.get_protocol_version_name())) is not None:
        found.append(protocol)
    if dh_bits is not None and dh_bits < STRONG_BITS:
        found.append(f"a Diffie-Hellman key of {dh_bits} bits")
    certificate = connection.get_peer_certificate()
    if certificate is None:
        return found
    with suppress(Exception):  # old certificates have contents that cryptography refuses, each with another error
        key = certificate.to_cryptography().public_key()
        bits = getattr(key, "key_size", STRONG_BITS)
        if bits < (STRONG_CURVE_BITS if hasattr(key, "curve") else STRONG_BITS):
            found.append(f"a certificate with a key of {bits} bits")
    with suppress(Exception):
        algorithm = certificate.to_cryptography().signature_hash_algorithm
        if algorithm is not None and algorithm.name in _OLD_HASHES:
            found.append(f"a certificate signed with {_OLD_HASHES[algorithm.name]}")
    return found


def _context(ciphers: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)  # servers without RFC 5746, as Scrapy allows for all sites
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_cipher_list(ciphers)  # last: before pyOpenSSL 25.2, the context cannot be changed after this
    return context


@implementer(IPolicyForHTTPS)
class LegacyTls:
    """Twisted's policy for connections, and the check of each of them; it reports every host once."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._context, self._context_without_dh = _context(_CIPHERS), _context(_WITHOUT_DH)
        self._short_dh: dict[str, int] = {}
        """Host -> length of its Diffie-Hellman prime, if that was refused."""
        self._seen: set[str] = set()
        self._handshakes: WeakKeyDictionary[SSL.Connection, Handshake] = WeakKeyDictionary()

    def creatorForNetloc(self, hostname: bytes, port: int) -> _Creator:
        return _Creator(self, hostname.decode("ascii"))

    def connection(self, host: str) -> SSL.Connection:
        """A new connection to a host, without a socket."""
        context = self._context_without_dh if host in self._short_dh else self._context
        connection = SSL.Connection(context, None)
        handshake = self._handshakes[connection] = Handshake()
        if not is_address(host):
            connection.set_tlsext_host_name(host.encode("ascii"))
        write = connection.bio_write

        def bio_write(data: Buffer) -> int:
            handshake.feed(data)
            if handshake.dh_bits is not None and handshake.dh_bits < _REFUSED_BITS:
                self._short_dh[host] = handshake.dh_bits
            return write(data)

        connection.bio_write = bio_write  # type: ignore[method-assign, assignment]  # Twisted calls it with received bytes
        return connection

    def check(self, host: str, connection: Any) -> None:
        """Called for every TLS connection at its first response."""
        if host in self._seen:
            return
        self._seen.add(host)
        found = weaknesses(connection, self._handshakes[connection].dh_bits)
        if host in self._short_dh:
            found.append(f"a Diffie-Hellman key of {self._short_dh[host]} bits, which was not used")
        if not found:
            return
        finding = f"the encryption of {host} is outdated: {', '.join(found)}"
        _logger.info("%s", finding)
        known = self._stats.get_value(statistics.OUTDATED_TLS, [])
        self._stats.set_value(statistics.OUTDATED_TLS, [*known, finding])


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    def __init__(self, policy: LegacyTls, host: str) -> None:
        self._policy, self._host = policy, host

    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return self._policy.connection(self._host)
