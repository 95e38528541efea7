"""`danvan verify` on an archive of two articles, valid and with damage in every part."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.locks import SiteLock
from danvan_crawler.warc.index import write_index_and_manifest
from danvan_crawler.warc.reader import iter_records, warc_files

Danvan = Callable[..., Any]


@pytest.fixture
def warc(archive: Any) -> Path:
    """The archive's WARC file, with index and manifest as after a run."""
    (path,) = warc_files(archive.folder)
    write_index_and_manifest(archive.folder, path)
    return path


def kinds(danvan: Danvan, *arguments: object) -> set[str]:
    found = json.loads(danvan("verify", "--json", *arguments).out)
    return {finding["kind"] for finding in found["findings"] if finding["damage"]}


def test_a_valid_archive_has_no_findings(danvan: Danvan, warc: Path) -> None:
    result = danvan("verify")
    assert (result.code, result.out) == (0, "")
    assert "no damage" in result.err


def test_damage_is_one_line_with_file_byte_and_kind_and_gives_exit_code_8(
    danvan: Danvan, archive: Any, warc: Path
) -> None:
    size = warc.stat().st_size
    with warc.open("ab") as file:
        file.write(b"garbage")
    result = danvan("verify", warc)
    name = warc.relative_to(archive.folder).as_posix()
    assert result.code == 8
    assert f"{name} at byte {size}: trailing-garbage: " in result.out.splitlines()[0]


def test_json_is_one_document(danvan: Danvan, archive: Any, warc: Path) -> None:
    warc.write_bytes(warc.read_bytes()[:-9])
    document = json.loads(danvan("verify", "--json").out)
    assert document["damaged"] is True
    assert document["files"] == 1
    found = [finding for finding in document["findings"] if finding["kind"] == "truncated"]
    assert found[0]["file"] == warc.relative_to(archive.folder).as_posix()


def test_a_capture_and_an_item_without_their_records_are_found(danvan: Danvan, warc: Path) -> None:
    warc.unlink()
    assert kinds(danvan) == {"file-missing", "capture-record-missing", "item-record-missing"}


@pytest.mark.parametrize(
    ("table", "change", "kind"),
    [
        ("captures", "warc_offset = warc_offset + 1", "capture-record-differs"),
        ("captures", "payload_digest = 'sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ'", "capture-record-differs"),
        ("articles", "warc_offset = warc_offset + 1", "item-record-differs"),
        ("articles", "warc_record_id = 'urn:uuid:00000000-0000-4000-8000-000000000000'", "item-record-missing"),
    ],
)
def test_a_row_that_does_not_fit_its_record_is_found(
    danvan: Danvan, archive: Any, warc: Path, table: str, change: str, kind: str
) -> None:
    database = sqlite3.connect(archive.folder / "danvan.sqlite")
    database.execute(f"UPDATE {table} SET {change} WHERE id = 1")
    database.commit()
    database.close()
    assert kinds(danvan) == {kind}


def test_an_invalid_database_is_found(danvan: Danvan, archive: Any, warc: Path) -> None:
    (archive.folder / "danvan.sqlite").write_bytes(b"no database" * 1000)
    for suffix in ("-wal", "-shm"):
        (archive.folder / f"danvan.sqlite{suffix}").unlink(missing_ok=True)
    assert kinds(danvan) == {"database-unreadable"}


def test_an_archive_without_a_database_is_valid(danvan: Danvan, archive: Any, warc: Path) -> None:
    (archive.folder / "danvan.sqlite").unlink()
    assert kinds(danvan) == set()


def test_files_of_a_killed_run_are_reported_and_not_damage(danvan: Danvan, archive: Any, warc: Path) -> None:
    left = warc.with_name(warc.name.replace("-00000-", "-00007-") + ".open")
    left.write_bytes(b"")
    result = danvan("verify")
    assert result.code == 0
    assert "unfinished: a run that died left it" in result.out


