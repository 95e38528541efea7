"""Settings that are numbers: what is taken, and how what is not is said."""

from __future__ import annotations

import pytest

from danvan_crawler.crawl.runner import project_settings
from danvan_crawler.exceptions import UsageError
from danvan_crawler.settings_check import NUMBERS, check_settings


@pytest.mark.parametrize("value", ["", "1GB", "-1", "nan", "inf", "1e12", "９", "1_000", "9" * 400])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_named_with_its_setting(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        project_settings({name: value})
    assert str(caught.value).startswith(f"{name} must be a ")
    assert str(caught.value).endswith(f", got {value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("DANVAN_GZIP_LEVEL", "4"), ("DANVAN_KEEP_DAYS", "1000000"), ("DANVAN_WARC_MAX_BYTES", "0")],
)
def test_a_number_out_of_its_range_is_named_with_it(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a number from [0-9]+ to [0-9]+, got '{value}'"):
        project_settings({name: value})


@pytest.mark.parametrize("value", ["0", "0.5", ".5", " 3 ", 3, 2.5])
def test_days_may_have_a_fraction(value: object) -> None:
    settings = project_settings({"DANVAN_FEED_DAYS": value})
    assert settings.getfloat("DANVAN_FEED_DAYS") == float(str(value))


def test_the_defaults_are_numbers() -> None:
    check_settings(project_settings({}))


def test_a_log_level_that_does_not_exist_is_said() -> None:
    with pytest.raises(UsageError, match=r"DANVAN_LOG_LEVEL must be DEBUG, .* or CRITICAL, got 'loud'"):
        project_settings({"LOG_LEVEL": "loud"})
