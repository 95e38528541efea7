"""A forked command prints, writes and returns the same as a started one. Each command is started here at least once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.cli import COMMANDS

COMMAND_LINES = {
    "no command": (),
    "an unknown option": ("search", "--nix"),
    "bagit": ("bagit", "mau-danvan", "-o", "BESIDE/bag"),
    "capture": ("capture", "RECORD", "-o", "BESIDE/payload"),
    "changes": ("changes", "--since", "2020-01-01", "--json"),
    "dates": ("dates", "BESIDE/lines.txt", "--now", "2027-03-01T00:00:00+07:00"),
    "export": ("export", "--format", "csv"),
    "export-warc": ("export-warc", "mau-danvan", "-o", "BESIDE/all.warc.gz"),
    "fixture": ("fixture", "RECORD", "-o", "BESIDE/page"),
    "import-warc": ("import-warc", "BESIDE/nothing.warc.gz"),
    "migrate": ("migrate", "--dry-run"),
    "rebuild": ("rebuild",),
    "schedule": ("schedule", "--time", "01:30"),
    "search": ("search", "hội nghị", "--json"),
    "show": ("show", "ITEM", "--json"),
    "sites": ("sites", "--json"),
    "status": ("status",),
    "suppress": ("suppress",),
    "verify": ("verify",),
    "wacz": ("wacz", "mau-danvan", "-o", "BESIDE/site.wacz"),
}
"""By command; in the arguments BESIDE stands for a folder, RECORD and ITEM for ids."""
STARTED_ELSEWHERE = {"crawl", "demo", "replay"}
OF_THE_CAPTURE = ("captured_at", "first_seen", "last_seen", "warc_file", "warc_offset", "warc_record_id")

SAYS = """
import json, os, random, sys, time
from danvan_crawler import clock
early = "twisted.internet.reactor" in sys.modules or "danvan_crawler.settings" in sys.modules
print(json.dumps([early, hash("seed"), random.random(), str(clock.now()), sys.argv[1:], os.getcwd(), sys.stdin.read()]))
if sys.argv[1:] == ["sleep"]:
    time.sleep(60)
os.kill(os.getpid(), int(sys.argv[1])) if len(sys.argv) == 2 else sys.exit(5)
"""


@pytest.fixture(scope="module")
def portal(new_portal: Callable[..., Any]) -> Any:
    return new_portal()


@pytest.fixture(scope="module")
def desk(portal: Any, new_desk: Callable[..., Any]) -> Any:
    made = new_desk(portal, only="dan-van-kheo")
    made.environment["DANVAN_CLOCK"] = "2027-03-01T01:30:00+07:00"
    started = made.run("-m", "danvan_crawler", "crawl", "mau-danvan")
    assert started.returncode == 0, started.stderr
    return made


def test_all_commands_are_compared() -> None:
    assert set(COMMANDS) - STARTED_ELSEWHERE == {name for name in COMMAND_LINES if " " not in name}


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_a_forked_command_has_the_result_of_a_started_one(desk: Any, name: str, tmp_path: Path) -> None:
    item = desk.export()[0]
    said = []
    for folder in ("started", "forked"):
        beside = tmp_path / folder
        beside.mkdir()
        (beside / "lines.txt").write_text("Ngày 23/05/2017\nHôm qua\n", encoding="utf-8")
        (beside / "nothing.warc.gz").write_bytes(b"")
        known = {"RECORD": item["warc_record_id"], "ITEM": item["item_id"]}
        arguments = [known.get(word, word.replace("BESIDE", str(beside))) for word in COMMAND_LINES[name]]
        command = ("-m", "danvan_crawler", *arguments)
        if folder == "started":
            done = desk.run(*command)
        else:
            done = desk.forked.run(command, folder=desk.folder, environment=desk.variables(), timeout=60)
        written = sorted(path.relative_to(beside).as_posix() for path in beside.rglob("*"))
        said.append((done.returncode, done.stdout, done.stderr.replace(str(beside), "BESIDE"), written))
    assert said[0] == said[1]


def test_a_forked_crawl_has_the_archive_and_database_of_a_started_one(
    portal: Any, desk: Any, new_desk: Callable[..., Any]
) -> None:
    forked = new_desk(portal, only="dan-van-kheo")
    forked.environment |= desk.environment
    forked.crawl()
    found = [
        (
            [{key: value for key, value in item.items() if key not in OF_THE_CAPTURE} for item in one.export()],
            sorted(record.block for record in one.records() if record.type == "response"),
        )
        for one in (desk, forked)
    ]
    for items, _ in found:
        for item in items:
            for kind in ("images", "attachments"):
                item[kind] = [{**media, "capture": bool(media["capture"])} for media in item[kind]]
    assert found[0] == found[1]


@pytest.fixture
def says(desk: Any, tmp_path: Path) -> Callable[..., tuple[int, list[Any]]]:
    """Exit code of a script in a fork, and what it reports about itself."""
    script = tmp_path / "says.py"
    script.write_text(SAYS, encoding="utf-8")

    def run(*arguments: str, timeout: float = 60) -> tuple[int, list[Any]]:
        environment = desk.variables() | {"DANVAN_CLOCK": "2027-03-01T01:30:00+07:00 +"}
        command = (str(script), *arguments)
        done = desk.forked.run(command, folder=tmp_path, environment=environment, timeout=timeout)
        return done.returncode, json.loads(done.stdout)

    return run


def test_a_fork_begins_in_the_state_of_a_new_process(
    says: Callable[..., tuple[int, list[Any]]], tmp_path: Path
) -> None:
    (code, first), (_, second) = says("a", "b"), says("a", "b")
    early, seed, number, now, arguments, folder, nothing = first
    assert code == 5
    assert not early
    assert (arguments, folder, nothing) == (["a", "b"], str(tmp_path), "")
    assert now.startswith("2027-02-28 18:30:0")
    assert seed != second[1]
    assert number != second[2]


def test_a_fork_killed_by_a_signal_returns_the_signal_number(says: Callable[..., tuple[int, list[Any]]]) -> None:
    assert [says(number)[0] for number in ("9", "15")] == [-9, -15]


def test_a_fork_that_does_not_end_is_killed(says: Callable[..., tuple[int, list[Any]]]) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        says("sleep", timeout=1)
    assert says("a", "b")[0] == 5


def test_a_command_with_options_of_python_is_started_and_not_forked(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(desk.environment, "PYTHONWARNINGS", "error")
    monkeypatch.setattr(desk, "forked", None)
    assert "danvan" in desk.danvan("--version").stdout
