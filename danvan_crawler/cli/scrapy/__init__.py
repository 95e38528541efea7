"""`scrapy crawl`, `list` and `runspider` with the exit codes of the contract (setting COMMANDS_MODULE)."""

from __future__ import annotations

from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from danvan_crawler import exceptions
from danvan_crawler.archive import site_registry
from danvan_crawler.ops.numbers import check_settings


def check(settings: BaseSettings) -> None:
    """Looks at settings before Scrapy does, whose traceback for a wrong one says little: a UsageError instead."""
    try:
        check_settings(settings)
    except exceptions.UsageError as error:
        raise UsageError(str(error), print_help=False) from error


def check_profiles(settings: BaseSettings) -> None:
    """Reads the site profiles, too."""
    check(settings)
    try:
        site_registry(settings["DANVAN_ARCHIVE"], settings.getlist("DANVAN_SITES"))
    except exceptions.ProfileError as error:
        raise UsageError(str(error), print_help=False) from error
