"""What a crawl asks for, and why: the part of an exchange that its bytes do not show.

A `Why` is archived beside each exchange (`warc.records`), so that every exchange can be read by itself: a listing that
cannot be read any more costs the archive that listing and none of the articles that it named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal, Self

from danvan_crawler.items import Article

Kind = Literal["listing", "article", "requisite", "feed", "robots"]
Cause = Literal["forbidden", "robots_unreadable", "left_alone", "budget", "ours", "failed"]


@dataclass(frozen=True, slots=True)
class Why:
    """Why an address was asked for."""

    kind: Kind
    link: str = ""
    """The address that was asked for first, where redirects led on from it."""
    section: str = ""
    """Of a listing: its section. Of an article: the section or feed that named it first."""
    first_url: str = ""
    """Of a listing: first page of its section."""
    via: str = ""
    """The page that named the address; empty for what a run begins with."""
    listed_at: str = ""
    """Of an article that a listing named: where that entry stands, as `listing_links.seen_at` has it."""
    entry: str = ""
    """The entry of that listing as it reads: date line, newline, title."""
    is_new: bool = False
    """Of an article: this run discovered it."""
    is_visit: bool = False
    """Of an article: a scheduled visit to one that is archived."""
    depth: int = 1
    """Of a requisite: steps from the page that needs it (`pages.requisites.MAX_DEPTH`)."""
    is_site_wide: bool = False
    """Of a feed: it covers the whole site."""
    stands_in: bool = False
    """Of a feed: it is asked in the place of listings."""
    hops: tuple[str, ...] = ()
    """Addresses that redirected, from `link` on."""

    def redirected(self, url: str) -> Why:
        """Why the address is asked for that `url` redirects to."""
        return replace(self, hops=(*self.hops, url))

    def as_json(self) -> str:
        """Compact JSON of the fields that differ from their defaults."""
        return _json_of(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`; unknown keys, of a later version, are passed over. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, "hops": tuple(known.get("hops", ()))})


@dataclass(frozen=True, slots=True)
class Run:
    """What a run was asked to do, archived at its beginning: with it a rebuild walks as the run did."""

    run_id: str
    began_at: str
    """WARC-Date."""
    full: bool = False
    plan: bool = False
    since: str | None = None
    until: str | None = None
    """ISO days of publication, inclusive."""
    max_pages: int | None = None
    revisit_days: tuple[float, ...] = ()
    sweep_days: float = 30.0
    feed_days: float = 3.0
    """Settings DANVAN_REVISIT_DAYS, DANVAN_SWEEP_DAYS, DANVAN_FEED_DAYS."""
    took_up: Mapping[str, int] = field(default_factory=dict)
    """Files of earlier runs that this one read again before it began, with the offset of the last record before."""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.began_at)

    @property
    def first_day(self) -> date | None:
        return date.fromisoformat(self.since) if self.since else None

    @property
    def last_day(self) -> date | None:
        return date.fromisoformat(self.until) if self.until else None

    def as_json(self) -> str:
        return _json_of(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`; unknown keys are passed over. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, "revisit_days": tuple(known.get("revisit_days", ()))})


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that was given up: without a response, or with one that more tries did not better."""

    why: Why
    url: str
    date: str
    """WARC-Date at which it was given up."""
    reason: str
    """In the words of a log line."""
    cause: Cause = "failed"
    """`forbidden` by robots.txt; robots.txt could not be read; the server is to be left alone; the budget is spent;
    our own failure; every other one."""
    trouble: str = "unreachable"
    """Kind of problem, as `health.problems` has it."""

    @property
    def is_archived(self) -> bool:
        """Whether anything may follow from it, so that it has to be archived."""
        if self.why.kind == "article":
            return self.cause == "failed"  # else it stays pending
        return self.cause in ("failed", "forbidden", "robots_unreadable")

    @property
    def was_made(self) -> bool:
        """Whether there was a request at all, so that the failure says something of the address."""
        return self.cause in ("failed", "ours")

    def as_json(self) -> str:
        return _json_of(self, why=json.loads(self.why.as_json()))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`; unknown keys are passed over. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, "why": Why.from_json(json.dumps(known["why"]))})


@dataclass(frozen=True, slots=True)
class Ask:
    """An address to ask for."""

    url: str
    why: Why
    priority: int


@dataclass(slots=True)
class Effects:
    """What follows from an exchange beside the rows that it wrote."""

    asks: list[Ask] = field(default_factory=list)
    """In their order."""
    items: list[Article] = field(default_factory=list)
    """Articles that have passed the stages and are stored."""
    planned: list[str] = field(default_factory=list)
    """Articles that a crawl would ask for, of a run that only plans."""
    counts: Counter[str] = field(default_factory=Counter)
    """Statistic -> how often."""
    named: list[tuple[str, str]] = field(default_factory=list)
    """Statistic that lists names, and a name for it."""
    troubles: list[tuple[str, str, str]] = field(default_factory=list)
    """Statistic of troubles, kind of problem, a sentence about it."""
    messages: list[tuple[int, str]] = field(default_factory=list)
    """Level of `logging`, and a line for the log."""
    failures: list[str] = field(default_factory=list)
    """Pages that could not be parsed, one sentence each."""
    lost: list[str] = field(default_factory=list)
    """Revisits whose payload is not in the archive any more, one sentence each."""
    is_undecodable: bool = False
    """Its body is in a coding that cannot be taken off whole."""
    is_decided: bool = True
    """False for an exchange that says nothing by itself: another try, or giving it up, will."""


def _json_of(record: Any, **replaced: Any) -> str:
    told = {
        one.name: replaced.get(one.name, getattr(record, one.name))
        for one in fields(record)
        if one.name in replaced or getattr(record, one.name) not in (one.default, {}, ())
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _known(record: type[Any], text: str) -> dict[str, Any]:
    """The keys of a JSON object that a dataclass knows. Raises ValueError."""
    told = json.loads(text)
    names = {one.name for one in fields(record)}
    if not isinstance(told, dict):
        raise ValueError(f"not an object: {text[:80]!r}")
    return {name: value for name, value in told.items() if name in names}
