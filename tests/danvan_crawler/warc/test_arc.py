"""ARC files, made by hand after the description of the format, as WARC records."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.arc import parse_line
from danvan_crawler.warc.sources import Gap, SourceRecord, source_records

FIELDS = b"URL IP-address Archive-date Content-type Archive-length\n"
FIELDS_2 = b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + bytes(range(256)) * 40


def document(url: str, body: bytes, *, date: str = "20010906120000", ip: str = "192.0.2.1", more: str = "") -> bytes:
    return f"{url} {ip} {date} text/html {more}{len(body)}\n".encode() + body + b"\n"


def version_block(version: str = "1 0", fields: bytes = FIELDS, more: str = "") -> bytes:
    block = version.encode() + b" Example\n" + fields
    return f"filedesc://IA-000001.arc 0.0.0.0 20010906120000 text/plain {more}{len(block)}\n".encode() + block + b"\n"


DOCUMENTS = [
    version_block(),
    document("dns:example.vn", b"20010906120000\nexample.vn. 300 IN A 192.0.2.1\n"),
    document("http://example.vn/tin/1.html", PAGE),
    document("http://example.vn/tin/2.html?a=b c", b"HTTP/1.0 404 Not Found\n\nnone", date="20010906120001", ip="-"),
    document("http://example.vn/tin/3.html", b"<html>an answer without a head</html>"),
]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[SourceRecord]]:
    def records(data: bytes, gaps: list[Gap] | None = None) -> list[Any]:
        path = tmp_path / "source"
        path.write_bytes(data)
        found = []
        for each in source_records(path, on_gap=None if gaps is None else gaps.append):
            packed = gzip.decompress(b"".join(each.packed))
            block = b"".join(each.block())
            assert packed.partition(b"\r\n\r\n")[2] == block + b"\r\n\r\n"
            found.append((each, dict(each.headers.items()), block))
        return found

    return records


def test_every_document_is_a_record_with_its_bytes(read: Callable[..., Any]) -> None:
    found = read(b"".join(DOCUMENTS))
    assert [headers["WARC-Type"] for _, headers, _ in found] == [
        "warcinfo",
        "resource",
        "response",
        "response",
        "resource",
    ]
    assert [block for _, _, block in found] == [each.partition(b"\n")[2][:-1] for each in DOCUMENTS]
    assert {each.version for each, _, _ in found} == {"ARC 1.0"}


def test_the_fields_of_a_line_are_fields_of_the_record(read: Callable[..., Any]) -> None:
    _, headers, block = read(b"".join(DOCUMENTS))[2]
    digest = "sha1:" + base64.b32encode(hashlib.sha1(PAGE).digest()).decode()
    assert headers.pop("WARC-Record-ID").startswith("<urn:uuid:")
    assert headers == {
        "WARC-Type": "response",
        "WARC-Date": "2001-09-06T12:00:00Z",
        "WARC-Target-URI": "http://example.vn/tin/1.html",
        "WARC-IP-Address": "192.0.2.1",
        "WARC-Block-Digest": digest,
        "Content-Type": "application/http;msgtype=response",
        "X-Source-ARC-Header": f"http://example.vn/tin/1.html 192.0.2.1 20010906120000 text/html {len(PAGE)}",
        "Content-Length": str(len(block)),
    }


def test_the_version_block_is_a_warcinfo_record_without_a_target(read: Callable[..., Any]) -> None:
    _, headers, block = read(b"".join(DOCUMENTS))[0]
    assert (headers["Content-Type"], block) == ("text/plain", b"1 0 Example\n" + FIELDS)
    assert "WARC-Target-URI" not in headers
    assert "WARC-IP-Address" not in headers


def test_a_space_in_an_address_is_encoded_and_the_line_kept(read: Callable[..., Any]) -> None:
    _, headers, _ = read(b"".join(DOCUMENTS))[3]
    assert headers["WARC-Target-URI"] == "http://example.vn/tin/2.html?a=b%20c"
    assert headers["X-Source-ARC-Header"].startswith("http://example.vn/tin/2.html?a=b c - 20010906120001 ")


def test_what_is_no_http_message_keeps_the_type_of_its_line(read: Callable[..., Any]) -> None:
    found = read(b"".join(DOCUMENTS))
    assert found[4][1]["Content-Type"] == "text/html"
    assert found[1][1]["Content-Type"] == "text/dns"


def test_version_2_has_ten_fields(read: Callable[..., Any]) -> None:
    more = "200 e7c1 - 20010906 IA-000001.arc "
    data = version_block("2 0", FIELDS_2, "200 - - 0 IA-000001.arc ") + document(
        "http://example.vn/a b", PAGE, more=more
    )
    info, page = read(data)
    assert {info[0].version, page[0].version} == {"ARC 2.0"}
    assert (page[1]["WARC-Target-URI"], page[1]["WARC-Date"]) == ("http://example.vn/a%20b", "2001-09-06T12:00:00Z")
    assert page[2] == PAGE


@pytest.mark.parametrize(
    "pack",
    [
        lambda documents: b"".join(map(gzip.compress, documents)),
        lambda documents: gzip.compress(b"".join(documents)),
        lambda documents: b"".join(each + b"\n" for each in documents),
        lambda documents: b"\n".join(documents),
    ],
    ids=["a member each", "one member", "more line breaks", "line breaks before"],
)
def test_packing_changes_nothing(read: Callable[..., Any], pack: Callable[[list[bytes]], bytes]) -> None:
    def kept(found: Any) -> Any:
        return [(headers, block) for _, headers, block in found]

    assert kept(read(pack(DOCUMENTS))) == kept(read(b"".join(DOCUMENTS)))


def test_documents_that_are_equal_have_ids_of_their_own(read: Callable[..., Any]) -> None:
    found = read(b"".join([*DOCUMENTS, DOCUMENTS[2]]))
    assert len({headers["WARC-Record-ID"] for _, headers, _ in found}) == 6


def test_lines_may_end_in_cr_lf_and_a_file_may_lack_its_version_block(read: Callable[..., Any]) -> None:
    line, _, rest = DOCUMENTS[2].partition(b"\n")
    (_, headers, block), _ = read(line + b"\r\n" + rest + b"\r\n" + DOCUMENTS[4])
    assert (headers["WARC-Target-URI"], block) == ("http://example.vn/tin/1.html", PAGE)


def test_a_line_that_is_no_text_is_kept_percent_encoded(read: Callable[..., Any]) -> None:
    odd = DOCUMENTS[2].replace(b"/tin/1", b"/t%20n/\xf4")
    _, headers, _ = read(DOCUMENTS[0] + odd)[1]
    assert headers["WARC-Target-URI"] == "http://example.vn/t%20n/%F4.html"
    assert headers["X-Source-ARC-Header-Percent-Encoded"].startswith("http://example.vn/t%2520n/%F4.html 192.0.2.1")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (DOCUMENTS[2].replace(b" 20010906120000 ", b" 201404010000000000 "), "its date is '201404010000000000'"),
        (DOCUMENTS[2].replace(b" 10308\n", b" 10309\n"), "its length differs from that in its first line"),
        (DOCUMENTS[2].replace(b" 10308\n", b" 10307\n"), "its length differs from that in its first line"),
        (DOCUMENTS[2].replace(b" 10308\n", b" -1\n"), "its length is '-1'"),
        (DOCUMENTS[2].replace(b" 10308\n", b" 99999\n"), "the file ends inside it"),
    ],
)
def test_a_broken_document_is_named_and_the_others_are_read(
    read: Callable[..., Any], broken: bytes, reason: str
) -> None:
    assert broken != DOCUMENTS[2]
    gaps: list[Gap] = []
    found = read(b"".join([*DOCUMENTS[:2], broken, *DOCUMENTS[3:]]), gaps)
    assert [(str(gap.place), gap.reason) for gap in gaps] == [(f"byte {len(DOCUMENTS[0] + DOCUMENTS[1])}", reason)]
    assert [headers.get("WARC-Target-URI", "")[-6:] for _, headers, _ in found] == [
        "",
        "ple.vn",
        "?a=b%20c"[-6:],
        "3.html",
    ]


def test_a_file_that_was_cut_is_damaged(read: Callable[..., Any]) -> None:
    with pytest.raises(ArchiveDamagedError, match="no complete record at byte 131: the file ends inside it"):
        read(b"".join(DOCUMENTS[:2])[:-20])


@pytest.mark.parametrize("line", [b"Date: Thu, 06 Sep 2001 12:00:00 GMT\n", b"http://example.vn/ text/html 5\n", b"\n"])
def test_other_lines_are_no_first_lines(line: bytes) -> None:
    with pytest.raises(ValueError, match="not an ARC record"):
        parse_line(line, "1.0")
