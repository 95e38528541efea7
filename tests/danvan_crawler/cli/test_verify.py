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
from danvan_crawler.cli.verify import site_of
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
    before = files_of(archive.folder)
    danvan("verify", "--repair")
    assert files_of(archive.folder) == before


def files_of(folder: Path) -> dict[Path, bytes]:
    """What is in an archive, without locks and the history of checks."""
    kept = (path for path in folder.rglob("*.*") if "lock" not in path.name and path.parent.name != "checks")
    return {path: path.read_bytes() for path in kept}


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


def history(danvan: Danvan, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(danvan("verify", "--history", "--json", *options).out)
    return found


def test_each_check_of_the_archive_is_noted_with_what_it_found(
    danvan: Danvan, archive: Any, warc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-01T03:00:00+00:00")
    danvan("verify")
    warc.write_bytes(warc.read_bytes()[:-9])
    monkeypatch.setenv("DANVAN_CLOCK", "2027-03-02T03:00:00+00:00")
    danvan("verify", "--site", "vi-du-danvan")
    danvan("verify", warc)  # a single file is no check of the archive
    last, first = history(danvan)
    assert (first["site"], first["complete"], first["damage"], first["files"]) == (None, True, 0, 1)
    assert first["started_at"] == "2027-03-01T03:00:00+00:00"
    assert (last["site"], last["exit_code"], last["damaged"]) == ("vi-du-danvan", 8, {"vi-du-danvan": last["damage"]})
    assert {"truncated", "manifest-mismatch"} <= {finding["kind"] for finding in last["findings"]}
    assert last["bytes"] == warc.stat().st_size
    lines = [line.split("\t") for line in danvan("verify", "--history").out.splitlines()]
    assert [line[1] for line in lines] == ["vi-du-danvan", "whole archive"]
    assert "of damage" in lines[0][-1]
    assert lines[1][-1].startswith("no damage")
    assert history(danvan, "--site", "khac-danvan") == [first]


def test_status_reports_damage_until_it_is_repaired_and_checked(danvan: Danvan, archive: Any, warc: Path) -> None:
    warc.write_bytes(warc.read_bytes()[:-9])
    danvan("verify")
    result = danvan("status")
    assert result.code == 4
    assert "found damage: " in result.err
    assert "danvan verify --repair" in result.err
    danvan("verify", "--repair")
    danvan("rebuild")
    danvan("verify")
    assert danvan("status").code == 0


def test_a_check_runs_only_if_it_is_due(
    danvan: Danvan, archive: Any, warc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(day: str, *options: str) -> bool:
        monkeypatch.setenv("DANVAN_CLOCK", f"2027-{day}T02:30:00+00:00")
        before = len(history(danvan))
        danvan("verify", "--if-due", *options)
        return len(history(danvan)) > before

    assert checked("03-01")
    assert not checked("03-30")
    assert checked("03-31")
    monkeypatch.setenv("DANVAN_VERIFY_DAYS", "0")
    assert not checked("12-31")
    monkeypatch.setenv("DANVAN_VERIFY_DAYS", "7")
    assert checked("12-31", "--site", "vi-du-danvan")
    assert not checked("12-31", "--site", "vi-du-danvan")
    assert checked("12-31")


def test_a_quiet_check_prints_damage_alone(danvan: Danvan, archive: Any, warc: Path) -> None:
    result = danvan("verify", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    warc.write_bytes(warc.read_bytes()[:-9])
    result = danvan("verify", "--quiet")
    assert result.code == 8
    assert "truncated" in result.out
    assert "of damage" in result.err


def test_a_check_that_was_stopped_is_noted_as_such(
    danvan: Danvan, archive: Any, warc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("danvan_crawler.verify.archive.verify_archive", stop)
    assert danvan("verify").code == 7
    [noted] = history(danvan)
    assert (noted["complete"], noted["exit_code"]) == (False, 7)
    assert danvan("verify", "--history").out.rstrip().endswith("stopped; no damage")


def test_an_archive_that_cannot_be_written_is_checked_all_the_same(danvan: Danvan, archive: Any, warc: Path) -> None:
    (archive.folder / "checks").write_text("no folder")
    result = danvan("verify")
    assert result.code == 0
    assert "danvan: this check is not in the history: cannot write" in result.err


def test_findings_belong_to_the_site_of_their_file() -> None:
    slugs = ["ha", "ha-nam-danvan"]
    assert site_of("warc/ha/2027/ha-1.warc.gz", slugs) == "ha"
    assert site_of("index/ha-nam-danvan-2027.cdxj", slugs) == "ha-nam-danvan"
    assert site_of("danvan.sqlite", slugs) == ""
    assert site_of("index/x-1.cdxj", slugs) == ""
