"""`scrapy crawl`, `list` and `runspider` with the exit codes of the contract (setting COMMANDS_MODULE)."""

from __future__ import annotations

from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from danvan_crawler import exceptions
from danvan_crawler.settings_check import check_settings
from danvan_crawler.sites.registry import SiteRegistry, site_registry


def check(settings: BaseSettings) -> None:
    """Looks at settings before Scrapy does, whose traceback for a wrong one says little: a UsageError instead."""
    try:
        check_settings(settings)
    except exceptions.UsageError as error:
        raise UsageError(str(error), print_help=False) from error


def profiles(settings: BaseSettings) -> SiteRegistry:
    """The site profiles, with the broken ones named; checks the settings, too."""
    check(settings)
    return site_registry(settings["DANVAN_ARCHIVE"], settings.getlist("DANVAN_SITES"), lenient=True)
