"""The WARC files that a run writes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from danvan_crawler.exceptions import ArchiveError, DiskFullError, ExitCode, UsageError
from danvan_crawler.warc.message import sha1_base32
from danvan_crawler.warc.writer import WarcWriter, _OpenFile

MOMENT = datetime(2026, 11, 23, 7, 46, 11, 123456, tzinfo=UTC)


def big(exchange, size):
    """The exchange with an incompressible body, so that the file grows by about `size` bytes."""
    body = random.Random(size).randbytes(size)
    return dataclasses.replace(exchange, response=b"HTTP/1.1 200 OK\r\n\r\n" + body)


def test_every_block_in_the_file_has_the_given_bytes(make_writer, check_structure, exchange, all_nasty):
    writer = make_writer()
    for nasty in all_nasty:
        writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    (path,) = writer.close()
    records = check_structure(path)[1:]
    assert [record.block for record in records if record.type == "response"] == [n.message for n in all_nasty]
    assert {record.block for record in records if record.type == "request"} == {exchange.request}


def test_payload_digests_in_the_file_are_over_the_entity(make_writer, check_structure, exchange, all_nasty):
    writer = make_writer()
    for nasty in all_nasty:
        writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    (path,) = writer.close()
    found = [record.get("WARC-Payload-Digest") for record in check_structure(path) if record.type == "response"]
    assert found == [sha1_base32(nasty.entity) for nasty in all_nasty]


def test_a_capture_has_file_and_offset_of_its_response_record(make_writer, check_structure, exchange, tmp_path):
    writer = make_writer()
    captures = [writer.write_exchange(exchange) for _ in range(3)]
    (path,) = writer.close()
    by_offset = {record.offset: record for record in check_structure(path)}
    for capture in captures:
        record = by_offset[capture.warc_offset]
        assert tmp_path / capture.warc_file == path
        assert record.type == "response"
        assert record.get("WARC-Record-ID") == f"<{capture.warc_record_id}>"
        assert record.get("WARC-Date") == capture.date
        assert record.get("WARC-Target-URI") == capture.url
        assert record.get("WARC-Payload-Digest") == capture.payload_digest


def test_a_capture_describes_the_response(make_writer, exchange):
    capture = make_writer().write_exchange(exchange)
    assert (capture.url, capture.date) == ("https://portal.example/tin-tuc/", "2026-11-23T07:46:11.123456Z")
    assert (capture.status, capture.media_type, capture.truncated) == (200, "text/html", None)


def test_request_and_response_share_date_and_address(make_writer, check_structure, exchange):
    writer = make_writer()
    writer.write_exchange(exchange)
    (path,) = writer.close()
    _, request, response = check_structure(path)
    assert (request.type, response.type) == ("request", "response")
    for record in (request, response):
        assert record.get("WARC-Date") == "2026-11-23T07:46:11.123456Z"
        assert record.get("WARC-IP-Address") == "192.0.2.7"
    assert request.get("WARC-Concurrent-To") == response.get("WARC-Record-ID")


def test_an_unknown_address_is_left_out(make_writer, check_structure, exchange):
    writer = make_writer()
    writer.write_exchange(dataclasses.replace(exchange, ip_address=None))
    (path,) = writer.close()
    assert all(record.get("WARC-IP-Address") is None for record in check_structure(path))


@pytest.mark.parametrize("reason", ["length", "time", "disconnect", "unspecified"])
def test_a_truncated_response_has_its_reason(make_writer, check_structure, exchange, reason):
    writer = make_writer()
    capture = writer.write_exchange(dataclasses.replace(exchange, truncated=reason))
    (path,) = writer.close()
    _, request, response = check_structure(path)
    assert capture.truncated == reason
    assert response.get("WARC-Truncated") == reason
    assert request.get("WARC-Truncated") is None


def test_interim_and_surplus_bytes_are_metadata_of_the_response(make_writer, check_structure, exchange):
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    writer = make_writer()
    writer.write_exchange(dataclasses.replace(exchange, interim=interim, surplus=b"\r\n\r\nmore"))
    (path,) = writer.close()
    _, _, response, before, after = check_structure(path)
    assert [record.get("WARC-Concurrent-To") for record in (before, after)] == [response.get("WARC-Record-ID")] * 2
    assert (before.block, before.get("Content-Type")) == (interim, "application/http;msgtype=response")
    assert (after.block, after.get("Content-Type")) == (b"\r\n\r\nmore", "application/octet-stream")


def test_metadata_of_a_response_is_not_taken_for_the_page(make_writer, check_structure, exchange):
    writer = make_writer()
    writer.write_exchange(dataclasses.replace(exchange, interim=b"HTTP/1.1 100 Continue\r\n\r\n", surplus=b"x"))
    (path,) = writer.close()
    *_, before, after = check_structure(path)
    assert re.fullmatch(r"urn:danvan:interim:[0-9a-f-]{36}", before.get("WARC-Target-URI"))
    assert re.fullmatch(r"urn:danvan:surplus:[0-9a-f-]{36}", after.get("WARC-Target-URI"))


def test_a_file_begins_with_warcinfo_and_profile(make_writer, check_structure, exchange):
    profile = 'slug = "thanhhoa-danvan"\nname = "Ban Dân vận"\n'
    writer = make_writer(profile=profile)
    writer.write_exchange(exchange)
    (path,) = writer.close()
    warcinfo, metadata, *_ = check_structure(path)
    assert warcinfo.block.startswith(
        b"software: danvan-crawler/0 (test)\r\nrobots: obey\r\nformat: WARC File Format 1.1"
    )
    assert (metadata.type, metadata.block.decode()) == ("metadata", profile)
    assert metadata.get("WARC-Target-URI") == "urn:danvan:profile:thanhhoa-danvan"
    assert metadata.get("Content-Type") == "application/toml"


def test_files_are_in_folders_by_site_and_year(make_writer, exchange, tmp_path):
    writer = make_writer(now=lambda: MOMENT)
    writer.write_exchange(exchange)
    (path,) = writer.close()
    assert path.parent == tmp_path / "warc" / "thanhhoa-danvan" / "2026"
    assert re.fullmatch(r"thanhhoa-danvan-20261123074611123-00000-[A-Za-z0-9.-]+\.warc\.gz", path.name)


def test_nothing_is_created_before_the_first_exchange(make_writer, tmp_path):
    writer = make_writer()
    assert writer.files == []
    assert writer.close() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_open_until_the_writer_is_closed(make_writer, exchange, tmp_path):
    writer = make_writer()
    capture = writer.write_exchange(exchange)
    final = tmp_path / capture.warc_file
    opened = final.with_name(final.name + ".open")
    assert (opened.exists(), final.exists()) == (True, False)
    writer.close()
    assert (opened.exists(), final.exists()) == (False, True)


def test_an_exchange_is_in_the_file_after_write_returns(make_writer, check_structure, exchange, tmp_path):
    capture = make_writer().write_exchange(exchange)
    records = check_structure(tmp_path / f"{capture.warc_file}.open")
    assert [record.type for record in records] == ["warcinfo", "request", "response"]


def test_closing_twice_gives_the_same_files(make_writer, exchange):
    writer = make_writer()
    writer.write_exchange(exchange)
    assert writer.close() == writer.close()


def test_files_are_named_before_and_after_closing(make_writer, exchange):
    writer = make_writer()
    capture = writer.write_exchange(exchange)
    assert writer.files == [capture.warc_file]
    writer.close()
    assert writer.files == [capture.warc_file]


def test_a_file_that_passed_the_limit_gets_no_more_exchanges(make_writer, check_structure, exchange):
    writer = make_writer(max_bytes=24_000)
    for size in (9_000, 9_000, 9_000, 1_000):
        writer.write_exchange(big(exchange, size))
    first, second = writer.close()
    assert [record.type for record in check_structure(first)].count("response") == 3
    assert [record.type for record in check_structure(second)].count("response") == 1


def test_one_exchange_is_never_split(make_writer, check_structure, exchange):
    writer = make_writer(max_bytes=1)
    for _ in range(3):
        writer.write_exchange(big(exchange, 50_000))
    for path in writer.close():
        assert [record.type for record in check_structure(path)] == ["warcinfo", "request", "response"]


def test_every_file_of_a_run_begins_with_the_profile(make_writer, check_structure, exchange):
    writer = make_writer(max_bytes=1, profile="a = 1\n")
    writer.write_exchange(exchange)
    writer.write_exchange(exchange)
    assert [check_structure(path)[1].block for path in writer.close()] == [b"a = 1\n"] * 2


def test_a_rolled_over_file_has_its_final_name_at_once(make_writer, exchange, tmp_path):
    writer = make_writer(max_bytes=1)
    first = writer.write_exchange(exchange)
    second = writer.write_exchange(exchange)
    assert (tmp_path / first.warc_file).exists()
    assert writer.files == [first.warc_file, second.warc_file]


def test_files_opened_at_the_same_time_have_different_names(make_writer, exchange, check_structure):
    writers = [make_writer(now=lambda: MOMENT, max_bytes=1) for _ in range(3)]
    for writer in [*writers, *writers]:
        writer.write_exchange(exchange)
    paths = {path for writer in writers for path in writer.close()}
    assert len(paths) == 6
    assert all(len(check_structure(path)) == 3 for path in paths)


def test_a_finished_file_is_never_replaced(make_writer, exchange):
    earlier = make_writer(now=lambda: MOMENT)
    earlier.write_exchange(exchange)
    (path,) = earlier.close()
    before = path.read_bytes()
    later = make_writer(now=lambda: MOMENT)
    later.write_exchange(exchange)
    (other,) = later.close()
    assert other != path
    assert path.read_bytes() == before


def test_a_file_left_by_a_killed_run_is_never_appended_to(make_writer, exchange, tmp_path):
    capture = make_writer(now=lambda: MOMENT).write_exchange(exchange)
    left_behind = tmp_path / f"{capture.warc_file}.open"
    before = left_behind.read_bytes()
    make_writer(now=lambda: MOMENT).write_exchange(exchange)
    assert left_behind.read_bytes() == before


def test_files_of_a_run_sort_in_the_order_of_writing(make_writer, exchange):
    clock = (MOMENT + timedelta(milliseconds=7 * step) for step in itertools.count())
    writer = make_writer(max_bytes=1, now=lambda: next(clock))
    for _ in range(4):
        writer.write_exchange(exchange)
    assert writer.files == sorted(writer.files)


def test_the_compression_level_is_a_setting(make_writer, exchange, check_structure):
    text = dataclasses.replace(exchange, response=b"HTTP/1.1 200 OK\r\n\r\n" + b"Tin tuc va su kien. " * 5_000)
    sizes = []
    for level in (0, 3):
        writer = make_writer(compression_level=level)
        writer.write_exchange(text)
        (path,) = writer.close()
        assert check_structure(path)[-1].block == text.response
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1]


def test_an_unknown_compression_level_is_refused(tmp_path):
    with pytest.raises(UsageError, match="0 to 3, got 9"):
        WarcWriter(tmp_path, "a", warcinfo={}, compression_level=9)


def test_an_archive_that_cannot_be_written_is_an_error(tmp_path, exchange):
    (tmp_path / "warc").write_text("a file where a folder has to be")
    writer = WarcWriter(tmp_path, "a", warcinfo={})
    with pytest.raises(ArchiveError, match=re.escape(str(tmp_path / "warc" / "a"))):
        writer.write_exchange(exchange)
    assert writer.close() == []


def test_a_failed_first_exchange_leaves_no_file(make_writer, exchange, tmp_path):
    writer = make_writer()
    with pytest.raises(ValueError, match="time with a zone"):
        writer.write_exchange(dataclasses.replace(exchange, began_at=datetime(2026, 1, 1)))
    assert writer.close() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_device_raises_disk_full():
    file = _OpenFile(Path("/archive/a.warc.gz"), os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(
        DiskFullError, match=r"cannot write /archive/a\.warc\.gz\.open: No space left on device"
    ) as error:
        file.append(b"record")
    assert error.value.exit_code is ExitCode.DISK_FULL
    assert file.size == 0


WRITE_UNTIL_FULL = """
import json, random, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from danvan_crawler.exceptions import DiskFullError
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
writer = WarcWriter(Path(sys.argv[1]), "thanhhoa-danvan", warcinfo={"software": "x"})
random = random.Random(limit)
ids, error = [], None

