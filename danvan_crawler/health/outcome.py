"""What a run's statistics mean. Scrapy's own exit status does not tell: a crawl of a dead host exits 0, `finished`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.problems import Problem, worst_first

_REASONS = {
    "disk_full": Problem("disk_full", "no space left for the archive", ExitCode.DISK_FULL),
    "archive_unwritable": Problem("archive", "the archive cannot be written", ExitCode.ERROR),
    "database_unwritable": Problem(
        "database", "the item database cannot be written; `danvan rebuild` mends it", ExitCode.ERROR
    ),
    "asked_to_wait": Problem(
        "asked_to_wait", "the server asks to wait longer than a run may (Retry-After)", ExitCode.SITE_FAILED
    ),
    "overloaded": Problem(
        "asked_to_wait", "the server answers 429 or 503 to one address after the other", ExitCode.SITE_FAILED
    ),
    "closespider_timeout": Problem("interrupted", "time limit reached; the next run continues", ExitCode.INTERRUPTED),
    "memusage_exceeded": Problem(
        "memory", "memory limit reached (DANVAN_MEMORY_LIMIT); the next run continues", ExitCode.INTERRUPTED
    ),
    "window_closed": Problem(
        "window", "the hours in which this site is crawled are over; the next run continues", ExitCode.INTERRUPTED
    ),
    "shutdown": Problem("interrupted", "stopped by a signal; the next run continues", ExitCode.INTERRUPTED),
}

LISTING_TROUBLE = "danvan/listing_trouble"
ARTICLE_TROUBLE = "danvan/article_trouble"
"""Statistics that say why pages could not be had: kind of problem -> a sentence about the first one of that kind."""
SHORT_SECTIONS = "danvan/sections_short"
"""Statistic: names of the sections of which robots.txt forbids the pages after the first."""
FAILED_AT_LEAST = 5
"""Articles that failed, in a run without any other: on a quiet night fewer are one broken page that is tried again."""
MISSING_AT_LEAST = 5
"""Articles that are not there, in a run without any other: fewer are links that an editor got wrong."""
FORBIDDEN_AT_LEAST = 5
"""Articles that robots.txt forbids, in a run without any other: fewer are a folder that listings link all the same."""
_READ_OR_SPARED = ("sections_read", "listings_spared", "max_pages_reached")
"""Statistics of which a run that ends well has one: a listing was read, or there was a reason not to."""
_WORDS = {
    "challenge": "a challenge for browsers stands in their place",
    "login": "a login stands in their place",
    "maintenance": "a notice of maintenance stands in their place",
    "parked": "a parked or hijacked page stands in their place",
}


def judge(
    stats: Mapping[str, Any], reason: str | None, *, is_site: bool, health: Iterable[Problem] = ()
) -> tuple[ExitCode, list[Problem]]:
    """Exit code of a run and the problems behind it, worst first.

    `stats` are Scrapy's and ours (`danvan/…`), `reason` is Scrapy's finish reason, None when the run was cut off.
    `is_site` says that the spider walks a site profile; of any other spider only its requests can be judged. `health`
    is what a comparison with the site's past has found.
    """
    found: list[Problem] = []
    if reason is None:
        found.append(Problem("interrupted", "stopped at once; the next run continues", ExitCode.INTERRUPTED))
    elif reason in _REASONS:
        found.append(_in_detail(_named(_REASONS[reason], stats, reason), stats))
    elif reason != "finished":
        found.append(Problem("interrupted", f"stopped: {reason}; the next run continues", ExitCode.INTERRUPTED))
    if (error := stats.get("danvan/archive_error")) and reason not in ("disk_full", "archive_unwritable"):
        found.append(Problem("archive", f"the archive could not be finished: {error}", ExitCode.ERROR))
    for kind, key, what in (
        ("database", "danvan/item_errors", "items could not be stored"),
        ("parse_error", "danvan/spider_errors", "pages could not be parsed"),
    ):
        if stats.get(key) and reason != "disk_full":  # then they are what the full disk did
            found.append(Problem(kind, f"{stats[key]} {what}; the log says why", ExitCode.ERROR))
    # Said and not held against the run: the bytes are the portal's all the same.
    certificates = stats.get("danvan/untrusted_certificates", ())
    found.extend(Problem("certificate", text, ExitCode.OK) for text in certificates)
    found.extend(_site_problems(stats, reason) if is_site else _spider_problems(stats))
    return worst_first([*found, *health])


def _site_problems(stats: Mapping[str, Any], reason: str | None) -> list[Problem]:
    found = []
    trouble: Mapping[str, str] = stats.get(LISTING_TROUBLE, {})
    if failed := stats.get("danvan/sections_failed", 0):
        found.append(_failed(f"{failed} of the sections cannot be read", trouble, "unreachable"))
    elif stats.get("danvan/sections_read", 0) and not stats.get("danvan/listings_with_links"):
        found.extend(_found_nothing(trouble, complete=_saw_all_sections(stats, reason)))
    elif reason == "finished" and not any(stats.get(f"danvan/{name}") for name in _READ_OR_SPARED):
        found.append(Problem("unreachable", "no section could be read", ExitCode.SITE_FAILED))
    if (further := stats.get("danvan/listings_failed", 0) - failed) > 0:
        text = f"{further} later listing pages cannot be read; the next run tries again"
        found.append(_failed(text, {} if failed else trouble, "server_error"))
    if (failed := stats.get("danvan/articles_failed")) and not stats.get("danvan/articles"):
        all_of_them = f"all {failed} articles" if failed > 1 else "the only article"
        problem = _failed(f"{all_of_them} asked for failed", stats.get(ARTICLE_TROUBLE, {}), "errors")
        found.append(problem if all_failed(stats) else replace(problem, code=ExitCode.OK))
    if short := len(set(stats.get(SHORT_SECTIONS, ()))):
        text = f"robots.txt keeps further pages of {short} sections to itself; what is new is found on the first ones"
        found.append(Problem("robots", text, ExitCode.OK))
    if all_missing(stats):
        text = f"all {stats['danvan/articles_missing']} articles that listings link are not there"
        found.append(Problem("errors", text, ExitCode.SITE_FAILED))
    if all_forbidden(stats):
        text = f"all {stats['danvan/articles_forbidden']} articles asked for are forbidden by robots.txt"
        found.append(Problem("robots", text, ExitCode.SITE_FAILED))
    return found


def all_failed(stats: Mapping[str, Any]) -> bool:
    """Whether no article could be had, and those that failed are no odd few."""
    return stats.get("danvan/articles_failed", 0) >= FAILED_AT_LEAST and not stats.get("danvan/articles")


def all_missing(stats: Mapping[str, Any]) -> bool:
    """Whether none of the articles that a run discovered is there, and they are no odd few."""
    return stats.get("danvan/articles_missing", 0) >= MISSING_AT_LEAST and not stats.get("danvan/articles")


def all_forbidden(stats: Mapping[str, Any]) -> bool:
    """Whether robots.txt forbids all articles that a run discovered, and they are no odd few."""
    return stats.get("danvan/articles_forbidden", 0) >= FORBIDDEN_AT_LEAST and not stats.get("danvan/articles")


def _named(problem: Problem, stats: Mapping[str, Any], reason: str) -> Problem:
    """The problem of a run that refusals ended, by what the refusals showed: a notice of maintenance comes with 503."""
    if reason != "overloaded":
        return problem
    shown = {**stats.get(ARTICLE_TROUBLE, {}), **stats.get(LISTING_TROUBLE, {})}
    return replace(problem, kind=next((kind for kind in shown if kind in _WORDS), problem.kind))


def _in_detail(problem: Problem, stats: Mapping[str, Any]) -> Problem:
    """The problem with what the archive's writer said, where that was the reason to stop."""
    error = stats.get("danvan/archive_error") if problem.kind in ("disk_full", "archive") else None
    return replace(problem, text=f"{problem.text}: {error}") if error else problem


