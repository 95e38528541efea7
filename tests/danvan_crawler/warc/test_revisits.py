"""Revisit records as they are written, and the response that they give when they are read."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from danvan_crawler.warc.message import entity_body, sha1_base32
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import IDENTICAL_PAYLOAD, NOT_MODIFIED, Revisit
from danvan_crawler.warc.revisits import is_not_modified, reference_of, whole_response

NOTHING_NEW = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


@pytest.fixture
def written(make_writer, exchange):
    """Writes an exchange and a revisit to it; returns the path, the first capture and that of the revisit."""

    def write(profile, again, first=None):
        writer = make_writer()
        original = writer.write_exchange(dataclasses.replace(exchange, response=first or exchange.response))
        reference = Revisit(profile, original.warc_record_id, original.url, original.date, original.payload_digest)
        later = dataclasses.replace(exchange, response=again, began_at=exchange.began_at + timedelta(days=1))
        capture = writer.write_exchange(later, revisit=reference)
        (path,) = writer.close()
        return path, original, capture

    return write


def responses(path: Path):
    return list(iter_records(path, types=("response", "revisit")))


@pytest.mark.parametrize("profile", [IDENTICAL_PAYLOAD, NOT_MODIFIED])
def test_a_revisit_refers_to_its_original_by_id_address_and_date(written, check_structure, exchange, profile):
    path, original, capture = written(profile, exchange.response if profile == IDENTICAL_PAYLOAD else NOTHING_NEW)
    [record] = [record for record in check_structure(path) if record.type == "revisit"]
    assert record.get("WARC-Record-ID") == f"<{capture.warc_record_id}>"
    assert record.get("WARC-Profile") == profile
    assert record.get("WARC-Refers-To") == f"<{original.warc_record_id}>"
    assert record.get("WARC-Refers-To-Target-URI") == original.url
    assert record.get("WARC-Refers-To-Date") == original.date
    assert record.get("WARC-Payload-Digest") == original.payload_digest


def test_a_revisit_of_an_identical_payload_keeps_the_head_and_is_marked_as_truncated(
    written, check_structure, exchange
):
    path, _, _ = written(IDENTICAL_PAYLOAD, exchange.response)
    [record] = [record for record in check_structure(path) if record.type == "revisit"]
    assert record.block == exchange.response.removesuffix(b"hello")
    assert record.get("WARC-Truncated") == "length"


def test_a_304_is_stored_completely(written, check_structure):
    path, _, _ = written(NOT_MODIFIED, NOTHING_NEW)
    [record] = [record for record in check_structure(path) if record.type == "revisit"]
    assert record.block == NOTHING_NEW
    assert record.get("WARC-Truncated") is None


def test_the_request_comes_before_its_revisit_and_names_it(written, check_structure):
    path, _, capture = written(NOT_MODIFIED, NOTHING_NEW)
    request, revisit = check_structure(path)[-2:]
    assert (request.type, revisit.type) == ("request", "revisit")
    assert request.get("WARC-Concurrent-To") == f"<{capture.warc_record_id}>"
    assert revisit.offset == capture.warc_offset


def test_a_capture_of_an_identical_payload_is_complete(written, exchange):
    _, original, capture = written(IDENTICAL_PAYLOAD, exchange.response)
    assert (capture.status, capture.truncated, capture.refers_to) == (200, None, original.warc_record_id)
    assert capture.payload_digest == original.payload_digest == sha1_base32(b"hello")


def test_a_capture_of_a_304_has_its_status_and_the_digest_of_its_original(written):
    _, original, capture = written(NOT_MODIFIED, NOTHING_NEW)
    assert (capture.status, capture.etag, capture.refers_to) == (304, '"a"', original.warc_record_id)
    assert capture.payload_digest == original.payload_digest


def test_warcio_reads_both_and_accepts_the_digests(written, exchange):
    for profile, again in ((IDENTICAL_PAYLOAD, exchange.response), (NOT_MODIFIED, NOTHING_NEW)):
        path, _, _ = written(profile, again)
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, check_digests="raise"):
                record.content_stream().read()


def test_interim_responses_stay_concurrent_to_a_revisit(make_writer, check_structure, exchange):
    writer = make_writer()
    first = writer.write_exchange(exchange)
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    revisit = Revisit(IDENTICAL_PAYLOAD, first.warc_record_id, first.url, first.date, first.payload_digest)
    again = writer.write_exchange(dataclasses.replace(exchange, interim=hints), revisit=revisit)
    (path,) = writer.close()
    last = check_structure(path)[-1]
    assert (last.type, last.block) == ("metadata", hints)
    assert last.get("WARC-Concurrent-To") == f"<{again.warc_record_id}>"


# Reading back


def test_a_revisit_gives_its_own_head_with_the_payload_of_its_original(written, exchange):
    again = b"HTTP/1.1 200 OK\r\nX-Day: two\r\nContent-Length: 5\r\n\r\nhello"
    path, _, _ = written(IDENTICAL_PAYLOAD, again)
    original, revisit = responses(path)
    assert whole_response(revisit, original) == again


@pytest.mark.parametrize("first", [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\nhello"])
@pytest.mark.parametrize("again", [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\nhello", b"HTTP/1.0 200 OK\n\nhello"])
def test_the_payload_is_framed_according_to_the_head(written, first, again):
    path, _, _ = written(IDENTICAL_PAYLOAD, again, first)
    original, revisit = responses(path)
    whole = whole_response(revisit, original)
    assert entity_body(whole) == b"hello"
    assert whole.startswith(revisit.block)


def test_a_304_gives_the_response_that_it_confirms(written, exchange):
    path, _, _ = written(NOT_MODIFIED, NOTHING_NEW)
    original, revisit = responses(path)
    assert is_not_modified(revisit)
    assert whole_response(revisit, original) == exchange.response


def test_a_reference_matches_only_its_original(written, exchange):
    path, _, _ = written(IDENTICAL_PAYLOAD, exchange.response)
    original, revisit = responses(path)
    reference = reference_of(revisit)
    assert reference is not None
    assert reference.matches(original)
    assert not reference.matches(revisit)
    assert reference_of(original) is None


def test_a_revisit_of_another_tool_names_its_record_by_address_and_date(written, exchange, tmp_path):
    path, original, _ = written(IDENTICAL_PAYLOAD, exchange.response)
    first, _ = responses(path)
    out = BytesIO()
    writer = WARCWriter(out, gzip=True)
    writer.write_record(
        writer.create_revisit_record(original.url, original.payload_digest, original.url, original.date)
    )
    foreign = tmp_path / "foreign.warc.gz"
    foreign.write_bytes(out.getvalue())
    [revisit] = iter_records(foreign)
    reference = reference_of(revisit)
    assert reference is not None
    assert reference.record_id is None
    assert reference.matches(first)
    assert whole_response(revisit, first) == first.block
