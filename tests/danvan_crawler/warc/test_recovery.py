"""Recovery of files that a killed run left."""

from __future__ import annotations

import dataclasses
import gzip
import random

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError
from danvan_crawler.warc.recovery import Recovered, recover


@pytest.fixture
def left_behind(make_writer, exchange, tmp_path):
    """The `.open` file of a run that wrote three exchanges and was killed."""
    writer = make_writer()
    for _ in range(3):
        capture = writer.write_exchange(exchange)
    return tmp_path / f"{capture.warc_file}.open"


@pytest.fixture
def folder(tmp_path):
    """An empty folder for files."""
    folder = tmp_path / "left"
    folder.mkdir()
    return folder


def test_a_valid_file_is_finished_unchanged(left_behind):
    before = left_behind.read_bytes()
    (recovered,) = recover(left_behind.parent)
    assert recovered == Recovered(left_behind.with_suffix(""), len(before), 0, 7)
    assert recovered.path.read_bytes() == before
    assert not left_behind.exists()


def test_open_files_are_found_at_any_depth(left_behind, tmp_path):
    assert [recovered.path for recovered in recover(tmp_path)] == [left_behind.with_suffix("")]


def test_a_folder_without_open_files_needs_nothing(make_writer, exchange, tmp_path):
    writer = make_writer()
    writer.write_exchange(exchange)
    writer.close()
    assert recover(tmp_path) == []


def test_a_missing_folder_needs_nothing(tmp_path):
    assert recover(tmp_path / "warc" / "never-crawled") == []


@pytest.mark.slow
def test_a_file_cut_in_its_last_two_records_is_truncated_to_complete_records(left_behind, folder, check_structure):
    data = left_behind.read_bytes()
    records = check_structure(left_behind)
    ends = [record.end for record in records]
    path = folder / left_behind.name
    for cut in range(records[-2].offset, len(data)):
        path.write_bytes(data[:cut])
        good = max(end for end in ends if end <= cut)
        (recovered,) = recover(folder)
        assert recovered == Recovered(path.with_suffix(""), good, cut - good, ends.index(good) + 1)
        assert recovered.path.read_bytes() == data[:good]
        recovered.path.unlink()


@pytest.mark.parametrize(
    "tail",
    [b"\0" * 5000, b"\x1f\x8b\x08\0", b"junk", gzip.compress(b"no record", mtime=0), gzip.compress(b"", mtime=0)],
    ids=["zeros", "beginning_of_a_member", "junk", "member_without_a_record", "empty_member"],
)
def test_a_tail_that_is_not_a_record_is_cut_off(left_behind, tail):
    data = left_behind.read_bytes()
    left_behind.write_bytes(data + tail)
    (recovered,) = recover(left_behind.parent)
    assert (recovered.kept_bytes, recovered.cut_bytes) == (len(data), len(tail))
    assert recovered.path.read_bytes() == data


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"junk"])
def test_a_file_without_a_complete_record_is_removed(folder, content):
    path = folder / "a.warc.gz.open"
    path.write_bytes(content)
    assert recover(folder) == [Recovered(folder / "a.warc.gz", 0, len(content), 0)]
    assert list(folder.iterdir()) == []


def test_a_record_with_a_wrong_checksum_is_cut_off(left_behind, check_structure):
    last = check_structure(left_behind)[-1]
    data = bytearray(left_behind.read_bytes())
    data[-6] ^= 1
    left_behind.write_bytes(data)
    (recovered,) = recover(left_behind.parent)
    assert recovered.kept_bytes == last.offset


def test_complete_records_after_damage_are_never_cut_off(left_behind, check_structure):
    damaged, following = check_structure(left_behind)[-3:-1]
    data = bytearray(left_behind.read_bytes())
    data[damaged.offset + 40] ^= 0xFF
    left_behind.write_bytes(data)
    with pytest.raises(
        ArchiveDamagedError, match=f"byte {damaged.offset}, and complete records follow at byte {following.offset}"
    ):
        recover(left_behind.parent)
    assert left_behind.read_bytes() == data