def test_a_file_that_is_being_written_needs_no_index(danvan: Danvan, archive: Any) -> None:
    with SiteLock(archive.folder, "vi-du-danvan"):
        result = danvan("verify")
    assert result.code == 0
    assert "index-missing" in result.out


def test_one_site_alone_can_be_verified(danvan: Danvan, warc: Path) -> None:
    warc.write_bytes(warc.read_bytes()[:-9])
    assert danvan("verify", "--site", "another-site").code == 0
    assert danvan("verify", "--site", "vi-du-danvan").code == 8


@pytest.mark.parametrize("arguments", [["x.txt"], ["missing.warc.gz"]])
def test_a_path_that_cannot_be_verified_is_wrong_usage(danvan: Danvan, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "x.txt").write_text("x")
    assert danvan("verify", *arguments).code == 2


def test_a_folder_without_an_archive_is_an_error(danvan: Danvan) -> None:
    result = danvan("verify")
    assert result.code == 1
    assert "there is no archive" in result.err


def test_repair_loses_no_byte_and_leaves_a_valid_archive_to_rebuild(danvan: Danvan, archive: Any, warc: Path) -> None:
    offset = archive.dated.warc_offset
    data = bytearray(warc.read_bytes())
    data[offset + 20 : offset + 40] = b"\xff" * 20
    warc.write_bytes(data)
    repaired = danvan("verify", "--repair")
    assert repaired.code == 8  # the database still refers to lost and moved records
    kept = [path.read_bytes() for path in warc.parent.iterdir()]
    assert Counter(b"".join(kept)) == Counter(bytes(data))
    assert danvan("rebuild").code == 0
    assert kinds(danvan) == set()


def test_repair_keeps_the_complete_records_after_the_damage(danvan: Danvan, archive: Any, warc: Path) -> None:
    before = {record.id for record in iter_records(warc)}
    offset = archive.dated.warc_offset
    data = warc.read_bytes()
    warc.write_bytes(data[:offset] + b"not a record" + data[offset:])
    danvan("verify", "--repair")
    assert {record.id for path in warc_files(archive.folder) for record in iter_records(path)} == before


def test_repair_writes_missing_index_and_manifest_of_a_valid_file(danvan: Danvan, archive: Any) -> None:
    assert "manifest-missing" in danvan("verify").out
    assert danvan("verify", "--repair").code == 0
    assert "-missing" not in danvan("verify").out


def test_repair_keeps_a_manifest_that_does_not_match(danvan: Danvan, archive: Any, warc: Path) -> None:
    (manifest,) = (archive.folder / "index").glob("*.sha256")
    wrong = manifest.read_text().replace(manifest.read_text()[:8], "00000000")
    manifest.write_text(wrong)
    assert danvan("verify", "--repair").code == 0
    assert manifest.with_name(f"{manifest.name}.before-repair").read_text() == wrong


def test_repair_of_a_repaired_archive_changes_nothing(danvan: Danvan, archive: Any, warc: Path) -> None:
    warc.write_bytes(warc.read_bytes()[:-9])
    danvan("verify", "--repair")
    before = {path: path.read_bytes() for path in archive.folder.rglob("*.*") if "lock" not in path.name}
    danvan("verify", "--repair")
    assert {path: path.read_bytes() for path in archive.folder.rglob("*.*") if "lock" not in path.name} == before


def test_repair_is_refused_during_a_run(danvan: Danvan, archive: Any, warc: Path) -> None:
    with SiteLock(archive.folder, "vi-du-danvan"):
        assert danvan("verify", "--repair").code == 5


def test_a_file_outside_the_archive_can_be_repaired(danvan: Danvan, tmp_path: Path, warc: Path) -> None:
    single = tmp_path / "x.warc.gz"
    single.write_bytes(warc.read_bytes() + b"garbage")
    assert danvan("verify", single, "--repair").code == 0
    assert single.read_bytes() == warc.read_bytes()


def test_rebuild_writes_a_missing_index(danvan: Danvan, archive: Any) -> None:
    assert danvan("rebuild").code == 0
    assert kinds(danvan) == set()
