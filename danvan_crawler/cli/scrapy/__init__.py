"""`scrapy crawl`, `list` and `runspider` with the documented exit codes (setting COMMANDS_MODULE)."""

from __future__ import annotations

from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from danvan_crawler import exceptions
from danvan_crawler.settings_check import check_settings
from danvan_crawler.sites.registry import SiteRegistry, site_registry


def check(settings: BaseSettings) -> None:
    """Checks settings before Scrapy reads them, and raises UsageError instead of Scrapy's unclear traceback."""
    try:
        check_settings(settings)
    except exceptions.UsageError as error:
        raise UsageError(str(error), print_help=False) from error


def profiles(settings: BaseSettings) -> SiteRegistry:
    """Checks the settings and returns the site profiles, including the list of broken ones."""
    check(settings)
    return site_registry(settings["DANVAN_ARCHIVE"], settings.getlist("DANVAN_SITES"), lenient=True)
