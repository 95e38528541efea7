"""Our settings: accepted values, and the errors for others."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler import settings as project
from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.exceptions import UsageError
from danvan_crawler.settings_check import CrawlSettings, Settings, check_settings, checked, from_environment

NUMBERS = [name for name, field in CrawlSettings.model_fields.items() if field.annotation in (int, float)]
WRONG = ["", "1GB", "-1", "nan", "inf", "1e12", "９", "1_000", "9" * 400]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", NUMBERS)
def test_an_invalid_number_is_an_error_with_the_setting(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        project_settings({name: value})
    assert str(caught.value).startswith(f"{name} must be a ")
    assert str(caught.value).endswith(f", got {value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("DANVAN_GZIP_LEVEL", "4"), ("DANVAN_KEEP_DAYS", "1000000"), ("DANVAN_WARC_MAX_BYTES", "0")],
)
def test_a_number_out_of_range_is_an_error_with_the_range(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a number from [0-9]+ to [0-9]+, got '{value}'"):
        project_settings({name: value})


@pytest.mark.parametrize("value", ["0", "0.5", ".5", " 3 ", 3, 2.5])
def test_days_may_have_a_fraction(value: object) -> None:
    settings = project_settings({"DANVAN_FEED_DAYS": value})
    assert settings.getfloat("DANVAN_FEED_DAYS") == float(str(value))


def test_the_defaults_are_numbers() -> None:
    check_settings(project_settings({}))


def test_an_unknown_log_level_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"DANVAN_LOG_LEVEL must be DEBUG, .* or CRITICAL, got 'loud'"):
        project_settings({"LOG_LEVEL": "loud"})


def test_every_setting_has_a_valid_default_and_a_description_of_one_line() -> None:
    assert set(NUMBERS) >= {"DANVAN_MIN_FREE", "DANVAN_FEED_DAYS", "DANVAN_MEMORY_LIMIT"}
    for name, field in Settings.model_fields.items():
        assert field.description is not None, name
        assert "\n" not in field.description, name
        default = field.default if name != "DANVAN_SITES" else os.pathsep.join(field.default)
        assert checked(name, default) == field.default


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["DANVAN_HANG_AFTER", "DANVAN_MEMORY_LIMIT"])
def test_an_invalid_number_in_the_environment_is_an_error_with_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"^{name} must be a .*, got '{value}'$"):
        from_environment(name)


def test_an_invalid_setting_stops_only_commands_that_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name, "\udcff")
    assert from_environment("DANVAN_SITES") == ("\udcff",)
    assert from_environment("DANVAN_OPERATOR") == "\udcff"
    monkeypatch.delenv("DANVAN_HANG_AFTER")
    assert from_environment("DANVAN_HANG_AFTER") == 900


def test_folders_are_separated_like_those_of_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_SITES", f"a{os.pathsep}{os.pathsep}b c")
    assert from_environment("DANVAN_SITES") == ("a", "b c")


@pytest.fixture
def imported_again(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings module, imported again in the environment of the test; restored after the test."""
    before = dict(vars(project))
    yield lambda: importlib.reload(project)
    vars(project).clear()
    vars(project).update(before)


def test_the_import_of_the_settings_survives_any_environment(
    monkeypatch: pytest.MonkeyPatch, imported_again: Any
) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name, "sai")
    imported_again()
    with pytest.raises(UsageError, match=r"^DANVAN_WARC_MAX_BYTES must be a whole number, got 'sai'$"):
        project_settings({})
    kept = dict.fromkeys(NUMBERS, "1")
    with pytest.raises(UsageError, match=r"^DANVAN_LOG_LEVEL must be DEBUG"):
        project_settings(kept)
    settings = project_settings(kept | {"LOG_LEVEL": "INFO"})
    assert settings["DANVAN_ARCHIVE"] == str(Path("sai").absolute())
    assert settings.getlist("DANVAN_SITES") == ["sai"]
    assert settings["DANVAN_WINDOW"] == "sai"
    assert "+sai)" in settings["USER_AGENT"]


def test_scrapy_settings_contain_only_the_settings_of_a_crawl() -> None:
    known = {str(name) for name in project_settings({}) if str(name).startswith("DANVAN_")}
    assert known == set(CrawlSettings.model_fields)
    assert project_settings({"DANVAN_MIN_FREE": "5"}).getint("DANVAN_MIN_FREE") == 5
