"""An unusable setting or a broken archive is reported by status and notifications like any other problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

WRONG = {
    "DANVAN_REVISIT_DAYS": "foo",
    "DANVAN_MIN_FREE": "1GB",
    "DANVAN_WINDOW": "foo",
    "DANVAN_KEEP_DAYS": "nan",
    "DANVAN_LOG_LEVEL": "loud",
}


@pytest.fixture
def desk(new_desk: Callable[..., Any]) -> Any:
    """A desk whose one site cannot be reached: the commands fail before they contact it."""
    return new_desk("http://127.0.0.1:9/", slug="mot-danvan")


def problem(desk: Any) -> tuple[str, str]:
    """Kind and text of the site's problem in the output of status."""
    document = json.loads(desk.danvan("status", "--json", "--site", "mot-danvan", code=4).stdout)
    [found] = document["sites"][0]["problems"]
    return found["kind"], found["text"]


@pytest.mark.parametrize(
    ("name", "command"), [*((name, ("mot-danvan",)) for name in WRONG), ("DANVAN_REVISIT_DAYS", ("--all",))]
)
def test_an_unusable_setting_is_one_error_line_and_a_problem(desk: Any, name: str, command: tuple[str, ...]) -> None:
    desk.environment[name] = WRONG[name]
    said = desk.danvan("crawl", *command, code=2).stderr
    assert "Traceback" not in said
    assert repr(WRONG[name]) in said
    del desk.environment[name]
    kind, text = problem(desk)
    assert kind == "settings"
    assert text.startswith(name)
    assert repr(WRONG[name]) in text


@pytest.mark.parametrize("command", [("mot-danvan",), ("--all",)], ids=["alone", "all"])
def test_an_invalid_database_is_a_problem(desk: Any, command: tuple[str, ...]) -> None:
    desk.archive.mkdir()
    (desk.archive / "danvan.sqlite").write_bytes(b"no database" * 1000)
    desk.danvan("crawl", *command, code=1)
    (desk.archive / "danvan.sqlite").unlink()
    assert problem(desk)[0] == "database"


@pytest.mark.parametrize("command", [("crawl", "mot-danvan"), ("list",)], ids=lambda words: words[0])
def test_scrapy_reports_the_same(desk: Any, command: tuple[str, ...]) -> None:
    desk.environment["DANVAN_MIN_FREE"] = "1GB"
    said = desk.scrapy(*command, code=2).stderr
    assert "DANVAN_MIN_FREE must be a whole number, got '1GB'" in said


def test_one_broken_profile_stops_no_other_site(new_portal: Callable[..., Any], new_desk: Callable[..., Any]) -> None:
    desk = new_desk(new_portal(), slug="tot-danvan", only="dan-van-kheo")
    broken = desk.profile("http://127.0.0.1:9/", slug="sai-danvan", delay='"chậm"')
    said = desk.danvan("crawl", "--all", "--quiet", code=2).stderr
    assert f"sai-danvan: exit code 2 ({broken}: delay: " in said
    assert "tot-danvan" not in said
    reports = [json.loads(path.read_text("utf-8")) for path in desk.archive.glob("runs/*.json")]
    assert {report["site"]: report["exit_code"] for report in reports} == {"tot-danvan": 0, "sai-danvan": 2}
    assert f"{broken}: delay: " in desk.danvan("crawl", "sai-danvan", code=2).stderr
    listed = desk.scrapy("list", code=2)
    assert "tot-danvan" in listed.stdout.split()
    assert "sai-danvan" not in listed.stdout.split()
    assert f"{broken}: delay: " in listed.stderr
    desk.crawl("--max-pages", "1", slug="tot-danvan")
