"""One record by its id."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from danvan_crawler.captures import CaptureRecord, RecordPlace
from danvan_crawler.exceptions import ArchiveDamagedError, UnknownItemError
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.revisits import find_record, full_id
from danvan_crawler.warc.writer import WarcWriter

MakeWriter = Callable[..., WarcWriter]
NOWHERE = "urn:uuid:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def captures(make_writer: MakeWriter, exchange: Exchange) -> list[CaptureRecord]:
    """Three exchanges, each in a separate file."""
    found = []
    for number in range(3):
        writer = make_writer()
        found.append(writer.write_exchange(dataclasses.replace(exchange, url=f"https://portal.example/{number}")))
        writer.close()
    return found


@pytest.mark.parametrize("form", ["{}", "urn:uuid:{}", "<urn:uuid:{}>", " urn:uuid:{} ", "URN:UUID:{}"])
def test_an_id_may_be_written_in_full_or_bare(form: str) -> None:
    bare = "1b4c9f0e-7f2a-4d0e-9a53-2f6d1c0c8a11"
    assert full_id(form.format(bare)) == f"urn:uuid:{bare}"
    assert full_id(form.format(bare).upper()) == f"urn:uuid:{bare}"


def test_another_kind_of_urn_is_not_changed() -> None:
    assert full_id("<urn:danvan:1>") == "urn:danvan:1"


def test_a_record_is_found_wherever_it_is(captures: list[CaptureRecord], tmp_path: Path) -> None:
    for number, capture in enumerate(captures):
        record = find_record(tmp_path, capture.warc_record_id)
        assert (record.url, record.offset) == (f"https://portal.example/{number}", capture.warc_offset)


def test_a_bare_id_is_found(captures: list[CaptureRecord], tmp_path: Path) -> None:
    bare = captures[1].warc_record_id.removeprefix("urn:uuid:")
    assert find_record(tmp_path, bare).id == captures[1].warc_record_id


def test_other_records_than_responses_are_found(captures: list[CaptureRecord], tmp_path: Path) -> None:
    warcinfo = find_record(tmp_path, captures[0].warc_record_id).headers["WARC-Warcinfo-ID"]
    assert find_record(tmp_path, warcinfo).type == "warcinfo"


def test_a_record_in_a_file_that_is_still_open_is_found(
    make_writer: MakeWriter, exchange: Exchange, tmp_path: Path
) -> None:
    capture = make_writer().write_exchange(exchange)
    assert find_record(tmp_path, capture.warc_record_id).block == exchange.response


def test_with_a_correct_hint_no_other_file_is_read(captures: list[CaptureRecord], tmp_path: Path) -> None:
    wanted = captures[2]
    for other in captures[:2]:
        (tmp_path / other.warc_file).write_bytes(b"no WARC")
    assert find_record(tmp_path, wanted.warc_record_id, wanted.place).url == wanted.url


@pytest.mark.parametrize("hint", ["another record", "no record", "no file"])
def test_a_wrong_hint_is_ignored(captures: list[CaptureRecord], tmp_path: Path, hint: str) -> None:
    other = captures[0]
    place = {
        "another record": other.place,
        "no record": RecordPlace(other.warc_file, other.warc_offset + 1),
        "no file": RecordPlace("warc/nosuch.warc.gz", 0),
    }[hint]
    assert find_record(tmp_path, captures[1].warc_record_id, place).id == captures[1].warc_record_id


def test_a_damaged_file_does_not_hide_records_of_others(captures: list[CaptureRecord], tmp_path: Path) -> None:
    (tmp_path / captures[0].warc_file).write_bytes(b"no WARC")
    assert find_record(tmp_path, captures[2].warc_record_id).id == captures[2].warc_record_id


def test_the_error_names_the_unknown_record(captures: list[CaptureRecord], tmp_path: Path) -> None:
    with pytest.raises(UnknownItemError, match=f"holds a record {NOWHERE}"):
        find_record(tmp_path, NOWHERE)


def test_a_record_that_may_be_in_a_damaged_file_is_not_reported_as_unknown(
    captures: list[CaptureRecord], tmp_path: Path
) -> None:
    path = tmp_path / captures[1].warc_file
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArchiveDamagedError, match=path.name):
        find_record(tmp_path, NOWHERE)


def test_an_archive_without_files_holds_no_record(tmp_path: Path) -> None:
    with pytest.raises(UnknownItemError):
        find_record(tmp_path / "nosuch", NOWHERE)
