"""Scrapy's spider loader for site profiles: every enabled or disabled profile is a spider of the same name."""

from __future__ import annotations

from typing import Self

from scrapy import Request, Spider
from scrapy.settings import BaseSettings

from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry, site_registry
from danvan_crawler.urls import host_of
from spiders.site_spider import SiteSpider


class ProfileSpiderLoader:
    """Finds spiders by slug. Profiles are read once, when Scrapy starts; an invalid profile gives no spider."""

    def __init__(self, registry: SiteRegistry) -> None:
        self.registry = registry

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        return cls(site_registry(settings["DANVAN_ARCHIVE"], settings.getlist("DANVAN_SITES"), lenient=True))

    def load(self, spider_name: str) -> type[Spider]:
        """The spider class of a site. Raises KeyError (UnknownSiteError's message) for an unknown slug."""
        if spider_name not in self.registry:
            raise KeyError(spider_name)
        return spider_class(self.registry.get(spider_name))

    def list(self) -> list[str]:
        return [site.slug for site in self.registry]

    def find_by_request(self, request: Request) -> list[str]:  # type: ignore[valid-type]
        return [site.slug for site in self.registry if host_of(request.url) in site.hosts]


def spider_class(site: Site) -> type[SiteSpider]:
    """A spider class for one site."""
    name = "".join(part.capitalize() for part in site.slug.split("-")) + "Spider"
    return type(name, (SiteSpider,), {"name": site.slug, "site": site, "__module__": __name__})
