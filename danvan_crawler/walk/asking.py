"""The requests of a crawl and the reason for each, which the bytes of an exchange do not show.

A `Why` is archived with each exchange (`warc.records`), so that every exchange can be interpreted independently: if a
listing can no longer be read, the articles that it named are not lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal, Self

from danvan_crawler.items import Article

Kind = Literal["listing", "article", "requisite", "feed", "robots"]
Cause = Literal["forbidden", "robots_unreadable", "left_alone", "budget", "ours", "failed"]


@dataclass(frozen=True, slots=True)
class Why:
    """The reason for a request."""

    kind: Kind
    link: str = ""
    """The address requested first, before any redirects."""
    section: str = ""
    """Of a listing: its section. Of an article: the section or feed that named it first."""
    first_url: str = ""
    """Of a listing: first page of its section."""
    via: str = ""
    """The page that named the address; empty for the first requests of a run."""
    listed_at: str = ""
    """Of an article that a listing named: position of the entry, in the form of `listing_links.seen_at`."""
    entry: str = ""
    """The text of that entry: date line, newline, title."""
    is_new: bool = False
    """Of an article: this run discovered it."""
    is_visit: bool = False
    """Of an article: a scheduled visit to an archived one."""
    depth: int = 1
    """Of a requisite: steps from the page that needs it (`pages.requisites.MAX_DEPTH`)."""
    is_site_wide: bool = False
    """Of a feed: it covers the whole site."""
    stands_in: bool = False
    """Of a feed: it is requested instead of listings."""
    hops: tuple[str, ...] = ()
    """Addresses that redirected, beginning with `link`."""
    cookies: tuple[str, ...] = ()
    """Digests of the cookies that each of these redirects was the first to set, separated by spaces; empty if none of
    them set any."""

    def redirected(self, url: str) -> Why:
        """The reason for a request to which `url` redirected."""
        return replace(self, hops=(*self.hops, url))

    def with_cookies(self, digests: Iterable[str]) -> Why:
        """The reason, with the cookies of the redirect that is the next of `hops`."""
        known = {one for of_hop in self.cookies for one in of_hop.split()}
        new = " ".join(sorted(set(digests) - known))
        earlier = (*self.cookies, *("" for _ in self.hops[len(self.cookies) :]))
        return replace(self, cookies=(*earlier, new)) if new or self.cookies else self

    def as_json(self) -> str:
        """Compact JSON of the fields that differ from their defaults."""
        return _json_of(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`; unknown keys, of a later version, are ignored. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, **{name: tuple(known.get(name, ())) for name in ("hops", "cookies")}})


@dataclass(frozen=True, slots=True)
class Run:
    """The options of a run, archived at its beginning, so that a rebuild follows the same rules."""

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
    revisit_every: float = 365.0
    """Settings DANVAN_REVISIT_DAYS, DANVAN_SWEEP_DAYS, DANVAN_FEED_DAYS, DANVAN_REVISIT_EVERY."""
    took_up: Mapping[str, int] = field(default_factory=dict)
    """Files of dead runs whose rest this run stored before it began -> offset of the last record before the rest."""

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
        """The inverse of `as_json`; unknown keys are ignored. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, "revisit_days": tuple(known.get("revisit_days", ()))})


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that was given up: it had no response, or retries did not give a usable one."""

    why: Why
    url: str
    date: str
    """WARC-Date at which it was given up."""
    reason: str
    """In the form of a log line."""
    cause: Cause = "failed"
    """`forbidden`: by robots.txt. `robots_unreadable`: robots.txt cannot be read. `left_alone`: the server must not be
    contacted now. `budget`: the budget is spent. `ours`: an error of this program. `failed`: any other cause."""
    trouble: str = "unreachable"
    """Kind of problem in `health.problems`."""

    @property
    def is_archived(self) -> bool:
        """Whether it may have consequences and therefore must be archived."""
        if self.why.kind == "article":
            return self.cause == "failed"  # else it stays pending
        return self.cause in ("failed", "forbidden", "robots_unreadable")

    @property
    def was_made(self) -> bool:
        """Whether a request was made, so that the failure counts for the address."""
        return self.cause in ("failed", "ours")

    def as_json(self) -> str:
        return _json_of(self, why=json.loads(self.why.as_json()))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`; unknown keys are ignored. Raises ValueError."""
        known = _known(cls, text)
        return cls(**{**known, "why": Why.from_json(json.dumps(known["why"]))})


@dataclass(frozen=True, slots=True)
class Ask:
    """An address to request."""

    url: str
    why: Why
    priority: int


@dataclass(slots=True)
class Effects:
    """The consequences of an exchange besides the rows that it wrote."""

    asks: list[Ask] = field(default_factory=list)
    """New requests, in order."""
    items: list[Article] = field(default_factory=list)
    """Articles that have passed the stages and are stored."""
    planned: list[str] = field(default_factory=list)
    """With `plan`: articles that a crawl would request."""
    counts: Counter[str] = field(default_factory=Counter)
    """Statistic -> increment."""
    named: list[tuple[str, str]] = field(default_factory=list)
    """Statistic that lists names, and a name to add."""
    troubles: list[tuple[str, str, str]] = field(default_factory=list)
    """Statistic of troubles, kind of problem, a sentence about it."""
    messages: list[tuple[int, str]] = field(default_factory=list)
    """Log level and log line."""
    failures: list[str] = field(default_factory=list)
    """Pages that could not be parsed, one sentence each."""
    lost: list[str] = field(default_factory=list)
    """Revisits whose payload is not in the archive any more, one sentence each."""
    undecodable: str | None = None
    """Why its body cannot be decoded completely."""
    unread: str | None = None
    """Why an exchange that no crawl asked for gave no article, as words that can follow a number."""
    is_decided: bool = True
    """False if the exchange has no consequences by itself: a retry decides, or giving up the request."""


def _json_of(record: Any, **replaced: Any) -> str:
    data = {
        one.name: replaced.get(one.name, getattr(record, one.name))
        for one in fields(record)
        if one.name in replaced or getattr(record, one.name) not in (one.default, {}, ())
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _known(record: type[Any], text: str) -> dict[str, Any]:
    """The entries of a JSON object that are fields of a dataclass. Raises ValueError."""
    data = json.loads(text)
    names = {one.name for one in fields(record)}
    if not isinstance(data, dict):
        raise ValueError(f"not an object: {text[:80]!r}")
    return {name: value for name, value in data.items() if name in names}
