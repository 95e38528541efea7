"""Reading run reports: an invalid report is ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.crawl.retention import remove_expired
from danvan_crawler.health.history import run_report_of, run_reports
from danvan_crawler.health.prometheus import exposition
from danvan_crawler.health.reports import longest_waiting_first
from danvan_crawler.health.status import status
from danvan_crawler.health.status_page import page
from danvan_crawler.sites.profile import Site

SLUG = "thanhhoa-danvan"
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
RIGHT: dict[str, Any] = {
    "run_id": "0a1b2c3d",
    "site": SLUG,
    "started_at": "2026-11-22T18:30:00+00:00",
    "finished_at": "2026-11-22T18:40:00+00:00",
    "exit_code": 0,
    "findings": [],
    "problems": [],
    "duration_seconds": 600.5,
    "requests": 7,
    "bytes": 70,
    "articles": {"new": 3},
    "coverage": {"articles": 3, "author": 2},
}
WRONG: list[tuple[str, Any]] = [
    ("coverage", None),
    ("coverage", {"articles": "x"}),
    ("coverage", {"articles": -1}),
    ("articles", None),
    ("articles", {"new": 1.5}),
    ("articles", [1]),
    ("exit_code", float("inf")),
    ("exit_code", True),
    ("exit_code", "0"),
    ("site", [1]),
    ("site", None),
    ("run_id", 7),
    ("started_at", "2026-11-22T18:30:00"),
    ("started_at", "0001-01-01T00:00:00+00:00"),
    ("started_at", "9999-12-31T23:59:59-14:00"),
    ("started_at", 7),
    ("finished_at", None),
    ("findings", "in words"),
    ("findings", [7]),
    ("problems", {"kind": "quiet"}),
    ("problems", [{"kind": ["quiet"]}]),
    ("problems", [{"kind": "quiet", "exit_code": [4]}]),
    ("requests", 10**400),
    ("requests", "many"),
    ("bytes", float("nan")),
    ("duration_seconds", float("nan")),
    ("duration_seconds", 10**400),
]


def write(archive: Path, text: str, number: int = 0) -> None:
    folder = archive / "runs"
    folder.mkdir(exist_ok=True)
    (folder / f"20261122T183000Z-{number:08x}.json").write_text(text, encoding="utf-8")


def test_a_valid_report_is_read() -> None:
    night = run_report_of(RIGHT)
    assert night is not None
    assert (night.site, night.code, night.seconds, night.coverage) == (SLUG, 0, 600.5, {"articles": 3, "author": 2})


def test_a_report_of_an_older_version_may_lack_keys() -> None:
    assert run_report_of({key: RIGHT[key] for key in ("run_id", "site", "started_at", "finished_at", "exit_code")})


@pytest.mark.parametrize(("key", "value"), WRONG, ids=lambda value: str(value)[:30])
def test_a_report_with_a_value_of_a_wrong_type_is_none(key: str, value: Any) -> None:
    assert run_report_of({**RIGHT, key: value}) is None


def test_a_text_with_lone_surrogates_can_be_printed() -> None:
    night = run_report_of({**RIGHT, "exit_code": 3, "findings": ["a \ud800"]})
    assert night is not None
    assert night.findings == ("a ?",)


def test_no_reader_of_reports_raises_an_error(tmp_path: Path, profile: Callable[..., str]) -> None:
    texts = [json.dumps({**RIGHT, key: value}, indent=2) for key, value in WRONG]
    texts += [f'{{"site": "{SLUG}", "x": {"[" * 100_000}', "7", "", "\x00", json.dumps(RIGHT, indent=2)]
    for number, text in enumerate(texts):
        write(tmp_path, text, number)
    assert [night.code for night in run_reports(tmp_path, SLUG)] == [0]
    [site] = found = status(tmp_path, [Site.parse(profile())], NOW)
    assert (site.outcome, len(site.runs)) == ("good", 1)
    assert page(found, NOW).startswith("<!DOCTYPE html>")
    assert f'danvan_last_run_requests{{site="{SLUG}"}} 7' in exposition(found)
    assert longest_waiting_first(tmp_path, [SLUG]) == [SLUG]
    remove_expired(tmp_path, SLUG, 0.5)
