"""`danvan status` on an archive that has only run reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.problems import Problem

Danvan = Callable[..., Any]
Profile = Callable[..., str]

QUIET = Problem("quiet", "no new article for 40 days").as_json()


@pytest.fixture
def fleet(tmp_path: Path, profile: Profile) -> Path:
    """Three sites: a healthy one, a quiet one, one without a run."""
    archive = tmp_path / "archive"
    for folder in ("sites", "runs"):
        (archive / folder).mkdir(parents=True)
    for name in ("tot", "im", "moi"):
        (archive / "sites" / f"{name}.toml").write_text(profile(slug=f'"{name}-danvan"'), encoding="utf-8")
    for name, problems in (("tot", []), ("im", [QUIET])):
        began = "2026-11-22T18:30:00+00:00"
        report: dict[str, Any] = {"run_id": name, "site": f"{name}-danvan", "started_at": began, "finished_at": began}
        report |= {"exit_code": 4 if problems else 0, "problems": problems, "articles": {"new": 3}}
        path = archive / "runs" / f"20261122T183000Z-{name}.json"
        path.write_text(json.dumps(report, indent=2), encoding="utf-8")
    return archive


def test_each_site_has_a_line_and_each_problem_a_remedy(danvan: Danvan, fleet: Path) -> None:
    result = danvan("status")
    states = {line.split("\t")[0]: line.split("\t")[2] for line in result.out.splitlines()}
    assert states["tot-danvan"] == "good"
    assert states["im-danvan"] == "unhealthy"
    assert states["moi-danvan"] == "never run"
    assert "im-danvan: no new article for 40 days" in result.err
    assert "raise `quiet_days`" in result.err
    assert result.code == 4


def test_a_healthy_site_alone_exits_0(danvan: Danvan, fleet: Path) -> None:
    assert danvan("status", "--site", "tot-danvan").code == 0
    assert danvan("status", "--site", "moi-danvan").code == 0


def test_json_is_one_document(danvan: Danvan, fleet: Path) -> None:
    result = danvan("status", "--json", "--site", "im-danvan", "--site", "moi-danvan")
    document = json.loads(result.out)
    assert document["unhealthy"] == 1
    assert [one["site"] for one in document["sites"]] == ["im-danvan", "moi-danvan"]
    assert document["sites"][0]["problems"] == [QUIET]
    assert document["sites"][1]["last_run"] is None


def test_page_and_metrics_are_written(danvan: Danvan, fleet: Path, tmp_path: Path) -> None:
    assert danvan("status", "--html", "s.html", "--prometheus", "d.prom", "--site", "tot-danvan").code == 0
    assert (tmp_path / "s.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert 'danvan_site_up{site="tot-danvan"} 1' in (tmp_path / "d.prom").read_text("utf-8")


def test_an_unwritable_file_is_an_error_with_its_path(danvan: Danvan, fleet: Path) -> None:
    result = danvan("status", "--html", "no/such/folder/s.html")
    assert "cannot write no/such/folder/s.html: No such file or directory" in result.err
    assert result.code == 1


@pytest.mark.parametrize("option", ["--html", "--prometheus"])
@pytest.mark.parametrize("path", ["file/s.html", "x" * 300, "file/../file/x/s.html"])
def test_a_file_instead_of_a_folder_is_an_error_with_its_path(
    danvan: Danvan, fleet: Path, tmp_path: Path, option: str, path: str
) -> None:
    (tmp_path / "file").write_text("no folder")
    result = danvan("status", option, path)
    assert result.code == 1
    assert f"danvan: cannot write {path}: " in result.err


def test_an_unknown_site_is_wrong_usage(danvan: Danvan, fleet: Path) -> None:
    assert danvan("status", "--site", "tot-danvann").code == 2


def test_a_site_whose_profile_is_broken_is_unhealthy_and_the_others_are_shown(danvan: Danvan, fleet: Path) -> None:
    (fleet / "sites" / "tot.toml").write_text('slug = "tot-danvan"\n', encoding="utf-8")
    result = danvan("status")
    assert result.code == 4
    states = {line.split("\t")[0]: line.split("\t")[2] for line in result.out.splitlines()}
    assert states == {
        "im-danvan": "unhealthy",
        "moi-danvan": "never run",
        "tot-danvan": "error",
    }
    assert (
        f"tot-danvan: {fleet}/sites/tot.toml: name, family, home, province, body, sections: required key is missing"
        in result.err
    )
    assert danvan("status", "--site", "tot-danvan").code == 4
    assert danvan("status", "--site", "moi-danvan").code == 0
    assert danvan("status", "--html", "s.html", "--prometheus", "d.prom").code == 4


def test_the_sample_site_is_shown_only_on_request(danvan: Danvan, fleet: Path) -> None:
    assert "mau-danvan" not in danvan("status").out
    assert "mau-danvan" not in [one["site"] for one in json.loads(danvan("status", "--json").out)["sites"]]
    assert danvan("status", "--site", "mau-danvan").out.startswith("mau-danvan\t-\tdisabled")
    own = (fleet / "sites" / "tot.toml").read_text("utf-8").replace("tot-danvan", "mau-danvan")
    (fleet / "sites" / "mau.toml").write_text(own, encoding="utf-8")
    assert "mau-danvan" in danvan("status").out


def test_an_archive_without_an_enabled_site_says_why_nothing_is_shown(danvan: Danvan, tmp_path: Path) -> None:
    (tmp_path / "archive" / "warc" / "mau-danvan").mkdir(parents=True)
    result = danvan("status")
    assert (result.code, result.out) == (0, "")
    assert f"No site is enabled: put a profile into {tmp_path}/archive/sites.\n" in result.err
    assert "The archive has mau-danvan, the sample portal of `danvan demo`: `danvan status --site mau-danvan`" in (
        result.err
    )
    assert "0 sites" not in result.err
    danvan("status", "--html", "s.html")
    assert "No site is enabled" in (tmp_path / "s.html").read_text("utf-8")


def test_a_problem_of_several_sites_is_printed_once(danvan: Danvan, fleet: Path) -> None:
    problem = Problem("database_busy", "the item database was busy", ExitCode.ERROR).as_json()
    for name in ("tot", "im"):
        path = fleet / "runs" / f"20261122T183000Z-{name}.json"
        written = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**written, "exit_code": 1, "problems": [problem]}, indent=2), encoding="utf-8")
    result = danvan("status")
    assert "im-danvan, tot-danvan: the item database was busy\n" in result.err
    assert result.err.count(problem["remedy"]) == 1


def test_the_state_of_the_archive_is_in_json_and_metrics(danvan: Danvan, fleet: Path, tmp_path: Path) -> None:
    document = json.loads(danvan("status", "--json").out)
    assert document["archive"]["free_bytes"] > 0
    assert document["archive"]["scheduled"] is None
    assert document["archive"]["problems"] == []
    danvan("status", "--prometheus", "d.prom")
    text = (tmp_path / "d.prom").read_text("utf-8")
    assert "\ndanvan_archive_up 1.0\n" in text
    assert "\ndanvan_disk_free_bytes " in text


def test_a_broken_database_leaves_the_sites_readable(danvan: Danvan, fleet: Path) -> None:
    (fleet / "danvan.sqlite").write_bytes(b"no database" * 1000)
    result = danvan("status")
    assert result.code == 4
    assert "tot-danvan" in result.out
    assert "`danvan rebuild` makes the item database again" in result.err
