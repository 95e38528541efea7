"""A full or nearly full disk, and files that are removed: a crawl stops, and complete records stay.

The full disk is a real one, a tmpfs of 3 MB in its own mount namespace (`unshare`), for which root is not needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import articles

MODEL = "/tin-tuc/dan-van-kheo/"
TOO_MUCH = {"DANVAN_MIN_FREE": "9000000000000000000"}
ON_A_SMALL_DISK = """
import json, shutil, subprocess, sys
from pathlib import Path

archive, kept = map(Path, sys.argv[1:])

def danvan(*arguments):
    run = subprocess.run([sys.executable, "-m", "danvan_crawler", *arguments], capture_output=True, text=True)
    return [run.returncode, run.stdout + run.stderr]

archive.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(archive)], check=True)
said = {"full": danvan("crawl", "mau-danvan"), "full verified": danvan("verify")}
shutil.copytree(archive, kept / "full")
subprocess.run(["mount", "-o", "remount,size=64m", str(archive)], check=True)
said |= {"again": danvan("crawl", "mau-danvan"), "again verified": danvan("verify")}
shutil.copytree(archive, kept / "again")
print(json.dumps(said))
"""
"""A crawl on a disk of 3 MB, another when it has grown; the disk goes with the namespace, so both are copied."""
_NAMESPACE = ("unshare", "--map-root-user", "--mount")


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


needs_unshare = pytest.mark.skipif(not can_unshare(), reason="no mount namespace can be made here (unshare)")


@pytest.fixture(scope="module")
def small_disk(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any], answer: Callable[..., bytes]
) -> tuple[Any, Any, dict[str, Any]]:
    """The portal, whose pictures are large, a desk, and the commands' exit codes and output by step."""
    portal = new_portal()
    for article in articles(1):
        for image in article.images:
            portal.pages[image.path] = answer(os.urandom(300_000), media_type="image/png")
    desk = new_desk(portal, only="dan-van-kheo")
    command = [*_NAMESPACE, sys.executable, "-c", ON_A_SMALL_DISK, str(desk.archive), str(desk.folder)]
    run = subprocess.run(
        command, cwd=desk.folder, env=desk.variables(), capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return portal, desk, json.loads(run.stdout)


def look_at(small_disk: Any, step: str) -> tuple[Any, Any]:
    """Portal and desk, with the archive as it was after a step."""
    portal, desk, _ = small_disk
    desk.archive = desk.folder / step
    return portal, desk


@needs_unshare
def test_a_full_disk_stops_the_crawl_with_its_own_exit_code(small_disk: Any) -> None:
    code, said = small_disk[2]["full"]
    assert code == 6, said
    assert "no space left for the archive" in said
    assert "Traceback" not in said


@needs_unshare
def test_everything_complete_is_kept_when_the_disk_is_full(small_disk: Any) -> None:
    portal, desk = look_at(small_disk, "full")
    assert desk.warc_files("*.open") == []
    kept = [record.block for record in desk.records() if record.type == "response"]
    assert kept == [exchange.response for exchange in portal.exchanges[: len(kept)]]
    assert len(kept) > 5
    code, said = small_disk[2]["full verified"]
    assert code == 0, said


@needs_unshare
def test_every_item_stored_before_the_disk_was_full_has_its_record(small_disk: Any) -> None:
    _, desk = look_at(small_disk, "full")
    items = desk.export()
    assert items
    assert {item["warc_record_id"] for item in items} <= {record.id for record in desk.records()}


@needs_unshare
def test_with_free_space_the_next_run_continues(small_disk: Any) -> None:
    code, said = small_disk[2]["again"]
    assert code == 0, said
    code, said = small_disk[2]["again verified"]
    assert code == 0, said
    _, desk = look_at(small_disk, "again")
    items = desk.export()
    assert len(items) == len([one for one in articles(1) if one.section.path == MODEL])
    assert [image["url"] for item in items for image in item["images"] if image["capture"] is None] == []


def test_below_the_disk_floor_nothing_is_requested(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    desk.environment |= TOO_MUCH
    said = desk.crawl(code=6).stderr
    assert "MB are free on its file system" in said
    assert "(DANVAN_MIN_FREE)" in said
    assert portal.arrived == []
    [report] = [json.loads(path.read_text("utf-8")) for path in desk.archive.glob("runs/*.json")]
    assert (report["exit_code"], report["problems"][0]["kind"]) == (6, "disk_full")


FLOOR_RISES = """
import sys
from danvan_crawler.cli import main
from danvan_crawler.warc import writer

require_space, asked = writer.require_space, []

def rises(folder, min_free, size=0):
    asked.append(size)
    require_space(folder, 1 << 62 if len(asked) > 5 else min_free, size)

writer.require_space = rises
main(sys.argv[1:])
"""
"""Runs `danvan` on a disk on which the floor is reached with the sixth exchange: others are filling it."""


def test_a_crawl_that_reaches_the_floor_stops_and_the_next_one_continues(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    result = desk.run("-c", FLOOR_RISES, "crawl", "mau-danvan")
    assert result.returncode == 6, result.stderr
    assert "no space left for the archive: " in result.stderr
    assert "must stay free (DANVAN_MIN_FREE)" in result.stderr
    assert [record.type for record in desk.records()].count("response") == 5
    desk.danvan("verify")
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL])


@pytest.fixture
def disturbed(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> tuple[Any, Any, Path, Any]:
    """A crawl that waits for an answer: desk, process, its open file, and the event that releases the answer."""
    portal = new_portal()
    desk = new_desk(portal, only="dan-van-kheo")
    held = f"{MODEL}trang-2/"
    gate = portal.hold(held)
    crawl = desk.start("crawl", "mau-danvan")
    portal.wait_for(held)
    [path] = desk.warc_files("*.open")
    return desk, crawl, path, gate


def test_a_file_that_is_removed_while_it_is_written_stops_the_crawl_and_is_written_again(disturbed: Any) -> None:
    desk, crawl, path, gate = disturbed
    content = path.read_bytes()
    path.unlink()
    gate.set()
    said = desk.finish(crawl, code=1)
    assert f"{path} was removed, moved or replaced while it was being written" in said
    assert path.with_suffix("").read_bytes() == content
    desk.danvan("verify")
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL])
    desk.danvan("verify")


def test_a_removed_folder_with_an_open_file_is_reported_and_a_rebuild_drops_its_items(disturbed: Any) -> None:
    desk, crawl, path, gate = disturbed
    shutil.rmtree(path.parent)
    gate.set()
    assert "cannot finish" in desk.finish(crawl, code=1)
    assert "item-record-missing" in desk.danvan("verify", code=8).stdout
    assert f"{path.with_suffix('')} is gone, but the item database names records in it" in desk.crawl().stderr
    desk.danvan("rebuild")
    desk.danvan("verify")
    desk.crawl()
    assert len(desk.export()) == len([one for one in articles(1) if one.section.path == MODEL])
    desk.danvan("verify")
