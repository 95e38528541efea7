"""Files as other tools pack them: every form read, every record unchanged, every damage named with its place."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, UnsupportedSourceError
from danvan_crawler.warc.sources import Gap, SourceRecord, is_archive, source_records

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


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


def frame(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


PACKED: dict[str, Callable[[list[bytes]], bytes]] = {
    "members": lambda records: b"".join(map(gzip.compress, records)),
    "gzipped": lambda records: gzip.compress(b"".join(records)),
    "plain": b"".join,
    "frames": lambda records: b"".join(map(frame, records)),
    "frame": lambda records: frame(b"".join(records)),
}
FORMS = pytest.mark.parametrize("form", list(PACKED))
MEMBERS = pytest.mark.parametrize("form", ["members", "frames", "plain"])
"""The forms in which damage of one record cannot hide another."""


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    def make(form: str, records: list[bytes] = RECORDS) -> Path:
        path = tmp_path / f"source-{form}"
        path.write_bytes(PACKED[form](records))
        return path

    return make


def unpacked(each: SourceRecord) -> bytes:
    return gzip.decompress(b"".join(each.packed))


def read(path: Path) -> tuple[list[bytes], list[Gap]]:
    gaps: list[Gap] = []
    return [unpacked(each) for each in source_records(path, on_gap=gaps.append)], gaps


@FORMS
def test_records_come_out_byte_for_byte_as_a_member_each(form: str, source: Callable[..., Path]) -> None:
    assert [unpacked(each) for each in source_records(source(form))] == RECORDS


@FORMS
def test_a_block_can_be_read_as_often_as_needed(form: str, source: Callable[..., Path]) -> None:
    for each, whole in zip(source_records(source(form)), RECORDS, strict=True):
        expected = whole.partition(b"\r\n\r\n")[2][:-4]
        assert [b"".join(each.block()) for _ in range(2)] == [expected] * 2


def test_members_that_hold_one_record_each_are_not_packed_anew(source: Callable[..., Path]) -> None:
    path = source("members")
    assert b"".join(b"".join(each.packed) for each in source_records(path)) == path.read_bytes()


@FORMS
def test_records_may_be_left_alone(form: str, source: Callable[..., Path]) -> None:
    found = [unpacked(each) for each in source_records(source(form)) if each.place != (0, 0)]
    assert found == RECORDS[1:]


def test_places_are_those_of_the_file(source: Callable[..., Path]) -> None:
    starts = [0, len(RECORDS[0]), len(RECORDS[0] + RECORDS[1]), len(b"".join(RECORDS[:3]))]
    assert [str(each.place) for each in source_records(source("plain"))] == [f"byte {start}" for start in starts]
    inside = ["byte 0", *(f"byte {start} of the data compressed at byte 0" for start in starts[1:])]
    assert [str(each.place) for each in source_records(source("gzipped"))] == inside
    for form, pack in (("members", gzip.compress), ("frames", frame)):
        second = len(pack(RECORDS[0]))
        assert str(list(source_records(source(form)))[1].place) == f"byte {second}"


@pytest.mark.parametrize("pack", [gzip.compress, frame])
def test_several_units_around_several_records_are_one_stream(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path, whole = tmp_path / "source", b"".join(RECORDS)
    path.write_bytes(pack(whole[:700]) + pack(b"") + pack(whole[700:]))
    assert read(path) == (RECORDS, [])


def test_a_member_for_one_record_and_one_for_several_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(gzip.compress(RECORDS[0]) + gzip.compress(b"".join(RECORDS[1:3])) + gzip.compress(RECORDS[3]))
    assert read(path) == (RECORDS, [])


@FORMS
def test_an_empty_unit_at_the_end_is_nothing(form: str, source: Callable[..., Path]) -> None:
    path = source(form)
    path.write_bytes(path.read_bytes() + {"f": frame(b""), "p": b""}.get(form[0], gzip.compress(b"")))
    assert read(path) == (RECORDS, [])


@FORMS
@pytest.mark.parametrize("cut", [1, 4, 5, 3000])
def test_a_file_that_was_cut_is_damaged(form: str, cut: int, source: Callable[..., Path]) -> None:
    path = source(form, RECORDS[:2])
    cut = min(cut, len(PACKED[form](RECORDS[1:2])) // 2)
    path.write_bytes(path.read_bytes()[:-cut])
    if (form, cut) == ("plain", 4):
        assert len(read(path)[0]) == 2  # only its line breaks are missing
        return
    with pytest.raises(ArchiveDamagedError, match=r"source-\w+ is damaged: no complete record at byte \d+"):
        list(source_records(path))


@MEMBERS
def test_a_wrong_length_is_damage_at_that_record_and_the_others_are_read(
    form: str, source: Callable[..., Path]
) -> None:
    for wrong in (b"2304018", b"2304020", b"2304999"):
        broken = RECORDS[1].replace(b"Content-Length: 2304019", b"Content-Length: " + wrong)
        assert broken != RECORDS[1]
        path = source(form, [RECORDS[0], broken, RECORDS[2], RECORDS[3]])
        found, (gap,) = read(path)
        assert found == [RECORDS[0], *RECORDS[2:]]
        assert gap.reason in ("its length differs from its Content-Length", "the file ends inside it")
        with pytest.raises(ArchiveDamagedError, match=f"no complete record at {gap.place}: {gap.reason}"):
            list(source_records(path))


@FORMS
def test_records_behind_one_without_an_id_are_read(form: str, source: Callable[..., Path]) -> None:
    broken = RECORDS[3].replace(b"WARC-Record-ID", b"X-Record-ID")
    found, (gap,) = read(source(form, [RECORDS[0], broken, RECORDS[2]]))
    assert found == [RECORDS[0], RECORDS[2]]
    assert gap.reason == "it has no WARC-Record-ID"


@FORMS
def test_a_target_of_100_000_characters_is_passed_over(form: str, source: Callable[..., Path]) -> None:
    long = RECORDS[3].replace(b"example.vn/4", b"example.vn/" + b"x" * 100_000)
    found, (gap,) = read(source(form, [RECORDS[0], long, RECORDS[2]]))
    assert found == [RECORDS[0], RECORDS[2]]
    assert gap.reason == "its header has more than 65536 bytes"


def test_a_header_that_the_parser_refuses_is_passed_over(source: Callable[..., Path]) -> None:
    long = RECORDS[3].replace(b"example.vn/4", b"example.vn/" + b"x" * 40_000)
    found, (gap,) = read(source("members", [RECORDS[0], long, RECORDS[2]]))
    assert found == [RECORDS[0], RECORDS[2]]
    assert gap.reason.startswith("its header of 40")


@pytest.mark.parametrize("form", ["members", "frames"])
def test_a_damaged_unit_is_named_with_its_byte_and_the_others_are_read(form: str, source: Callable[..., Path]) -> None:
    path = source(form)
    pack = {"members": gzip.compress, "frames": frame}[form]
    starts = [len(b"".join(map(pack, RECORDS[:number]))) for number in range(5)]
    data = bytearray(path.read_bytes())
    data[starts[2] - (6 if form == "members" else 2)] ^= 0xFF  # the checksum of the second
    path.write_bytes(data)
    found, (gap,) = read(path)
    assert found == [RECORDS[0], *RECORDS[2:]]
    assert str(gap.place) == f"byte {starts[1]}"
    assert gap.reason.startswith("what is compressed there cannot be read: ")


@pytest.mark.parametrize("form", ["members", "frames", "plain"])
def test_garbage_between_and_behind_records_costs_none(form: str, source: Callable[..., Path]) -> None:
    parts = [PACKED[form]([each]) for each in RECORDS]
    path = source(form)
    path.write_bytes(parts[0] + b"garbage" * 99 + parts[1] + parts[2] + parts[3] + b"\0" * 512)
    found, gaps = read(path)
    assert found == RECORDS
    places = [len(parts[0]), len(b"".join(parts)) + 7 * 99]
    assert [str(gap.place) for gap in gaps] == [f"byte {place}" for place in places]


@pytest.mark.parametrize("pack", [gzip.compress, frame])
def test_several_records_in_a_damaged_unit_cannot_be_told_from_damage(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "source"
    data = bytearray(pack(b"".join(RECORDS)))
    data[-6 if pack is gzip.compress else -1] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(
        ArchiveDamagedError, match="compressed at byte 0 holds several records and cannot be read to its"
    ):
        read(path)


@FORMS
def test_a_draft_is_converted_and_older_ones_are_unsupported(form: str, source: Callable[..., Path]) -> None:
    drafts = [each.replace(each[:8], b"WARC/0.18", 1) for each in RECORDS]
    found = list(source_records(source(form, drafts)))
    assert [(each.version, each.changes[:1]) for each in found] == [("WARC/0.18", ("WARC/0.18",))] * 4
    again = [unpacked(each) for each in source_records(source(form, drafts))]
    assert [each.partition(b"\r\n\r\n")[2] for each in again] == [each.partition(b"\r\n\r\n")[2] for each in RECORDS]
    older = [each.replace(each[:8], b"WARC/0.16", 1) for each in RECORDS]
    with pytest.raises(UnsupportedSourceError, match=r"source-\w+: WARC/0.16 is not supported"):
        list(source_records(source(form, older)))


@FORMS
def test_an_older_record_among_others_is_passed_over(form: str, source: Callable[..., Path]) -> None:
    older = RECORDS[2].replace(b"WARC/1.1", b"WARC/0.16")
    found, (gap,) = read(source(form, [RECORDS[0], older, RECORDS[1]]))
    assert found == RECORDS[:2]
    assert gap.reason.startswith("WARC/0.16 is not supported")


def test_records_that_end_in_lf_are_converted(source: Callable[..., Path]) -> None:
    lines = [
        each.replace(b"\r\n", b"\n") for each in (RECORDS[0].replace(b"Content-Length: 16", b"Content-Length: 15"),)
    ]
    (found,) = source_records(source("plain", lines))
    assert found.changes == ("line ends",)
    assert unpacked(found) == RECORDS[0].replace(b": 16", b": 15").replace(b"wget\r\n\r\n\r\n", b"wget\n\r\n\r\n")


@pytest.mark.parametrize(
    "content", [b"<html></html>" * 9, b"PK\x05\x06" * 9, gzip.compress(b"<html>"), b"warc/0.9 1 x\n"]
)
def test_what_is_of_another_kind_is_unsupported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(content)
    with pytest.raises(UnsupportedSourceError, match="source: "):
        list(source_records(path))


def test_a_record_that_is_cut_inside_its_header_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"WARC/1.0\r\nWARC-Type: x")
    with pytest.raises(ArchiveDamagedError, match="no complete record at byte 0: it has no end of header"):
        list(source_records(path))


def test_an_endless_header_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"WARC/1.0\r\n" + b"x" * 3_000_000)
    with pytest.raises(ArchiveDamagedError, match="its header has more than 65536 bytes"):
        list(source_records(path))


def test_a_record_larger_than_memory_is_meant_for_is_read(source: Callable[..., Path]) -> None:
    large = record(2, bytes(20 << 20))
    assert [unpacked(each) for each in source_records(source("frames", [large, RECORDS[2]]))] == [large, RECORDS[2]]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.touch()
    assert list(source_records(path)) == []


def test_a_missing_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot read"):
        list(source_records(tmp_path / "none"))


@FORMS
def test_an_archive_is_known_by_its_beginning(form: str, source: Callable[..., Path], tmp_path: Path) -> None:
    assert is_archive(source(form))
    page = tmp_path / "page.html"
    page.write_bytes(PACKED[form]([b"<html></html>"]))
    assert not is_archive(page)
