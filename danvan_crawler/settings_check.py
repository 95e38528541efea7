"""All settings of our own: names, defaults, allowed values, and the error message for a wrong value.

A setting is an environment variable; those of `CrawlSettings` can also be given with `scrapy crawl -s NAME=VALUE`.
Each is read and checked by itself, when it is needed: a wrong value stops the crawl that reads it, and not the
`danvan status` that reports this. So this is not a model of pydantic-settings, which reads all settings or none.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SkipValidation,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from danvan_crawler.exceptions import UsageError


def _written_as(pattern: str) -> BeforeValidator:
    """Scrapy parses the text again with `int` or `float`, so both Python and pydantic must accept it as a number."""

    def check(value: object) -> str:
        text = str(value).strip()
        if not re.fullmatch(pattern, text, re.ASCII):
            raise PydanticCustomError("not_a_number", "is not written as a number")
        return text

    return BeforeValidator(check)


def _folders(text: str) -> tuple[str, ...]:
    return tuple(folder for folder in text.split(os.pathsep) if folder)


def _level(name: str) -> str:
    if name not in logging.getLevelNamesMapping():
        raise ValueError("must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return name


_Text = SkipValidation[str]
"""Any text, even if it is not UTF-8."""
_Whole = Annotated[int, _written_as(r"[0-9]+")]
_Decimal = Annotated[float, _written_as(r"[0-9]*\.?[0-9]+"), Field(allow_inf_nan=False)]
_Bytes = Annotated[_Whole, Field(ge=0, le=2**63 - 1)]
_Days = Annotated[_Decimal, Field(ge=0, le=36525)]  # a century


class CrawlSettings(BaseModel):
    """The settings of a crawl, which are also Scrapy settings."""

    model_config = ConfigDict(validate_assignment=True, use_attribute_docstrings=True)

    DANVAN_ARCHIVE: _Text = "archive"
    """The archive folder."""
    DANVAN_SITES: Annotated[tuple[str, ...], PlainValidator(_folders)] = ()
    """Folders of further site profiles, separated like PATH."""
    DANVAN_OPERATOR: _Text = ""
    """Who runs the crawl, for the warcinfo record and for Source-Organization in a bag."""
    DANVAN_CONTACT: _Text = ""
    """Address or URL in the User-Agent, so that a webmaster can write."""
    DANVAN_WARC_MAX_BYTES: Annotated[_Whole, Field(ge=1, le=2**63 - 1)] = 1_000_000_000
    """Size in bytes after which a new WARC file is begun."""
    DANVAN_MIN_FREE: _Bytes = 1_000_000_000
    """Bytes that stay free on the archive's file system; a crawl that would leave less stops."""
    DANVAN_GZIP_LEVEL: Annotated[_Whole, Field(ge=0, le=3)] = 2
    """Level of compression of WARC files."""
    DANVAN_REVISIT_DAYS: _Text = "1,3,7,30,180"
    """Days after publication on which a known article is requested again. `store.lifecycle` checks it."""
    DANVAN_REVISIT_EVERY: _Days = 365
    """Days in which every known article is requested again at least once, after the days above; 0: never."""
    DANVAN_MAX_MEDIA: _Bytes = 20_000_000
    """Bytes of a film or recording that are fetched."""
    DANVAN_SWEEP_DAYS: _Days = 30
    """Days after which all pages of a section are read again."""
    DANVAN_FEED_DAYS: _Days = 3
    """Days for which a reliable sitemap may replace the listings; 0: never."""
    DANVAN_KEEP_DAYS: _Days = 400
    """Days for which run reports and logs are kept; 0: forever."""
    DANVAN_MAX_RETRY_AFTER: Annotated[_Decimal, Field(ge=0, le=10**8)] = 120
    """Longest wait in seconds that a server may ask for; beyond it the run of the site ends."""
    DANVAN_WINDOW: _Text = ""
    """Hours in which sites are crawled whose profile names none, e.g. 22:00-06:00. `crawl.window` checks it."""
    DANVAN_MEMORY_LIMIT: Annotated[_Whole, Field(ge=0, le=10**9)] = 1024
    """MiB of memory after which the crawl of a site stops; 0: no limit."""


class Settings(CrawlSettings):
    """All settings: those of a crawl, and those that are read from the environment only."""

    DANVAN_HANG_AFTER: Annotated[_Whole, Field(ge=0, le=10**9)] = 900
    """Seconds without a finished request after which a site's process is stopped; 0: never."""
    DANVAN_LOG_LEVEL: Annotated[_Text, AfterValidator(_level)] = "WARNING"
    """The least severe messages in a log. Scrapy's own name is LOG_LEVEL."""
    DANVAN_NOTIFY: _Text = ""
    """apprise URLs that get a message if the health of a site changes, separated by spaces or commas."""
    DANVAN_WAYBACK: _Text = ""
    """pywb's program `wayback`; without it, it is searched for."""
    DANVAN_VERIFY_DAYS: _Days = 30
    """Days after which the nightly crawl checks the whole archive again, as `danvan verify` does; 0: never."""
    DANVAN_CLOCK: _Text = ""
    """For tests: the time that everything uses as now. `clock` reads and checks it."""


def checked(name: str, value: object) -> Any:
    """The value of a setting, with the type of the model. Raises UsageError, which says what the value must be."""
    settings = Settings.model_construct()
    try:
        setattr(settings, name, value)
    except ValidationError as error:
        raise UsageError(f"{name} {_reason(name, error.errors()[0])}, got {str(value).strip()!r}") from error
    return getattr(settings, name)


def from_environment(name: str) -> Any:
    """A setting as the environment holds it, or its default. Raises UsageError as `checked` does."""
    return checked(name, os.environ[name]) if name in os.environ else Settings.model_fields[name].default


def unchecked(name: str) -> Any:
    """The unchecked text of a setting in the environment, or its default. Raises nothing."""
    return os.environ.get(name, Settings.model_fields[name].default)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises UsageError for the first invalid setting of a crawl."""
    for name, field in CrawlSettings.model_fields.items():
        if field.annotation in (int, float):
            checked(name, settings.get(name))
    if isinstance(level := settings.get("LOG_LEVEL"), str):
        checked("DANVAN_LOG_LEVEL", level)


def _reason(name: str, error: Any) -> str:
    field = Settings.model_fields[name]
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] in ("greater_than_equal", "less_than_equal"):
        least = next(bound.ge for bound in field.metadata if hasattr(bound, "ge"))
        most = next(bound.le for bound in field.metadata if hasattr(bound, "le"))
        return f"must be a number from {least} to {most}"
    return "must be a whole number" if field.annotation is int else "must be a number"
