"""Reading records from files."""

from __future__ import annotations

import dataclasses

import pytest

from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, ExitCode
from danvan_crawler.warc.reader import iter_records, read_record, warc_files


@pytest.fixture
def finished(make_writer, exchange, all_nasty):
    """A finished file of all difficult responses."""
    writer = make_writer(profile="a = 1\n")
    for nasty in all_nasty:
        writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    (path,) = writer.close()
    return path


def test_blocks_are_read_as_they_were_written(finished, all_nasty):
    assert [record.block for record in iter_records(finished, types={"response"})] == [n.message for n in all_nasty]


def test_records_are_read_in_order(finished, check_structure):
    checked = check_structure(finished)
    records = list(iter_records(finished))
    assert [record.offset for record in records] == [record.offset for record in checked]
    assert [record.type for record in records] == [record.type for record in checked]


def test_types_can_be_chosen(finished):
    assert [record.type for record in iter_records(finished, types=("warcinfo", "metadata"))] == [
        "warcinfo",
        "metadata",
    ]


def test_a_record_has_its_fields_as_attributes(make_writer, exchange):
    writer = make_writer()
    capture = writer.write_exchange(dataclasses.replace(exchange, truncated="time"))
    (path,) = writer.close()
    (record,) = iter_records(path, types={"response"})
    assert (record.id, record.url) == (capture.warc_record_id, "https://portal.example/tin-tuc/")
    assert (record.date, record.truncated) == ("2026-11-23T07:46:11.123456Z", "time")
    assert record.headers.get("warc-ip-address") == "192.0.2.7"


def test_missing_fields_of_a_record_are_none(finished):
    warcinfo = next(iter_records(finished))
    assert (warcinfo.url, warcinfo.truncated, warcinfo.headers.get("X-Other")) == (None, None, None)


def test_repeated_fields_can_be_read(finished):
    record = next(iter_records(finished, types={"request"}))
    assert len(record.headers.get_multiple("WARC-Concurrent-To")) == 1


def test_a_record_is_read_at_its_offset(make_writer, exchange, nasty, tmp_path):
    writer = make_writer()
    writer.write_exchange(exchange)
    capture = writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    writer.close()
    record = read_record(tmp_path, capture.place)
    assert (record.id, record.block) == (capture.warc_record_id, nasty.message)
    assert record.offset == capture.warc_offset


def test_a_record_is_read_while_its_file_is_open(make_writer, exchange, tmp_path):
    capture = make_writer().write_exchange(exchange)
    assert read_record(tmp_path, capture.place).block == exchange.response


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match=r"cannot read .*/warc/a\.warc\.gz: No such file"):
        read_record(tmp_path, RecordPlace("warc/a.warc.gz", 0))


def test_iterating_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match=r"cannot read .*a\.warc\.gz: No such file"):
        next(iter_records(tmp_path / "a.warc.gz"))


def test_a_folder_instead_of_a_file_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="cannot read"):
        next(iter_records(tmp_path))


@pytest.mark.parametrize("name", ["../a.warc.gz", "/etc/passwd", "warc/../../a.warc.gz"])
def test_a_file_outside_of_the_archive_is_not_read(tmp_path, name):
    with pytest.raises(ArchiveError, match="not the name of a file in the archive"):
        read_record(tmp_path, RecordPlace(name, 0))


def test_an_offset_inside_a_record_is_damage(finished, tmp_path):
    with pytest.raises(ArchiveDamagedError, match="no complete record at byte 7"):
        read_record(tmp_path, RecordPlace(finished.relative_to(tmp_path).as_posix(), 7))


@pytest.mark.parametrize("beyond", [0, 1, 10_000])
def test_an_offset_beyond_the_end_is_damage(finished, tmp_path, beyond):
    offset = finished.stat().st_size + beyond
    with pytest.raises(ArchiveDamagedError, match=f"no record at byte {offset}"):
        read_record(tmp_path, RecordPlace(finished.relative_to(tmp_path).as_posix(), offset))


def test_damage_in_the_middle_is_an_error_after_the_records_before_it(finished, check_structure):
    offsets = [record.offset for record in check_structure(finished)]
    data = bytearray(finished.read_bytes())
    data[offsets[9] + 60] ^= 0xFF
    finished.write_bytes(data)
    records = iter_records(finished)
    assert [next(records).offset for _ in range(9)] == offsets[:9]
    with pytest.raises(
        ArchiveDamagedError, match=f"{finished.name} is damaged: no complete record at byte {offsets[9]}"
    ):
        next(records)


def test_damage_has_its_exit_code():
    assert ArchiveDamagedError.exit_code is ExitCode.DAMAGED


def test_damage_in_a_skipped_record_is_an_error(finished, check_structure):
    request = check_structure(finished)[2]
    data = bytearray(finished.read_bytes())
    data[request.end - 6] ^= 1
    finished.write_bytes(data)
    with pytest.raises(ArchiveDamagedError, match=f"byte {request.offset}"):
        list(iter_records(finished, types={"response"}))


@pytest.mark.slow
def test_a_file_cut_anywhere_in_its_last_record_is_an_error(finished, check_structure):
    data = finished.read_bytes()
    last = check_structure(finished)[-1]
    for cut in range(last.offset + 1, last.end):
        finished.write_bytes(data[:cut])
        with pytest.raises(ArchiveDamagedError, match=f"byte {last.offset}: the file ends inside it"):
            list(iter_records(finished))


def test_a_file_cut_between_two_records_is_read_to_its_end(finished, check_structure):
    records = check_structure(finished)
    finished.write_bytes(finished.read_bytes()[: records[-1].offset])
    assert len(list(iter_records(finished))) == len(records) - 1


@pytest.mark.parametrize("tail", [b"\0", b"\n", b"junk", b"\x1f\x8b\x08"])
def test_bytes_after_the_last_record_are_an_error(finished, tail):
    size = finished.stat().st_size
    finished.write_bytes(finished.read_bytes() + tail)
    with pytest.raises(ArchiveDamagedError, match=f"byte {size}"):
        list(iter_records(finished))


def test_the_reader_lists_finished_files(finished, tmp_path):
    assert warc_files(tmp_path) == [finished]
