"""WARC files of other tools: every compression read, every record unchanged, every damage reported with its place."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError
from danvan_crawler.warc.sources import Form, form_of, source_records


def record(number: int, block: bytes, *, kind: str = "response", version: str = "WARC/1.0") -> bytes:
    head = (
        f"{version}\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
        f"warc-date: 2020-05-0{number}T01:02:03Z\r\nWARC-Target-URI: <http://example.vn/{number}>\r\n"
        f"X-Tool:  odd   spacing\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


RECORDS = [
    record(1, b"software: wget\r\n", kind="warcinfo"),
    record(2, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)) * 9000),
    record(3, b"", version="WARC/1.1"),
    record(4, b"WARC/1.0\r\n\r\nis no record here\r\n\r\n"),
]
PACKED: dict[Form, Callable[[list[bytes]], bytes]] = {
    Form.MEMBERS: lambda records: b"".join(map(gzip.compress, records)),
    Form.GZIPPED: lambda records: gzip.compress(b"".join(records)),
    Form.PLAIN: b"".join,
}
FORMS = pytest.mark.parametrize("form", list(Form), ids=lambda form: form.name)


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    def make(form: Form, records: list[bytes] = RECORDS) -> Path:
        path = tmp_path / f"source-{form.name}"
        path.write_bytes(PACKED[form](records))
        return path

    return make


@FORMS
def test_the_form_of_a_file_is_recognised(form: Form, source: Callable[..., Path]) -> None:
    assert form_of(source(form)) is form


@FORMS
def test_each_record_is_copied_byte_for_byte_as_one_member(form: Form, source: Callable[..., Path]) -> None:
    found = [b"".join(each.packed) for each in source_records(source(form), form)]
    assert [gzip.decompress(member) for member in found] == RECORDS


def test_members_of_one_record_each_are_not_compressed_again(source: Callable[..., Path]) -> None:
    path = source(Form.MEMBERS)
    assert b"".join(b"".join(each.packed) for each in source_records(path, Form.MEMBERS)) == path.read_bytes()


@FORMS
def test_records_may_be_skipped(form: Form, source: Callable[..., Path]) -> None:
    numbers = [each.headers["WARC-Record-ID"][-5] for each in source_records(source(form), form)]
    assert numbers == ["0"] * 4
    found = [gzip.decompress(b"".join(each.packed)) for each in source_records(source(form), form) if each.offset]
    assert found == RECORDS[1:]


def test_offsets_are_positions_in_the_file(source: Callable[..., Path]) -> None:
    starts = [0, len(RECORDS[0]), len(RECORDS[0] + RECORDS[1]), len(b"".join(RECORDS[:3]))]
    assert [each.offset for each in source_records(source(Form.PLAIN), Form.PLAIN)] == starts


def test_several_members_around_several_records_are_one_stream(tmp_path: Path) -> None:
    path, whole = tmp_path / "source", b"".join(RECORDS)
    path.write_bytes(gzip.compress(whole[:700]) + gzip.compress(b"") + gzip.compress(whole[700:]))
    found = [gzip.decompress(b"".join(each.packed)) for each in source_records(path, Form.GZIPPED)]
    assert found == RECORDS


@FORMS
@pytest.mark.parametrize("cut", [1, 4, 5, 3000])
def test_a_file_that_was_cut_is_damaged(form: Form, cut: int, source: Callable[..., Path]) -> None:
    path = source(form, RECORDS[:2])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ArchiveDamagedError, match=r"source-\w+ is damaged: no complete record at byte [1-9]\d*"):
        b"".join(piece for each in source_records(path, form) for piece in each.packed)


@FORMS
def test_a_wrong_length_is_damage_at_that_record(form: Form, source: Callable[..., Path]) -> None:
    short = RECORDS[1].replace(b"Content-Length: 2304019", b"Content-Length: 2304018")
    assert short != RECORDS[1]
    with pytest.raises(ArchiveDamagedError, match="its length differs from its Content-Length"):
        list(source_records(source(form, [RECORDS[0], short, RECORDS[2]]), form))


@pytest.mark.parametrize("content", [b"<html></html>" * 9, b"PK\x03\x04" * 9, b"WARC/1.0\r\nWARC-Type: x"])
def test_a_file_that_is_not_warc_is_damaged_at_its_first_byte(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(content)
    with pytest.raises(ArchiveDamagedError, match="no complete record at byte 0"):
        list(source_records(path, form_of(path)))


def test_an_endless_header_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"WARC/1.0\r\n" + b"x" * 3_000_000)
    with pytest.raises(ArchiveDamagedError, match="it has no end of header"):
        list(source_records(path, Form.PLAIN))


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.touch()
    assert list(source_records(path, form_of(path))) == []


def test_a_missing_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot read"):
        form_of(tmp_path / "none")
