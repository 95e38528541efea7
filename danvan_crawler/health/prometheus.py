"""Writes metrics of the sites for Prometheus: a text file for node_exporter's textfile collector.

Text exposition format, written by prometheus_client. The file is replaced atomically, so that a collector never reads
an incomplete file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from danvan_crawler.archive.checks import Check
from danvan_crawler.atomic import replace_file
from danvan_crawler.health.archive_status import ArchiveStatus
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


def _free(archive: ArchiveStatus) -> Samples:
    if archive.disk is not None:
        yield {}, float(archive.disk.free)


def _full(archive: ArchiveStatus) -> Samples:
    if archive.disk is not None and archive.disk.full_on is not None:
        yield {}, archive.disk.full_on.timestamp()


def _check(read: Callable[[Check], float]) -> Callable[[ArchiveStatus], Samples]:
    def samples(archive: ArchiveStatus) -> Samples:
        if archive.last_check is not None:
            yield {}, read(archive.last_check)

    return samples


ARCHIVE_METRICS: Sequence[tuple[str, str, Callable[[ArchiveStatus], Samples]]] = (
    ("danvan_archive_up", "1 if the archive is healthy, 0 if it is unhealthy",
     lambda one: iter([({}, 0.0 if one.unhealthy else 1.0)])),
    ("danvan_archive_problem", "1 for each kind of problem that the archive has",
     lambda one: (({"kind": kind}, 1.0) for kind in dict.fromkeys(problem.kind for problem in one.problems))),
    ("danvan_last_check_timestamp_seconds", "when the last complete check of the whole archive began",
     _check(lambda check: check.started_at.timestamp())),
    ("danvan_last_check_damage", "findings of damage of that check", _check(lambda check: float(check.damage))),
    ("danvan_disk_free_bytes", "free bytes of the archive's file system, down to DANVAN_MIN_FREE", _free),
    ("danvan_disk_full_timestamp_seconds", "when the disk will be full at the present rate", _full),
)  # fmt: skip
"""The same of the archive; they have no label `site`."""


class _Sites:
    """Collector of the metrics of these sites and their archive, for a prometheus_client registry."""

    def __init__(self, sites: Sequence[SiteStatus], archive: ArchiveStatus | None) -> None:
        self._sites, self._archive = sites, archive

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import Metric

        for name, meaning, samples in METRICS:
            metric = Metric(name, meaning, "gauge")
            for status in self._sites:
                for labels, value in samples(status):
                    metric.add_sample(name, {"site": status.site, **labels}, value)
            yield metric
        if self._archive is None:
            return
        for name, meaning, of_archive in ARCHIVE_METRICS:
            metric = Metric(name, meaning, "gauge")
            for labels, value in of_archive(self._archive):
                metric.add_sample(name, labels, value)
            yield metric


def exposition(sites: Sequence[SiteStatus], archive: ArchiveStatus | None = None) -> str:
    """The metrics of the enabled sites, and of the archive, as text."""
    from prometheus_client import CollectorRegistry, generate_latest

    # Not the default registry, which also measures this process.
    registry = CollectorRegistry()
    registry.register(_Sites([status for status in sites if status.enabled], archive))
    return generate_latest(registry).decode()


def write_metrics(path: Path, sites: Sequence[SiteStatus], archive: ArchiveStatus | None = None) -> None:
    """Writes the text file and replaces an older one. Raises DanvanError."""
    replace_file(path, exposition(sites, archive))
