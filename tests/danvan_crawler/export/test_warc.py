"""One WARC file from many: revisits become responses, everything else is copied."""

from __future__ import annotations

import dataclasses
import gzip
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import ArchiveDamagedError, ArchiveError, UsageError
from danvan_crawler.export.warc import export_warc
from danvan_crawler.warc.files import warc_files
from danvan_crawler.warc.message import entity_body, sha1_base32
from danvan_crawler.warc.reader import iter_records
from danvan_crawler.warc.records import IDENTICAL_PAYLOAD, NOT_MODIFIED, Revisit

NOTHING_NEW = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
AGAIN = b"HTTP/1.1 200 OK\r\nX-Day: two\r\nContent-Length: 5\r\n\r\nhello"


def reference(capture, profile):
    return Revisit(profile, capture.warc_record_id, capture.url, capture.date, capture.payload_digest)


@pytest.fixture
def archive(make_writer, exchange, tmp_path):
    """Three runs a day apart, one file each: a response, the same body again, a 304."""
    captures: list[Any] = []
    for day, (message, profile) in enumerate(
        [(exchange.response, None), (AGAIN, IDENTICAL_PAYLOAD), (NOTHING_NEW, NOT_MODIFIED)]
    ):
        writer = make_writer()
        one = dataclasses.replace(exchange, response=message, began_at=exchange.began_at + timedelta(days=day))
        captures.append(
            writer.write_exchange(one, revisit=reference(captures[0], profile) if profile is not None else None)
        )
        writer.close()
    return warc_files(tmp_path), captures


def types(path: Path) -> list[str]:
    return [record.type for record in iter_records(path)]


def export(paths, output, **options):
    return export_warc(paths, output, {"software": "danvan-crawler/0 (test)"}, **options)


def test_revisits_become_responses_with_their_id_date_and_own_head(archive, tmp_path, exchange):
    paths, captures = archive
    found = export(paths, tmp_path / "all.warc.gz")
    assert (found.resolved, found.lost) == (2, [])
    responses = list(iter_records(tmp_path / "all.warc.gz", types=("response", "revisit")))
    assert [record.type for record in responses] == ["response"] * 3
    assert [(record.id, record.date, record.url) for record in responses] == [
        (capture.warc_record_id, capture.date, capture.url) for capture in captures
    ]
    assert [record.block for record in responses] == [exchange.response, AGAIN, exchange.response]
    digests = [record.headers.get("WARC-Payload-Digest") for record in responses]
    assert digests == [sha1_base32(entity_body(record.block)) for record in responses]


def test_no_revisit_field_is_left(archive, tmp_path):
    export(archive[0], tmp_path / "all.warc.gz")
    names = {name for record in iter_records(tmp_path / "all.warc.gz") for name, _ in record.headers.items()}
    assert not {name for name in names if name.startswith("WARC-Refers")} | names & {"WARC-Profile", "WARC-Truncated"}


def test_a_304_is_kept_beside_the_response_that_it_confirms(archive, tmp_path):
    paths, captures = archive
    export(paths, tmp_path / "all.warc.gz")
    # Among the first records of the files, which are dated by the machine's clock.
    (kept,) = iter_records(tmp_path / "all.warc.gz", types=("metadata",))
    assert kept.block == NOTHING_NEW
    assert kept.headers["WARC-Concurrent-To"] == f"<{captures[2].warc_record_id}>"


def test_the_file_begins_with_its_own_warcinfo_and_is_in_order_of_dates(archive, tmp_path):
    output = tmp_path / "all.warc.gz"
    export(archive[0][::-1], output)
    first, *others = iter_records(output)
    assert (first.type, first.headers["WARC-Filename"]) == ("warcinfo", "all.warc.gz")
    dates = [record.date for record in others]
    assert dates == sorted(dates)


def test_records_other_than_revisits_are_copied_byte_for_byte(archive, tmp_path):
    paths, captures = archive
    export(paths, tmp_path / "all.warc.gz")
    exported = (tmp_path / "all.warc.gz").read_bytes()
    start = captures[0].warc_offset
    assert paths[0].read_bytes()[start:] in exported


def test_a_second_export_gives_the_same_records(archive, tmp_path):
    for name in ("one.warc.gz", "two.warc.gz"):
        export(archive[0], tmp_path / name)
    one, two = (
        [(record.id, record.block) for record in iter_records(tmp_path / name)][1:]
        for name in ("one.warc.gz", "two.warc.gz")
    )
    assert one == two


def test_a_name_without_gz_gives_the_same_records_uncompressed(archive, tmp_path):
    export(archive[0], tmp_path / "all.warc")
    export(archive[0], tmp_path / "all.warc.gz")
    plain, packed = (tmp_path / "all.warc").read_bytes(), gzip.decompress((tmp_path / "all.warc.gz").read_bytes())
    assert plain.partition(b"WARC-Type: request")[2] == packed.partition(b"WARC-Type: request")[2]


def test_other_tools_accept_and_index_it(archive, tmp_path):
    output = tmp_path / "all.warc.gz"
    export(archive[0], output)
    tools = Path(sys.executable).parent
    subprocess.run([str(tools / "warcio"), "check", str(output)], check=True)
    index = subprocess.run([str(tools / "cdxj-indexer"), str(output)], capture_output=True, text=True, check=True)
    assert index.stdout.count('"status": "200"') == 3
    assert "warc/revisit" not in index.stdout


def test_a_revisit_of_a_missing_record_stays_a_revisit(archive, tmp_path):
    paths, captures = archive
    found = export(paths[1:], tmp_path / "all.warc.gz")
    assert found.resolved == 0
    assert captures[1].warc_record_id in found.lost[0]
    assert types(tmp_path / "all.warc.gz").count("revisit") == 2


def test_an_existing_file_is_replaced_only_on_request(archive, tmp_path):
    output = tmp_path / "all.warc.gz"
    output.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        export(archive[0], output)
    assert output.read_bytes() == b"mine"
    export(archive[0], output, replace=True)
    assert types(output)[0] == "warcinfo"


def test_a_damaged_file_ends_the_export_and_leaves_no_file(archive, tmp_path):
    paths, _ = archive
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    with pytest.raises(ArchiveDamagedError, match=paths[1].name):
        export(paths, tmp_path / "all.warc.gz")
    assert not list(tmp_path.glob("*all.warc.gz*"))


def test_a_missing_folder_is_an_error(archive, tmp_path):
    with pytest.raises(ArchiveError, match="No such file"):
        export(archive[0], tmp_path / "nowhere" / "all.warc.gz")


def test_progress_counts_records_to_the_end(archive, tmp_path):
    told: list[tuple[int, int]] = []
    export(archive[0], tmp_path / "all.warc.gz", progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))
