"""Shared data of the parts of the reducer: the site, the store, and the state of the current run."""

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
"""The stages of `pipelines/`, in the order of settings.py, including the one that stores. Raises RejectedItemError."""


class RejectedItemError(Exception):
    """A stage dropped an item; the message has the reason."""


@dataclass(slots=True)
class RunState:
    """State of a run in memory."""

    run: Run
    days: DateRange
    pages_left: int | None
    asked: KeySet = field(default_factory=KeySet)
    """Keys of the requested articles and requisites."""
    listings: KeySet = field(default_factory=KeySet)
    """Addresses of the requested listing pages."""
    walks: dict[str, Walk] = field(default_factory=dict)
    """The current walk of each section, by the section's first page."""
    failed: set[str] = field(default_factory=set)
    """Keys with a failure in this run."""
    feeds: set[str] = field(default_factory=set)
    """Addresses of the requested feeds."""
    named: dict[str, set[str]] = field(default_factory=dict)
    """Keys of the articles that each site-wide feed named, by address of the feed."""
    shown: dict[str, Shown] = field(default_factory=dict)
    """Articles that listings showed, by the section's first page, for walks that end at known articles."""
    waiting: list[Walk] = field(default_factory=list)
    """Walks that wait for the response of a feed."""
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
        """Keys of the front page and the sections, to which portals redirect requests for an article that is gone."""
        self.state: RunState | None = None
        """None between runs, and for exchanges of a dead run."""

    def is_on_site(self, url: str) -> bool:
        return host_of(url) in self.hosts

    def is_front(self, url: str) -> bool:
        return self.is_on_site(url) and path_key(url) in self.fronts

    def leads_home(self, url: str, first_url: str) -> bool:
        """Whether `url` is the front page and the section is not: portals redirect removed sections there."""
        return path_key(url) == self.home != path_key(first_url)
