"""How long the Diffie-Hellman key of a server is, read from the bytes of its TLS handshake.

pyOpenSSL reports the protocol, the cipher and the certificate of a connection, but not this length. Up to TLS 1.2 the
server sends the key in a ServerKeyExchange message, in the clear (RFC 5246, sections 6.2.1 and 7.4.3). In TLS 1.3 all
groups are strong, and the message does not exist.
"""

from __future__ import annotations

MOST = 64 * 1024
"""Bytes of a handshake that are read; a chain of certificates has a few thousand."""
_RECORD_HEAD, _MESSAGE_HEAD = 5, 4
_HANDSHAKE = 22
_SERVER_KEY_EXCHANGE, _SERVER_HELLO_DONE = 12, 14
_NAMED_CURVE = 3
"""First byte of the message if the key is on an elliptic curve (RFC 8422, section 5.4). Otherwise it is the first byte
of the prime's length, which is 3 for primes of 6,144 bits and more: these count as curves here, and are strong too."""


class Handshake:
    """The first bytes that a server sends on a connection, until the length of its key is known."""

    def __init__(self) -> None:
        self.dh_bits: int | None = None
        """Length of the server's Diffie-Hellman prime in bits; None if it uses none, or if it has not arrived yet."""
        self._arrived = bytearray()
        self._ended = False

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Takes bytes as they arrive. Bytes that are not those of a handshake end the reading."""
        if self._ended:
            return
        self._arrived += data
        clear, self._ended = _handshake_of(self._arrived)
        for kind, body in _messages(clear):
            if kind == _SERVER_KEY_EXCHANGE:
                self.dh_bits = _dh_bits(body)
            self._ended |= kind in (_SERVER_KEY_EXCHANGE, _SERVER_HELLO_DONE)
        if self._ended or len(self._arrived) > MOST:
            self._ended = True
            self._arrived.clear()


def _handshake_of(data: bytes | bytearray) -> tuple[bytes, bool]:
    """The content of the complete handshake records at the beginning, and whether another kind of record follows."""
    found, at = bytearray(), 0
    while len(data) >= at + _RECORD_HEAD:
        if data[at] != _HANDSHAKE:
            return bytes(found), True
        end = at + _RECORD_HEAD + int.from_bytes(data[at + 3 : at + 5], "big")
        if len(data) < end:
            break
        found += data[at + _RECORD_HEAD : end]
        at = end
    return bytes(found), False


def _messages(clear: bytes) -> list[tuple[int, bytes]]:
    """The complete handshake messages: type and body."""
    found, at = [], 0
    while len(clear) >= at + _MESSAGE_HEAD:
        end = at + _MESSAGE_HEAD + int.from_bytes(clear[at + 1 : at + 4], "big")
        if len(clear) < end:
            break
        found.append((clear[at], clear[at + _MESSAGE_HEAD : end]))
        at = end
    return found


def _dh_bits(body: bytes) -> int | None:
    """Length of the prime in a ServerKeyExchange message; None for a curve or an empty message."""
    if len(body) < 3 or body[0] == _NAMED_CURVE:
        return None
    length = int.from_bytes(body[:2], "big")
    return int.from_bytes(body[2 : 2 + length], "big").bit_length()
