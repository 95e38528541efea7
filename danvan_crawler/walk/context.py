"""What the parts of the reducer have in common: the site, the store, and what one run remembers until it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from danvan_crawler import statistics as stats
from danvan_crawler.families import Family
from danvan_crawler.items import Article
from danvan_crawler.pages.requisites import Scope
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.writes import Store
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.walk.asking import Effects, Run
from danvan_crawler.walk.date_range import DateRange
from danvan_crawler.walk.feed_trust import Shown, Trust
from danvan_crawler.walk.sections import Walk
from danvan_crawler.walk.seen import KeySet

Stages = Callable[[Article], Article]
"""The stages of `pipelines/`, in the order of settings.py, the one that stores included. Raises RejectedItemError."""


class RejectedItemError(Exception):
    """A stage has dropped an item; the message says why."""


@dataclass(slots=True)
class RunState:
    """What a run remembers until it ends."""

    run: Run
    days: DateRange
    pages_left: int | None
    asked: KeySet = field(default_factory=KeySet)
    """Keys of the articles and requisites that it has asked for."""
    listings: KeySet = field(default_factory=KeySet)
    """Addresses of the listing pages that it has asked for."""
    walks: dict[str, Walk] = field(default_factory=dict)
    """The walk that is under way in each section, by the section's first page."""
    failed: set[str] = field(default_factory=set)
    """Keys of which it has noted a failure."""
    feeds: set[str] = field(default_factory=set)
    """Addresses of the feeds that it has asked for."""
    named: dict[str, set[str]] = field(default_factory=dict)
    """What feeds of the whole site have named: keys by address of the feed."""
    shown: dict[str, Shown] = field(default_factory=dict)
    """What listings have shown, by the section's first page, where known ground ends a walk."""
    held: list[Walk] = field(default_factory=list)
    """Walks that wait for a feed's answer."""
    trust: Trust | None = None

    @classmethod
    def of(cls, run: Run, site: Site) -> RunState:
        return cls(run, DateRange(site, run.first_day, run.last_day), run.max_pages)

    def take_page(self, effects: Effects) -> bool:
        """Whether `max_pages` allows another listing or article."""
        if self.pages_left is not None:
            if self.pages_left <= 0:
                effects.counts[stats.MAX_PAGES_REACHED] = 1
                return False
            self.pages_left -= 1
        return True


class Context:
    """One site in one walk over its captures."""

    def __init__(self, site: Site, family: Family, store: Store, stages: Stages) -> None:
        self.site, self.family, self.store, self.stages = site, family, store, stages
        self.slug = site.slug
        self.scope = Scope.of(site)
        self.hosts = frozenset(site.hosts)
        self.home = path_key(site.home)
        self.fronts = frozenset({self.home, *(path_key(section.url) for section in site.sections)})
        """Keys of the front page and the sections, where portals send who asks for an article that is gone."""
        self.state: RunState | None = None
        """None between runs, and for exchanges that are read after the run that made them has died."""

    def is_on_site(self, url: str) -> bool:
        return host_of(url) in self.hosts

    def is_front(self, url: str) -> bool:
        return self.is_on_site(url) and path_key(url) in self.fronts

    def leads_home(self, url: str, first_url: str) -> bool:
        """Whether a section that is not the front page leads there, as portals do with sections that they gave up."""
        return path_key(url) == self.home != path_key(first_url)
