"""Parses the spider's arguments, which `scrapy crawl -a NAME=VALUE` and `danvan crawl` pass as text."""

from __future__ import annotations

from datetime import date

from danvan_crawler.exceptions import UsageError


def flag(value: str | bool) -> bool:
    """Whether an argument is set: not empty, 0, false or no."""
    return value not in (False, "", "0", "false", "no")


def day(name: str, value: str | None) -> date | None:
    """An ISO day; None if not given. Raises UsageError naming the argument."""
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{name}: must be a day like 2017-05-23, got {value!r}") from error


def count(name: str, value: str | int | None) -> int | None:
    """A whole number of at least 1; None if not given. Raises UsageError naming the argument."""
    if value is None or value == "":
        return None
    try:
        number = int(value)
    except ValueError as error:
        raise UsageError(f"{name}: must be a whole number, got {value!r}") from error
    if number < 1:
        raise UsageError(f"{name}: must be at least 1, got {value}")
    return number
