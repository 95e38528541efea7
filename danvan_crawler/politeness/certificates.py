"""Reports untrusted certificates to the operator; the crawl continues.

Expired certificates and incomplete chains are common among provincial hosts, and refusing them would lose their pages.
So connections are made without verification, which is Scrapy's default, and each host's certificate is checked once, at
its first response: chain, dates and name, against the certificates that the `certifi` package trusts.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

import certifi
from OpenSSL import crypto
from scrapy.statscollectors import StatsCollector
from service_identity import VerificationError
from service_identity.exceptions import CertificateError
from service_identity.pyopenssl import verify_hostname, verify_ip_address

from danvan_crawler import statistics

_logger = logging.getLogger(__name__)


def why_untrusted(connection: Any, host: str, trusted: crypto.X509Store) -> str | None:
    """Why the peer's certificate cannot be trusted for a host; None if it can.

    `connection` is an OpenSSL.SSL.Connection after its handshake.
    """
    certificate = connection.get_peer_certificate()
    if certificate is None:
        return "no certificate was sent"
    try:
        crypto.X509StoreContext(trusted, certificate, connection.get_peer_cert_chain() or []).verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    try:
        ipaddress.ip_address(host)
        verify_ip_address(connection, host)
    except ValueError:
        try:
            verify_hostname(connection, host)
        except (VerificationError, CertificateError):
            return "it was made for another host name"
    except (VerificationError, CertificateError):
        return "it was made for another address"
    return None


class CertificateChecker:
    """Checks the certificate of each host once; logs problems and adds them to the statistics."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._seen: set[str] = set()
        self._trusted: crypto.X509Store | None = None

    def check(self, host: str, connection: Any) -> None:
        """Called for every TLS connection at its first response."""
        if host in self._seen:
            return
        self._seen.add(host)
        if self._trusted is None:
            self._trusted = crypto.X509Store()
            self._trusted.load_locations(certifi.where())
        reason = why_untrusted(connection, host, self._trusted)
        if reason is not None:
            finding = f"the certificate of {host} cannot be trusted: {reason}"
            _logger.warning("%s", finding)
            known = self._stats.get_value(statistics.UNTRUSTED_CERTIFICATES, [])
            self._stats.set_value(statistics.UNTRUSTED_CERTIFICATES, [*known, finding])
