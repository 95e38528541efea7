"""Writes metrics of the sites for Prometheus: a text file for node_exporter's textfile collector.

Text exposition format, written by prometheus_client. The file is replaced atomically, so that a collector never reads
an incomplete file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from danvan_crawler.atomic import replace_file
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.health.status import SiteStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Samples = Iterator[tuple[dict[str, str], float]]


def _per_site(read: Callable[[SiteStatus], float | None]) -> Callable[[SiteStatus], Samples]:
    def samples(status: SiteStatus) -> Samples:
        value = read(status)
        if value is not None:
            yield {}, value

    return samples


def _published(status: SiteStatus) -> Samples:
    if status.activity is not None:
        yield from (({"days": str(days)}, float(number)) for days, number in status.activity.published.items())


def _changes(status: SiteStatus) -> Samples:
    if status.last is not None:
        for kind in ("new", "edited", "gone", "revived"):
            yield {"kind": kind}, float(status.last.articles.get(kind, 0))


def _problems(status: SiteStatus) -> Samples:
    found = {problem.kind for problem in status.problems}
    yield from (({"kind": kind}, 1.0) for kind in REMEDIES if kind in found)


def _moment(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text is not None else None


METRICS: Sequence[tuple[str, str, Callable[[SiteStatus], Samples]]] = (
    ("danvan_site_up", "1 if the site is healthy, 0 if it is unhealthy",
     _per_site(lambda one: 0.0 if one.unhealthy else 1.0)),
    ("danvan_site_problem", "1 for each kind of problem that the site has", _problems),
    ("danvan_last_run_timestamp_seconds", "when the last run began",
     _per_site(lambda one: one.last.started_at.timestamp() if one.last is not None else None)),
    ("danvan_last_run_exit_code", "exit code of the last run",
     _per_site(lambda one: float(one.last.code) if one.last is not None else None)),
    ("danvan_last_run_duration_seconds", "how long the last run took",
     _per_site(lambda one: one.last.seconds if one.last is not None else None)),
    ("danvan_last_run_requests", "requests of the last run",
     _per_site(lambda one: float(one.last.requests) if one.last is not None else None)),
    ("danvan_last_run_received_bytes", "bytes that the last run received",
     _per_site(lambda one: float(one.last.received_bytes) if one.last is not None else None)),
    ("danvan_last_run_articles", "articles that the last run found new, edited, gone or revived", _changes),
    ("danvan_articles", "articles in the item database",
     _per_site(lambda one: float(one.activity.articles) if one.activity is not None else None)),
    ("danvan_articles_published", "articles published in the last 7 and 30 days", _published),
    ("danvan_newest_article_timestamp_seconds", "when the newest article was published",
     _per_site(lambda one: _moment(one.activity.newest) if one.activity is not None else None)),
)  # fmt: skip
"""Name, meaning and samples of each metric; all are gauges with the label `site`."""


class _Sites:
    """Collector of the metrics of these sites, for a prometheus_client registry."""

    def __init__(self, sites: Sequence[SiteStatus]) -> None:
        self._sites = sites

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import Metric

        for name, meaning, samples in METRICS:
            metric = Metric(name, meaning, "gauge")
            for status in self._sites:
                for labels, value in samples(status):
                    metric.add_sample(name, {"site": status.site, **labels}, value)
            yield metric


def exposition(sites: Sequence[SiteStatus]) -> str:
    """The metrics of the enabled sites as text."""
    from prometheus_client import CollectorRegistry, generate_latest

    # Not the default registry, which also measures this process.
    registry = CollectorRegistry()
    registry.register(_Sites([status for status in sites if status.enabled]))
    return generate_latest(registry).decode()


def write_metrics(path: Path, sites: Sequence[SiteStatus]) -> None:
    """Writes the text file and replaces an older one. Raises DanvanError."""
    replace_file(path, exposition(sites))
