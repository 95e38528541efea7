"""What a run's statistics mean. Scrapy's own exit status does not tell: a crawl of a dead host exits 0, `finished`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from danvan_crawler.exceptions import ExitCode

_REASONS = {
    "disk_full": (ExitCode.DISK_FULL, "no space left for the archive"),
    "archive_unwritable": (ExitCode.ERROR, "the archive cannot be written"),
    "database_unwritable": (ExitCode.ERROR, "the item database cannot be written; `danvan rebuild` mends it"),
    "asked_to_wait": (ExitCode.SITE_FAILED, "the server asks to wait longer than a run may (Retry-After)"),
    "closespider_timeout": (ExitCode.INTERRUPTED, "time limit reached; the next run continues"),
    "shutdown": (ExitCode.INTERRUPTED, "stopped by a signal; the next run continues"),
}


def judge(stats: Mapping[str, Any], reason: str | None, *, is_site: bool) -> tuple[ExitCode, list[str]]:
    """Exit code of a run and the findings behind it, worst first.

    `stats` are Scrapy's and ours (`danvan/…`), `reason` is Scrapy's finish reason, None when the run was cut off.
    `is_site` says that the spider walks a site profile; of any other spider only its requests can be judged.
    """
    found: list[tuple[ExitCode, str]] = []
    if reason is None:
        found.append((ExitCode.INTERRUPTED, "stopped at once; the next run continues"))
    elif reason in _REASONS:
        found.append(_REASONS[reason])
    elif reason != "finished":
        found.append((ExitCode.INTERRUPTED, f"stopped: {reason}; the next run continues"))
    if (error := stats.get("danvan/archive_error")) and reason not in ("disk_full", "archive_unwritable"):
        found.append((ExitCode.ERROR, f"the archive could not be finished: {error}"))
    for key, what in (
        ("danvan/item_errors", "items could not be stored"),
        ("danvan/spider_errors", "pages could not be parsed"),
    ):
        if stats.get(key) and reason != "disk_full":  # then they are what the full disk did
            found.append((ExitCode.ERROR, f"{stats[key]} {what}; the log says why"))
    # Said and not held against the run: the bytes are the portal's all the same.
    found.extend((ExitCode.OK, text) for text in stats.get("danvan/untrusted_certificates", ()))
    found.extend(_site_findings(stats, reason) if is_site else _spider_findings(stats))
    code = ExitCode.worst(code for code, _ in found)
    return code, [text for _, text in sorted(found, key=lambda finding: finding[0] is not code)]


def _site_findings(stats: Mapping[str, Any], reason: str | None) -> list[tuple[ExitCode, str]]:
    found = []
    if failed := stats.get("danvan/sections_failed", 0):
        found.append((ExitCode.SITE_FAILED, f"{failed} of the sections cannot be read"))
    elif stats.get("danvan/sections_read", 0) and not stats.get("danvan/listings_with_links"):
        found.append((ExitCode.UNHEALTHY, "no article link in any section: has the layout changed?"))
    elif reason == "finished" and not stats.get("danvan/sections_read") and not stats.get("danvan/max_pages_reached"):
        found.append((ExitCode.SITE_FAILED, "no section could be read"))
    if (further := stats.get("danvan/listings_failed", 0) - failed) > 0:
        found.append((ExitCode.SITE_FAILED, f"{further} later listing pages cannot be read; the next run tries again"))
    if stats.get("danvan/articles_failed") and not stats.get("danvan/articles"):
        found.append((ExitCode.SITE_FAILED, f"all {stats['danvan/articles_failed']} articles asked for failed"))
    return found


def _spider_findings(stats: Mapping[str, Any]) -> list[tuple[ExitCode, str]]:
    # What the guard refuses is not counted by the downloader.
    asked = stats.get("downloader/request_count") or stats.get("danvan/refused")
    if asked and not stats.get("downloader/response_count"):
        return [(ExitCode.SITE_FAILED, "no request got a response")]
    return []
