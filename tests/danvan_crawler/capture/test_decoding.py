"""Strict decoding of content codings."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.capture.decoding import decode_body
from danvan_crawler.exceptions import TooLargeError, UndecodableBodyError

PAGE = b"<html>" + b"d\xc3\xa2n v\xe1\xba\xadn " * 5000
RAW_DEFLATE = zlib.compress(PAGE)[2:-4]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(PAGE)),
        ("x-gzip", gzip.compress(PAGE)),
        (" GZIP ", gzip.compress(PAGE)),
        ("gzip", gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:])),
        ("gzip", gzip.compress(PAGE) + b"\0\0\r\n"),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", RAW_DEFLATE),
        ("identity", PAGE),
        ("", PAGE),
        ("gzip", PAGE),
        ("deflate", PAGE),
    ],
    ids=[
        "gzip",
        "x-gzip",
        "case",
        "two members",
        "padding",
        "zlib",
        "raw",
        "identity",
        "empty",
        "no gzip",
        "no deflate",
    ],
)
def test_a_body_is_decoded_as_browsers_do(coding: str, body: bytes) -> None:
    assert decode_body(body, [coding], 0) == PAGE


def test_codings_are_decoded_last_one_first() -> None:
    assert decode_body(gzip.compress(zlib.compress(PAGE)), ["deflate", "gzip"], 0) == PAGE


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(PAGE)[:-1]),
        ("gzip", gzip.compress(PAGE)[:20]),
        ("gzip", gzip.compress(PAGE)[:-8] + b"\0" * 8),
        ("gzip", gzip.compress(PAGE) + gzip.compress(PAGE)[:30]),
        ("deflate", zlib.compress(PAGE)[:-3]),
        ("deflate", RAW_DEFLATE[:-5]),
        ("br", PAGE),
        ("zstd", PAGE),
    ],
    ids=["cut by one", "cut early", "checksum", "second member cut", "zlib cut", "raw cut", "br", "zstd"],
)
def test_a_body_that_cannot_be_decoded_completely_is_refused(coding: str, body: bytes) -> None:
    with pytest.raises(UndecodableBodyError):
        decode_body(body, [coding], 0)


def test_a_decompression_bomb_is_refused_before_it_is_decompressed() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(TooLargeError, match="larger than 1,000,000 bytes"):
        decode_body(bomb, ["gzip"], 1_000_000)


@pytest.mark.parametrize("first", [0, 1, 999_999, 1_000_000])
def test_a_bomb_in_a_further_gzip_member_is_refused_by_the_same_limit(first: int) -> None:
    bomb = gzip.compress(b"\0" * first) + gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(TooLargeError, match="larger than 1,000,000 bytes"):
        decode_body(bomb, ["gzip"], 1_000_000)


def test_a_body_of_exactly_the_maximum_size_is_accepted() -> None:
    assert decode_body(gzip.compress(PAGE), ["gzip"], len(PAGE)) == PAGE


@given(st.binary(max_size=200), st.lists(st.sampled_from(["gzip", "deflate", "identity", "br"]), max_size=2))
def test_any_bytes_are_decoded_or_refused(body: bytes, codings: list[str]) -> None:
    with contextlib.suppress(UndecodableBodyError):
        assert isinstance(decode_body(body, codings, 1000), bytes)
