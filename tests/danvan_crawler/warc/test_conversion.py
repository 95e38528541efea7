"""Headers as other tools write them: what the standard demands is mended, and nothing else."""

from __future__ import annotations

import pytest

from danvan_crawler.warc.conversion import UnsupportedVersionError, conform, moment, target
from danvan_crawler.warc.members import parse_header

REGULAR = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
    b"WARC-Date: 2009-03-06T16:43:19Z\r\nWARC-Target-URI: <http://example.vn/a b>\r\nX-Tool:  odd   spacing\r\n"
    b"Content-Length: 3\r\n\r\n"
)


def test_a_header_in_the_prescribed_form_stays_byte_for_byte() -> None:
    assert conform(REGULAR) == (REGULAR, ())
    newer = REGULAR.replace(b"WARC/1.0", b"WARC/1.1").replace(b"19Z", b"19.123456789Z")
    assert conform(newer) == (newer, ())


@pytest.mark.parametrize("version", ["0.17", "0.18"])
def test_a_draft_becomes_the_standard_and_keeps_its_version(version: str) -> None:
    header, changes = conform(REGULAR.replace(b"WARC/1.0", f"WARC/{version}".encode()))
    assert changes[0] == f"WARC/{version}"
    assert header.startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
    assert f"\r\nX-Source-Version: WARC/{version}\r\n".encode() in header
    assert header.endswith(b"\r\n\r\n")


def test_the_standard_has_neither_brackets_around_a_target_nor_profiles_of_drafts() -> None:
    draft = REGULAR.replace(b"WARC/1.0", b"WARC/0.18").replace(
        b"X-Tool:  odd   spacing",
        b"WARC-Profile: http://netpreserve.org/warc/0.18/revisit/identical-payload-digest",
    )
    headers = parse_header(conform(draft).header)
    assert headers["WARC-Target-URI"] == "http://example.vn/a b"
    assert headers["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    assert headers["X-Source-WARC-Profile"] == "http://netpreserve.org/warc/0.18/revisit/identical-payload-digest"


@pytest.mark.parametrize(
    "first_line",
    [b"WARC/0.16", b"WARC/0.9", b"warc/0.9 123 response http://a/ 20060101000000", b"WARC/1.2", b"WARC/2.0"],
)
def test_other_versions_are_unsupported_and_named(first_line: bytes) -> None:
    version = first_line.split()[0].decode().upper()
    with pytest.raises(UnsupportedVersionError, match=f"{version} is not supported"):
        conform(REGULAR.replace(b"WARC/1.0", first_line))


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"WARCS/1.0\r\n\r\n", b"WARC/x.y\r\n\r\n"])
def test_what_is_no_record_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a WARC record"):
        conform(text)


def test_lines_that_end_in_lf_get_the_end_of_the_standard() -> None:
    assert conform(REGULAR.replace(b"\r\n", b"\n")) == (REGULAR.replace(b"  odd", b"  odd"), ("line ends",))


def test_a_folded_line_becomes_one_line() -> None:
    folded = REGULAR.replace(b"WARC-Type: response", b"WARC-Type: \r\n\tresponse")
    header, changes = conform(folded)
    assert changes == ("folded lines",)
    assert parse_header(header)["WARC-Type"] == "response"


def test_ids_get_their_brackets() -> None:
    bare = REGULAR.replace(b"<urn:uuid:", b"").replace(b"0001>", b"0001\r\nWARC-Warcinfo-ID: <urn:uuid:1>")
    header, changes = conform(bare)
    assert changes == ("WARC-Record-ID",)
    assert parse_header(header)["WARC-Record-ID"] == "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    assert b"\r\nX-Source-WARC-Record-ID: 00000000-0000-4000-8000-000000000001\r\n" in header


def test_a_replaced_date_is_kept() -> None:
    header, changes = conform(REGULAR.replace(b"2009-03-06T16:43:19Z", b"2009-03-06T23:43:19+07:00"))
    assert changes == ("WARC-Date",)
    headers = parse_header(header)
    assert headers["WARC-Date"] == "2009-03-06T16:43:19Z"
    assert headers["X-Source-WARC-Date"] == "2009-03-06T23:43:19+07:00"


def test_a_target_in_raw_utf_8_is_encoded_and_kept() -> None:
    header, changes = conform(REGULAR.replace(b"<http://example.vn/a b>", "http://example.vn/hội".encode()))
    assert changes == ("WARC-Target-URI",)
    headers = parse_header(header)
    assert headers["WARC-Target-URI"] == "http://example.vn/h%E1%BB%99i"
    assert headers["X-Source-WARC-Target-URI"] == "http://example.vn/hội"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-05-23T01:02:03Z", "2019-05-23T01:02:03Z"),
        ("2019-05-23T01:02:03.123456789Z", "2019-05-23T01:02:03.123456789Z"),
        ("2019-05-23t01:02:03z", "2019-05-23T01:02:03Z"),
        ("2019-05-23T01:02:03", "2019-05-23T01:02:03Z"),
        ("2019-05-23T08:02:03+07:00", "2019-05-23T01:02:03Z"),
        ("2018-12-31T20:02:03.5-0500", "2019-01-01T01:02:03.5Z"),
        ("20190523010203", "2019-05-23T01:02:03Z"),
        ("2009-03-65T08:43:19-0800", "2009-03-06T16:43:19Z"),
        ("2008-10-294T05:21:46-0700", "2008-10-20T12:21:46Z"),
        ("2009-04-65T08:43:19-0800", None),  # day 65 is not in April
        ("2019-05-23", None),
        ("2019-02-30T00:00:00Z", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("0000-01-01T00:00:00Z", None),
        ("２０１９0523010203", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_that_means_one_moment_is_read(text: str, expected: str | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://example.vn/a%20b c", "http://example.vn/a%20b c"),
        ("http://bandânvận.example:8080/hội?a=ộ", "http://xn--bandnvn-swa9579d.example:8080/h%E1%BB%99i?a=%E1%BB%99"),
        ("<http://example.vn/ộ>", "<http://example.vn/%E1%BB%99>"),
        ("urn:pageinfo:ộ", "urn:pageinfo:%E1%BB%99"),
    ],
)
def test_a_target_is_printable_ascii(value: str, expected: str) -> None:
    assert target(value.encode()).decode() == expected


def test_a_target_in_another_encoding_keeps_its_bytes() -> None:
    assert target(b"http://example.vn/h\xf4i") == b"http://example.vn/h%F4i"
    assert target(b"http://example.vn/a\x01") == b"http://example.vn/a%01"
