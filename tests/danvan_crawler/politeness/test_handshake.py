"""The length of a Diffie-Hellman key in the bytes of a handshake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.politeness.handshake import MOST, Handshake

HELLO, CERTIFICATE, DONE = (2, b"\x03\x01" + bytes(70)), (11, bytes(800)), (14, b"")


def key_exchange(bits: int) -> tuple[int, bytes]:
    """ServerKeyExchange with prime, generator, public value and a signature."""
    prime = (1 << (bits - 1) | 1).to_bytes((bits + 7) // 8, "big")
    return 12, b"".join(len(part).to_bytes(2, "big") + part for part in (prime, b"\2", prime)) + bytes(130)


def flight(*messages: tuple[int, bytes], record: int = 16384) -> bytes:
    """Handshake messages in records of this length."""
    clear = b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in messages)
    parts = [clear[start : start + record] for start in range(0, len(clear), record)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


def read(*pieces: bytes) -> int | None:
    handshake = Handshake()
    for piece in pieces:
        handshake.feed(piece)
    return handshake.dh_bits


@pytest.mark.parametrize("bits", [512, 767, 768, 1024, 2048, 4096])
@pytest.mark.parametrize("record", [16384, 100, 1])
def test_the_length_of_the_prime_is_read_however_the_messages_are_cut(bits: int, record: int) -> None:
    assert read(flight(HELLO, CERTIFICATE, key_exchange(bits), DONE, record=record)) == bits


def test_bytes_may_arrive_one_by_one() -> None:
    data = flight(HELLO, CERTIFICATE, key_exchange(1024), DONE)
    assert read(*(data[at : at + 1] for at in range(len(data)))) == 1024


def test_a_key_on_a_curve_has_no_prime() -> None:
    assert read(flight(HELLO, CERTIFICATE, (12, b"\x03\x00\x1d" + bytes(100)), DONE)) is None


@pytest.mark.parametrize(
    "data", [flight(HELLO, CERTIFICATE, DONE), flight(HELLO) + b"\x17\x03\x03\0\1x", b"HTTP/1.1 400"]
)
def test_without_the_message_there_is_no_length(data: bytes) -> None:
    assert read(data, flight(key_exchange(512))) is None


def test_what_comes_later_is_not_read() -> None:
    assert read(flight(HELLO, key_exchange(1024), DONE), flight(key_exchange(512))) == 1024


def test_a_handshake_without_end_is_not_kept() -> None:
    handshake = Handshake()
    for _ in range(MOST // 16384 + 2):
        handshake.feed(b"\x16\x03\x01\x3f\xfb" + bytes([11, 255, 255, 255]) + bytes(16375))
    handshake.feed(flight(key_exchange(512)))
    assert handshake.dh_bits is None
    assert not handshake._arrived


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    read(*pieces)
    read(b"\x16\x03\x01", *pieces)
