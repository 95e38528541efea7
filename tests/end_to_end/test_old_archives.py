"""Archives and databases of earlier code: their files open, and a rebuild gives the export made then.

They are in tests/fixtures/archives, whose README.md says how they were recorded. Each comes with the export that the
code of that time made of it. The fields of that export are compared: later versions may add some.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.store.database import open_for_writing

RECORDED = Path(__file__).resolve().parents[1] / "fixtures" / "archives"
FINISHED = ["nukeviet", "three-nights"]
"""Archives in which every run finished."""
ARCHIVES = [*FINISHED, "cut-short"]
DATABASES = sorted(path.name for path in RECORDED.glob("demo-of-schema-*"))
"""Databases without WARC files, by the version of their schema."""

Unpack = Callable[[str], Any]


@pytest.fixture
def unpack(new_desk: Callable[..., Any]) -> Unpack:
    """Makes a desk with a recorded archive, by its name."""

    def make(name: str) -> Any:
        desk = new_desk()
        with tarfile.open(RECORDED / name / "archive.tar.gz") as packed:
            packed.extractall(desk.folder, filter="data")
        assert desk.archive.is_dir()
        return desk

    return make


def kept(name: str) -> list[dict[str, Any]]:
    """The export that was made when the archive was recorded."""
    lines = (RECORDED / name / "export.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def after_a_rebuild(name: str) -> list[dict[str, Any]]:
    """The expected export after a rebuild: the recorded one, unless a parser was changed on purpose since."""
    path = RECORDED / name / "export-rebuilt.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else kept(name)


def by_id(items: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in sorted(items, key=lambda item: item["item_id"]):
        assert item["item_id"] not in found, f"{item['item_id']} is exported twice"
        found[item["item_id"]] = item
    return found


def differences(before: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> list[str]:
    """One line for each item that is missing or unexpected, and for each field of `before` that differs."""
    old, new = by_id(before), by_id(now)
    lines = [f"{key}: is missing" for key in old.keys() - new.keys()]
    lines += [f"{key}: was not there" for key in new.keys() - old.keys()]
    for key in old.keys() & new.keys():
        for field, value in old[key].items():
            if field not in new[key]:
                lines.append(f"{key} {field}: is missing")
            elif new[key][field] != value:
                lines.append(f"{key} {field}: was {value!r}, is {new[key][field]!r}")
    return sorted(lines)


def test_differences_name_item_and_field_and_allow_new_fields() -> None:
    before: list[dict[str, Any]] = [
        {"item_id": "a", "title": "Một"},
        {"item_id": "b", "title": "Hai", "lead": ""},
        {"item_id": "c"},
    ]
    now: list[dict[str, Any]] = [
        {"item_id": "d"},
        {"item_id": "b", "title": "Ba"},
        {"item_id": "a", "title": "Một", "new": 1},
    ]
    assert differences(before, now) == [
        "b lead: is missing",
        "b title: was 'Hai', is 'Ba'",
        "c: is missing",
        "d: was not there",
    ]


@pytest.mark.parametrize("name", [*ARCHIVES, *DATABASES])
def test_an_old_database_opens_and_gives_the_recorded_export(unpack: Unpack, name: str) -> None:
    desk = unpack(name)
    # As a crawl opens it: one of an older schema is brought up to date.
    open_for_writing(database_path(desk.archive)).dispose()
    assert differences(kept(name), desk.export()) == []


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_rebuild_gives_the_recorded_export(unpack: Unpack, name: str) -> None:
    desk = unpack(name)
    for path in desk.archive.glob("danvan.sqlite*"):
        path.unlink()
    desk.danvan("rebuild")
    assert differences(after_a_rebuild(name), desk.export()) == []


@pytest.mark.parametrize("name", FINISHED)
def test_a_rebuild_over_an_old_database_gives_the_recorded_export(unpack: Unpack, name: str) -> None:
    desk = unpack(name)
    desk.danvan("rebuild")
    assert differences(after_a_rebuild(name), desk.export()) == []


@pytest.mark.parametrize("name", FINISHED)
def test_verify_finds_no_damage(unpack: Unpack, name: str) -> None:
    assert "no damage" in unpack(name).danvan("verify").stderr


def test_the_file_of_the_killed_run_is_reported_as_unfinished_and_not_as_damaged(unpack: Unpack) -> None:
    desk = unpack("cut-short")
    [unfinished] = desk.warc_files("*.open")
    said = desk.danvan("verify")
    assert f"{unfinished.name}: unfinished" in said.stdout
    assert "no damage" in said.stderr


def test_a_rebuild_reads_the_file_of_the_killed_run(unpack: Unpack) -> None:
    desk = unpack("cut-short")
    [unfinished] = desk.warc_files("*.open")
    desk.danvan("rebuild")
    assert unfinished.with_suffix("") in desk.warc_files()
    assert desk.warc_files("*.open") == []
    assert differences(after_a_rebuild("cut-short"), desk.export()) == []
