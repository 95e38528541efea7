"""Bodies that other tools store under a head that was made for other bytes."""

from __future__ import annotations

import pytest

from danvan_crawler.warc.framing import fitting
from danvan_crawler.warc.message import entity_body

PAGE = b"<html><body>Tin</body></html>"


def message(*fields: bytes, body: bytes = PAGE, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Type: text/html", *fields, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "found",
    [
        message(),
        message(b"Content-Length: %d" % len(PAGE)),
        message(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE)),
        message(CHUNKED, body=b"5;a=b\r\n<html\r\n0\r\n\r\n"),
        message(CHUNKED, body=b"ffff\r\n<html>"),  # cut short inside a chunk
        message(CHUNKED, body=b"0\r\n\r\n"),
        message(CHUNKED, body=b""),
        message(b"Content-Length: 100", body=b"", status=b"304 Not Modified"),
        message(b"Content-Encoding: br", body=b"\x1b\x00\xf8\x8d"),
        message(b"Content-Encoding: gzip"),  # the decoder accepts it
        b"no message at all",
        b"",
    ],
)
def test_a_head_that_fits_stays(found: bytes) -> None:
    assert fitting(found) == (found, ())


def test_a_body_that_is_not_chunked_is_read_whole() -> None:
    read, doubts = fitting(message(CHUNKED, b"Content-Length: 7"))
    assert entity_body(read) == PAGE
    assert doubts == ("chunked by their header, but not in their body",)


def test_text_that_begins_like_a_chunk_is_no_chunk() -> None:
    read, doubts = fitting(message(b"transfer-encoding:\tgzip, Chunked", body=b"abc\r\nis a word\r\n" * 300))
    assert entity_body(read) == b"abc\r\nis a word\r\n" * 300
    assert doubts


def test_a_content_length_that_is_too_short_cuts_nothing() -> None:
    read, doubts = fitting(message(b"content-length: 9"))
    assert entity_body(read) == PAGE
    assert doubts == ("with a Content-Length that is shorter than their body",)


def test_a_content_length_that_is_too_long_is_a_doubt_only() -> None:
    found = message(b"Content-Length: 999")
    assert fitting(found) == (found, ("with a Content-Length that is longer than their body",))


def test_markup_under_a_coding_is_not_coded() -> None:
    read, doubts = fitting(message(b"Content-Encoding: br"))
    assert b"Content-Encoding" not in read
    assert doubts == ("whose body is not coded as their header says",)


def test_only_the_wrong_fields_go() -> None:
    read, _ = fitting(message(b"X: 1", CHUNKED, b" , folded", b"Y: 2"))
    assert read == message(b"X: 1", CHUNKED, b" , folded", b"Y: 2")  # its last coding is unknown
    read, _ = fitting(message(b"X: 1", b"Transfer-Encoding:", b" chunked", b"Y: 2"))
    assert read == message(b"X: 1", b"Y: 2")
