"""`danvan sites`, and how commands that crawl refuse wrong arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Danvan = Callable[..., Any]
Profile = Callable[..., str]


@pytest.fixture
def put(tmp_path: Path, profile: Profile) -> Callable[..., Path]:
    """Writes a profile into a folder; returns its path."""

    def write(folder: str, **parts: str) -> Path:
        path = tmp_path / folder / "x.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(profile(**parts), encoding="utf-8")
        return path

    return write


Put = Callable[..., Path]


def test_sites_are_listed_by_slug_including_those_of_the_archive(danvan: Danvan, put: Put) -> None:
    put("archive/sites")
    result = danvan("sites")
    assert result.code == 0
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[0] for row in rows] == ["mau-danvan", "thanhhoa-danvan"]
    assert rows[1] == [
        "thanhhoa-danvan",
        "Ban Dân vận Tỉnh ủy Thanh Hóa",
        "danvan_portal",
        "https://danvan.example.vn/",
    ]


def test_sites_as_json_are_one_document_with_all_keys(danvan: Danvan, put: Put) -> None:
    path = put("archive/sites", delay="2.5", aliases='["old.example.vn"]')
    found = {site["slug"]: site for site in json.loads(danvan("sites", "--json").out)}
    assert found["thanhhoa-danvan"]["delay"] == 2.5
    assert found["thanhhoa-danvan"]["aliases"] == ["old.example.vn"]
    assert found["thanhhoa-danvan"]["profile"] == str(path)


def test_a_profile_is_shown_as_it_is_written(danvan: Danvan, put: Put) -> None:
    path = put("archive/sites")
    result = danvan("sites", "show", "thanhhoa-danvan")
    assert result.out == path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    assert result.err == f"# {path}\n"


def test_a_profile_is_shown_as_json(danvan: Danvan, put: Put) -> None:
    put("archive/sites", end="[[layouts]]\nuntil = 2019-06-01\nselectors = { title = 'h1' }\n")
    found = json.loads(danvan("sites", "show", "thanhhoa-danvan", "--json").out)
    assert found["layouts"] == [{"until": "2019-06-01", "selectors": {"title": "h1"}}]


def test_profiles_of_the_option_take_precedence_over_environment_and_archive(
    danvan: Danvan, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("archive/sites", name='"archive"')
    monkeypatch.setenv("DANVAN_SITES", str(put("environment", name='"environment"').parent))
    option = put("option", name='"option"').parent
    show = ["show", "thanhhoa-danvan", "--json"]
    assert json.loads(danvan("sites", *show).out)["name"] == "environment"
    assert json.loads(danvan("sites", "--sites", option, *show).out)["name"] == "option"
    assert json.loads(danvan("sites", *show, "--sites", option).out)["name"] == "option"


def test_a_missing_folder_of_profiles_is_wrong_usage(danvan: Danvan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert danvan("sites", "--sites", "nosuch").code == 2
    monkeypatch.setenv("DANVAN_SITES", "nosuch")
    result = danvan("sites")
    assert (result.code, result.err) == (2, "danvan: DANVAN_SITES: nosuch is not a folder\n")


def test_an_invalid_profile_is_an_error_with_key_and_reason(danvan: Danvan, put: Put) -> None:
    path = put("archive/sites", province='"21"')
    for command in (["sites", "show", "thanhhoa-danvan"], ["crawl", "thanhhoa-danvan"], ["rebuild"]):
        result = danvan(*command)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(f"danvan: {path}: province: ")


@pytest.mark.parametrize("command", [["sites", "show"], ["crawl"]], ids=" ".join)
def test_an_unknown_slug_is_wrong_usage_with_similar_slugs(danvan: Danvan, command: list[str]) -> None:
    result = danvan(*command, "mau-danvn")
    assert (result.code, result.out) == (2, "")
    assert result.err == "danvan: no site has the slug 'mau-danvn'; did you mean mau-danvan?\n"


def test_a_site_that_is_not_enabled_is_not_crawled(danvan: Danvan, tmp_path: Path) -> None:
    result = danvan("crawl", "mau-danvan")
    assert result.code == 2
    assert "site 'mau-danvan' has enabled = false in " in result.err
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("arguments", [[], ["mau-danvan", "--all"]], ids=["neither", "both"])
def test_a_crawl_needs_either_slugs_or_all(danvan: Danvan, arguments: list[str]) -> None:
    result = danvan("crawl", *arguments)
    assert result.code == 2
    assert "name the sites to crawl, or give --all" in result.err


def test_a_crawl_of_all_without_an_enabled_site_is_wrong_usage(danvan: Danvan) -> None:
    result = danvan("crawl", "--all")
    assert result.code == 2
    assert "no site is enabled" in result.err


@pytest.mark.parametrize(
    "option",
    [("--jobs", "0"), ("--jobs", "65"), ("--max-pages", "0"), ("--time-limit", "0"), ("--time-limit", "1h")],
    ids=" ".join,
)
def test_a_number_out_of_range_is_wrong_usage(danvan: Danvan, option: tuple[str, str]) -> None:
    result = danvan("crawl", "mau-danvan", *option)
    assert result.code == 2
    assert option[0] in result.err


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_an_invalid_port_is_wrong_usage(danvan: Danvan, port: str) -> None:
    assert danvan("demo", "--port", port).code == 2


def test_a_broken_profile_is_reported_and_the_other_sites_are_listed(danvan: Danvan, put: Put, tmp_path: Path) -> None:
    put("archive/sites")
    broken = tmp_path / "archive" / "sites" / "sai-danvan.toml"
    broken.write_text('slug = "sai-danvan"\n', encoding="utf-8")
    result = danvan("sites")
    assert result.code == 2
    assert [line.split("\t")[0] for line in result.out.splitlines()] == ["mau-danvan", "thanhhoa-danvan"]
    assert f"danvan: {broken}: name, family, home, province, body, sections: required key is missing" in result.err
    assert danvan("sites", "show", "thanhhoa-danvan").code == 0
    refused = danvan("sites", "show", "sai-danvan")
    assert (refused.code, refused.out) == (2, "")
    assert f"{broken}: name, family, home, province, body, sections: required key is missing" in refused.err
