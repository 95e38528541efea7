"""Run reports and logs are kept for some time, WARC files forever.

Fifty sites leave fifty reports a night, and only the last nights matter. The newest report of each site is always kept,
so that the state of a site that is no longer crawled can still be explained.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from danvan_crawler import clock
from danvan_crawler.archive.layout import log_paths, report_paths
from danvan_crawler.archive.locks import is_locked
from danvan_crawler.health.reports import read_report

logger = logging.getLogger(__name__)

_REPORT = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}\.json")
_LOG = re.compile(r"(?P<slug>.+)\.log(?P<older>\.\d+)?")


def remove_expired(archive: Path, slug: str, days: float) -> list[Path]:
    """Removes run reports and logs older than `days` (0: removes nothing); returns what it removed.

    Called by a run of the site `slug` after it has written its report, the site's newest one. If a file cannot be
    removed, this is logged and the run continues.
    """
    if days <= 0:
        return []
    removed = []
    # Report names have the time of `clock.now()`; file dates have the time of the system's clock.
    old_reports = _old_reports(archive, slug, clock.now() - timedelta(days=days))
    for path in (*old_reports, *_old_logs(archive, time.time() - 86400 * days)):
        try:
            path.unlink()
        except FileNotFoundError:
            continue  # another run was faster
        except OSError as error:
            logger.warning("%s: is older than DANVAN_KEEP_DAYS but cannot be removed: %s", path, error.strerror)
        else:
            removed.append(path)
    return removed


def _old_reports(archive: Path, slug: str, limit: datetime) -> Iterator[Path]:
    """Old reports, except the newest old one of each other site."""
    kept = {slug}
    for path in sorted(report_paths(archive), reverse=True):
        began = _began(path.name)
        if began is None or began >= limit:
            continue
        report = read_report(path)
        site = report.get("site") if report is not None else None
        if not isinstance(site, str) or site in kept:
            yield path
        else:
            kept.add(site)


def _began(name: str) -> datetime | None:
    """The time in a report's name; None if the name is invalid, such as 20261399T000000Z-….json."""
    found = _REPORT.fullmatch(name)
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found is not None else None
    except ValueError:
        return None


def _old_logs(archive: Path, limit: float) -> Iterator[Path]:
    """Old logs, except those of sites that are being crawled, which are open for writing."""
    for path in sorted(log_paths(archive)):
        name = _LOG.fullmatch(path.name)
        try:
            if name is None or path.stat().st_mtime >= limit:
                continue
        except OSError:  # another run was faster
            continue
        if name["older"] or not is_locked(archive, name["slug"]):
            yield path
