"""Reading the gzip members of a file one by one."""

from __future__ import annotations

import gzip
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.warc.members import BrokenRecordError, MemberWalker
from danvan_crawler.warc.records import build_record, new_record_id

HEADER = (
    b"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-11-23T07:46:11Z\r\n"
    b"Content-Length: 3\r\n\r\n"
)


def record(block):
    return build_record("resource", block, record_id=new_record_id(), date="2026-11-23T07:46:11Z", content_type="a/b")


def walk(data, offset=0):
    walker = MemberWalker(BytesIO(data), offset)
    while (member := walker.next()) is not None:
        yield member


def test_an_empty_file_has_no_members():
    assert list(walk(b"")) == []


def test_members_are_found_one_after_another():
    records = [record(b"a" * size) for size in (0, 1, 70_000, 5)]
    members = list(walk(b"".join(records)))
    assert [len(member.block or b"") for member in members] == [0, 1, 70_000, 5]
    assert [member.end - member.offset for member in members] == [len(data) for data in records]


def test_reading_can_begin_at_any_member():
    first, second = record(b"first"), record(b"second")
    assert [member.block for member in walk(first + second, len(first))] == [b"second"]


@pytest.mark.parametrize("around", [-1, 0, 1])
@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 3 << 20])
def test_blocks_about_as_large_as_a_read_buffer_are_complete(size, around):
    blocks = [b"0" * (size - overhead + around) for overhead in (0, 300, 304)]
    assert [member.block for member in walk(b"".join(map(record, blocks)))] == blocks


@given(st.lists(st.binary(max_size=3000), max_size=5))
def test_any_blocks_are_read_as_written(blocks):
    assert [member.block for member in walk(b"".join(map(record, blocks)))] == blocks


def test_a_skipped_block_is_not_kept():
    walker = MemberWalker(BytesIO(record(b"first") + record(b"second")))
    first = walker.next(lambda headers: False)
    assert first is not None
    assert first.block is None
    second = walker.next()
    assert second is not None
    assert second.block == b"second"


def test_a_skipped_block_is_checked():
    data = bytearray(record(b"first"))
    data[-5] ^= 1
    with pytest.raises(BrokenRecordError):
        MemberWalker(BytesIO(data)).next(lambda headers: False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no end of header"),
        (b"no record at all", "no end of header"),
        (b"x" * 200_000, "no end of header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n", "not a WARC record"),
        (HEADER + b"abc", "its length"),
        (HEADER + b"abc\r\n\r\nmore", "its length"),
        (HEADER + b"abcd\r\n\r\n", "its length"),
        (HEADER + b"ab\r\n\r\n", "its length"),
        (HEADER + b"abc----", "its length"),
        (HEADER.replace(b": 3", b": three") + b"abc\r\n\r\n", "its Content-Length is 'three'"),
        (HEADER.replace(b": 3", b": -3") + b"abc\r\n\r\n", "its Content-Length is '-3'"),
        (HEADER.replace(b"Content-Length", b"X") + b"abc\r\n\r\n", "it has no Content-Length"),
        (HEADER.replace(b"WARC-Date", b"X") + b"abc\r\n\r\n", "it has no WARC-Date"),
        (HEADER.replace(b"WARC-Type", b"X") + b"abc\r\n\r\n", "it has no WARC-Type"),
        (HEADER.replace(b"WARC-Record-ID", b"X") + b"abc\r\n\r\n", "it has no WARC-Record-ID"),
    ],
)
def test_an_incomplete_or_invalid_record_is_broken(text, reason):
    good = record(b"good")
    walker = MemberWalker(BytesIO(good + gzip.compress(text)))
    walker.next()
    with pytest.raises(BrokenRecordError, match=reason) as error:
        walker.next()
    assert error.value.offset == len(good)


def test_a_member_cut_at_any_byte_is_broken():
    data = record(b"some block")
    for cut in range(1, len(data)):
        with pytest.raises(BrokenRecordError):
            list(walk(data[:cut]))


def test_a_flipped_bit_is_found_or_has_no_effect():
    # Fields of the gzip header and padding after the last deflate block do not affect the record.
    data = record(b"some block")
    (good,) = walk(data)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with suppress(BrokenRecordError):
            (member,) = walk(bytes(changed))
            assert (member.block, member.headers) == (good.block, good.headers)