def test_an_existing_final_name_is_an_error_and_nothing_is_changed(left_behind):
    torn = left_behind.read_bytes() + b"torn"
    left_behind.write_bytes(torn)
    other = left_behind.with_name("a-" + left_behind.name)
    other.write_bytes(torn)
    final = left_behind.with_suffix("")
    final.write_bytes(b"an earlier file")
    with pytest.raises(ArchiveDamagedError, match="exists already"):
        recover(left_behind.parent)
    assert [left_behind.read_bytes(), other.read_bytes(), final.read_bytes()] == [torn, torn, b"an earlier file"]


def test_a_record_larger_than_the_read_buffer_is_recovered(make_writer, exchange, tmp_path, check_structure):
    body = random.Random(1).randbytes(3_000_000) + b"0" * 3_000_000
    writer = make_writer()
    capture = writer.write_exchange(dataclasses.replace(exchange, response=b"HTTP/1.1 200 OK\r\n\r\n" + body))
    opened = tmp_path / f"{capture.warc_file}.open"
    before = opened.read_bytes()
    opened.write_bytes(before + before[:100])
    (recovered,) = recover(tmp_path)
    assert recovered.kept_bytes == len(before)
    assert check_structure(recovered.path)[-1].block.endswith(body)


RECOVER_IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from danvan_crawler.warc.recovery import recover

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(recovered,) = recover(Path(sys.argv[1]))
print(recovered.records, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_recovery_needs_little_memory_for_a_large_record(make_writer, exchange, start_child, tmp_path):
    writer = make_writer()
    writer.write_exchange(dataclasses.replace(exchange, response=b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * 100_000_000))
    output, _ = start_child(RECOVER_IN_LITTLE_MEMORY, tmp_path).communicate()
    records, kilobytes = map(int, output.split())
    assert records == 3
    assert kilobytes < 20_000


WRITE_FOREVER = """
import random, sys
from datetime import UTC, datetime
from pathlib import Path
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

writer = WarcWriter(Path(sys.argv[1]), "thanhhoa-danvan", warcinfo={"software": "x"}, max_bytes=2_000_000)
random = random.Random(sys.argv[2])
while True:
    response = b"HTTP/1.1 200 OK\\r\\n\\r\\n" + random.randbytes(random.randrange(200_000))
    exchange = Exchange("http://portal.example/", b"GET / HTTP/1.1\\r\\n\\r\\n", response, datetime.now(UTC))
    capture = writer.write_exchange(exchange)
    print(capture.warc_file, capture.warc_record_id, flush=True)
"""


@pytest.mark.parametrize("kill", range(5))
def test_no_exchange_that_was_written_is_lost_when_a_run_is_killed(start_child, tmp_path, check_structure, kill):
    child = start_child(WRITE_FOREVER, tmp_path, kill)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(10 + 7 * kill)]
    child.kill()
    lines += child.stdout.readlines()
    recover(tmp_path)
    written = [line.split() for line in lines if line.endswith("\n")]
    assert list(tmp_path.rglob("*.open")) == []
    assert all((tmp_path / warc_file).is_file() for warc_file, _ in written)
    for path in tmp_path.rglob("*.warc.gz"):
        records = check_structure(path)[1:]
        found = [record.get("WARC-Record-ID") for record in records if record.type == "response"]
        wanted = [f"<{record_id}>" for warc_file, record_id in written if warc_file.endswith(path.name)]
        # The exchange being written may be in the file although the child was killed before it could print it.
        assert found[: len(wanted)] == wanted
        assert len(found) <= len(wanted) + 1


@pytest.mark.parametrize("kill", range(5))
def test_a_killed_run_leaves_no_response_without_its_request(start_child, tmp_path, check_structure, kill):
    child = start_child(WRITE_FOREVER, tmp_path, 100 + kill)
    assert child.stdout is not None
    for _ in range(3 + 5 * kill):
        child.stdout.readline()
    child.kill()
    child.wait()
    recover(tmp_path)
    for path in tmp_path.rglob("*.warc.gz"):
        records = check_structure(path)
        requested = {record.get("WARC-Concurrent-To") for record in records if record.type == "request"}
        assert {record.get("WARC-Record-ID") for record in records if record.type == "response"} <= requested
