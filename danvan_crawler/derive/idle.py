"""A crawler that never crawls, from which pipelines and decompression are built outside of a crawl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector

from danvan_crawler.capture.context import attach
from danvan_crawler.clock import now, warc_date
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.lifecycle import days_of
from danvan_crawler.store.writes import Store
from danvan_crawler.walk.asking import Run


@dataclass(frozen=True, slots=True)
class _Writes:
    """The context of an idle crawler."""

    store: Store


def idle_crawler(slug: str, site: Site | None, settings: Settings, store: Store | None) -> Crawler:
    """A crawler whose stages write to `store`; without a store, the stage that stores cannot be built."""
    spider_class = type("IdleSpider", (Spider,), {"name": slug, **({"site": site} if site is not None else {})})
    crawler = Crawler(spider_class, settings)
    crawler.stats = MemoryStatsCollector(crawler)
    crawler.spider = spider_class()
    if store is not None:
        attach(crawler, _Writes(store))
    return crawler


def site_of(registry: SiteRegistry, slug: str, profiles: Mapping[str, str]) -> Site | None:
    """The site of a slug: from its profile, else from the newest archived one; None for a spider without a site.

    `profiles` are the profiles in its WARC files, by file name. Raises ProfileError if the archived one is no longer
    valid.
    """
    if slug in registry:
        return registry.get(slug)
    if not profiles:
        return None
    return Site.parse(profiles[max(profiles)], origin=f"the profile archived with {slug}")


def default_run(settings: Settings) -> Run:
    """The options assumed for a run that did not archive its options: the current settings."""
    return Run(
        run_id="",
        began_at=warc_date(now()),
        revisit_days=days_of(settings["DANVAN_REVISIT_DAYS"]),
        sweep_days=settings.getfloat("DANVAN_SWEEP_DAYS"),
        feed_days=settings.getfloat("DANVAN_FEED_DAYS"),
        revisit_every=settings.getfloat("DANVAN_REVISIT_EVERY"),
    )
