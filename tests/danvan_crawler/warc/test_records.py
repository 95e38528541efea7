"""An exchange as records."""

from __future__ import annotations

import dataclasses
import gzip
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from danvan_crawler.clock import warc_date
from danvan_crawler.warc.message import entity_body, sha1_base32
from danvan_crawler.warc.packing import pack_exchange
from danvan_crawler.warc.records import (
    build_record,
    build_warcinfo,
    head_facts,
    new_record_id,
    target_uri,
)

DATE = "2026-11-23T07:46:11.123456Z"


def record_texts(data):
    """Decompressed gzip members, one after the other."""
    while data:
        decompressor = zlib.decompressobj(31)
        yield decompressor.decompress(data)
        data = decompressor.unused_data


def test_a_date_always_has_six_digits_of_microseconds():
    assert warc_date(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"


def test_a_date_is_in_utc():
    hanoi = timezone(timedelta(hours=7))
    assert warc_date(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=hanoi)) == "2026-01-01T20:04:05.000006Z"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time with a zone"):
        warc_date(datetime(2026, 1, 2))


def test_dates_sort_as_text():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(microseconds=step) for step in (0, 1, 9, 10, 99_999, 100_000, 999_999, 1_000_000)]
    assert [warc_date(moment) for moment in moments] == sorted(warc_date(moment) for moment in moments)


@pytest.mark.parametrize("level", range(4))
def test_a_record_is_one_gzip_member(level):
    block = b"x" * 1000
    member = build_record(
        "resource", block, record_id=new_record_id(), date=DATE, content_type="text/plain", level=level
    )
    (text,) = record_texts(member)
    assert text.startswith(b"WARC/1.1\r\n")
    assert text.endswith(b"\r\n\r\n" + block + b"\r\n\r\n")


def test_named_fields_come_in_a_fixed_order():
    member = build_record(
        "metadata",
        b"abc",
        record_id="urn:uuid:1",
        date=DATE,
        content_type="text/plain",
        fields=[("WARC-Target-URI", "urn:x"), ("WARC-Concurrent-To", "<a>"), ("WARC-Concurrent-To", "<b>")],
    )
    assert gzip.decompress(member).decode() == (
        "WARC/1.1\r\n"
        "WARC-Type: metadata\r\n"
        "WARC-Record-ID: <urn:uuid:1>\r\n"
        f"WARC-Date: {DATE}\r\n"
        "WARC-Target-URI: urn:x\r\n"
        "WARC-Concurrent-To: <a>\r\n"
        "WARC-Concurrent-To: <b>\r\n"
        "WARC-Block-Digest: sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5\r\n"
        "Content-Type: text/plain\r\n"
        "Content-Length: 3\r\n"
        "\r\n"
        "abc\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nWARC-Type: warcinfo", "a\nb", "a\rb"])
def test_a_field_value_cannot_contain_line_breaks(value):
    with pytest.raises(ValueError, match="WARC-Target-URI"):
        build_record(
            "metadata", b"", record_id="urn:uuid:1", date=DATE, content_type="x/y", fields=[("WARC-Target-URI", value)]
        )


def test_a_valid_uri_is_not_changed():
    url = "https://portal.example:8080/a%20b/(c)?d=[e]&f={g}|h^~!'*;:@,#i"
    assert target_uri(url) == url


def test_a_url_is_converted_to_a_uri():
    assert target_uri("http://portal.example/tỉnh ủy\r\n") == "http://portal.example/t%E1%BB%89nh%20%E1%BB%A7y%0D%0A"


def test_warcinfo_keeps_the_order_and_leaves_out_empty_fields():
    member = build_warcinfo(
        "a.warc.gz",
        {"software": "x", "operator": "", "isPartOf": "thanhhoa-danvan", "description": "two\r\nlines: Tỉnh ủy"},
        record_id="urn:uuid:1",
        date=DATE,
    )
    assert gzip.decompress(member).partition(b"\r\n\r\n")[2].decode() == (
        "software: x\r\n"
        "isPartOf: thanhhoa-danvan\r\n"
        "description: two lines: Tỉnh ủy\r\n"
        "format: WARC File Format 1.1\r\n"
        "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
        "\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"Content-Type: Text/HTML; charset=UTF-8\r\n", "text/html"),
        (b"content-type:application/pdf\r\n", "application/pdf"),
        (b"Content-Type: \r\n", None),
        (b"", None),
    ],
)
def test_the_media_type_is_the_content_type_without_parameters(field, expected):
    assert head_facts(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n").media_type == expected


def test_the_blocks_of_an_exchange_are_the_bytes_given(exchange, nasty):
    packed = pack_exchange(dataclasses.replace(exchange, response=nasty.message), warcinfo_id="urn:uuid:1")
    request, response = record_texts(packed.data)
    assert request.partition(b"\r\n\r\n")[2] == exchange.request + b"\r\n\r\n"
    assert response.partition(b"\r\n\r\n")[2] == nasty.message + b"\r\n\r\n"


def test_the_returned_offset_is_that_of_the_response(exchange):
    packed = pack_exchange(exchange, warcinfo_id="urn:uuid:1")
    (response,) = record_texts(packed.data[packed.response_start :])
    assert b"WARC-Type: response\r\n" in response
    assert f"WARC-Record-ID: <{packed.record_id}>\r\n".encode() in response


def test_the_payload_digest_is_over_the_entity(exchange, nasty):
    packed = pack_exchange(dataclasses.replace(exchange, response=nasty.message), warcinfo_id="urn:uuid:1")
    assert entity_body(nasty.message) == nasty.entity
    assert packed.payload_digest == sha1_base32(nasty.entity)