def _failed(text: str, trouble: Mapping[str, str], otherwise: str) -> Problem:
    """The problem of pages that could not be had, of the kind that was met first."""
    for kind, sentence in trouble.items():
        return Problem(kind, f"{text}: {sentence}", ExitCode.SITE_FAILED)
    return Problem(otherwise, text, ExitCode.SITE_FAILED)


def _saw_all_sections(stats: Mapping[str, Any], reason: str | None) -> bool:
    """Whether a run has seen the first page of all its sections. One that was cut short, or goes on where another was
    cut short, may have seen one that is empty, or what an editor left behind the last page."""
    from_the_first = stats.get("danvan/first_pages", 0) >= stats.get("danvan/sections_read", 0)
    return reason == "finished" and not stats.get("danvan/max_pages_reached") and from_the_first


def _found_nothing(trouble: Mapping[str, str], *, complete: bool) -> list[Problem]:
    kind = next((kind for kind in trouble if kind in _WORDS), None)
    if kind is not None:
        return [Problem(kind, f"no article link in any section: {_WORDS[kind]}")]
    text = "no article link in any section: has the layout changed?"
    return [Problem("found_nothing", text)] if complete else []


def _spider_problems(stats: Mapping[str, Any]) -> list[Problem]:
    # What the guard refuses is not counted by the downloader.
    asked = stats.get("downloader/request_count") or stats.get("danvan/refused")
    if asked and not stats.get("downloader/response_count"):
        return [Problem("unreachable", "no request got a response", ExitCode.SITE_FAILED)]
    return []