def write(size):
    response = b"HTTP/1.1 200 OK\\r\\n\\r\\n" + random.randbytes(size)
    exchange = Exchange("http://portal.example/", b"GET / HTTP/1.1\\r\\n\\r\\n", response, datetime.now(UTC))
    ids.append(writer.write_exchange(exchange).warc_record_id)

try:
    while True:
        write(9_000)
except DiskFullError as full:
    error = str(full)
if sys.argv[3] == "go on":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    write(500)
print(json.dumps({"ids": ids, "error": error, "files": [str(path) for path in writer.close()]}))
"""


@pytest.mark.parametrize("limit", [25_000, 40_001, 64_000])
def test_after_a_full_disk_the_file_ends_with_the_exchange_before(start_child, check_structure, tmp_path, limit):
    output, _ = start_child(WRITE_UNTIL_FULL, tmp_path, limit, "stop").communicate()
    result = json.loads(output)
    (path,) = result["files"]
    records = check_structure(Path(path))
    assert [record.get("WARC-Record-ID") for record in records if record.type == "response"] == [
        f"<{record_id}>" for record_id in result["ids"]
    ]
    assert records[-1].type == "response"
    assert result["error"] == f"cannot write {path}.open: File too large"


def test_after_a_full_disk_writing_can_continue(start_child, check_structure, tmp_path):
    output, _ = start_child(WRITE_UNTIL_FULL, tmp_path, 40_001, "go on").communicate()
    result = json.loads(output)
    (path,) = result["files"]
    found = [record.get("WARC-Record-ID") for record in check_structure(Path(path)) if record.type == "response"]
    assert found == [f"<{record_id}>" for record_id in result["ids"]]


def test_a_disk_too_full_for_the_first_exchange_leaves_no_file(start_child, tmp_path):
    output, _ = start_child(WRITE_UNTIL_FULL, tmp_path, 3_000, "stop").communicate()
    assert json.loads(output)["files"] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.fixture
def nasty_file(make_writer, exchange, all_nasty):
    """A finished file of all difficult responses, interim and surplus bytes included."""
    writer = make_writer(profile='name = "Ban Dân vận"\n')
    for nasty in all_nasty:
        writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    writer.write_exchange(dataclasses.replace(exchange, interim=b"HTTP/1.1 100 Continue\r\n\r\n", surplus=b"more"))
    (path,) = writer.close()
    return path


def test_gzip_accepts_the_file(nasty_file):
    assert subprocess.run(["gzip", "-t", nasty_file], capture_output=True, text=True, check=True).stderr == ""


def test_fastwarc_accepts_the_file(nasty_file):
    script = Path(sys.executable).with_name("fastwarc")
    done = subprocess.run([script, "check", nasty_file], capture_output=True, text=True, check=False)
    assert (done.returncode, "FAIL" in done.stdout + done.stderr) == (0, False)


def test_warcio_reads_the_same_blocks(nasty_file, exchange, all_nasty):
    with nasty_file.open("rb") as file:
        blocks = [record.raw_stream.read() for record in ArchiveIterator(file, no_record_parse=True)]
    assert blocks[3 : 2 + 2 * len(all_nasty) : 2] == [nasty.message for nasty in all_nasty]
    assert blocks[2] == exchange.request


def test_warcio_check_accepts_bodies_that_are_the_entity(make_writer, exchange, all_nasty):
    # warcio counts chunk framing, and bytes after the end of a message, as payload; WARC/1.1 does not.
    writer = make_writer()
    for nasty in all_nasty:
        if nasty.message.endswith(nasty.entity) and not nasty.name.startswith("chunked"):
            writer.write_exchange(dataclasses.replace(exchange, response=nasty.message))
    (path,) = writer.close()
    script = Path(sys.executable).with_name("warcio")
    done = subprocess.run([script, "check", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
