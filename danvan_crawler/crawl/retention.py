"""Run reports and logs are kept for a time, WARC files for good.

A night of fifty sites leaves fifty reports; what is asked of them is how the last nights were. The newest report of
each site stays however old it is, so that a site which is not crawled any more can still be explained.
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


def forget_old(archive: Path, slug: str, days: float) -> list[Path]:
    """Removes run reports and logs older than so many days, all of them kept when it is 0; gives what it removed.

    To be called by a run of the site `slug`, which has written its report and so the site's newest one. What cannot be
    removed is logged, and no reason for a run to fail.
    """
    if days <= 0:
        return []
    removed = []
    # Reports are named after the moment that their run took for now, files are dated by the system's clock.
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
    """Old reports but the newest of each other site, whose newer ones are not looked at: its own runs clear these."""
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
    """The moment in a report's name; None when it is no report's, such as 20261399T000000Z-….json."""
    found = _REPORT.fullmatch(name)
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found is not None else None
    except ValueError:
        return None


def _old_logs(archive: Path, limit: float) -> Iterator[Path]:
    """Old logs, but those of sites that are being crawled, whose lines go there."""
    for path in sorted(log_paths(archive)):
        name = _LOG.fullmatch(path.name)
        try:
            if name is None or path.stat().st_mtime >= limit:
                continue
        except OSError:  # another run was faster
            continue
        if name["older"] or not is_locked(archive, name["slug"]):
            yield path
