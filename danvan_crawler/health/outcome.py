"""Judges a run by its statistics. Scrapy's exit status is not enough: a crawl of a dead host exits 0, `finished`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from danvan_crawler import statistics
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.problems import Problem, worst_first
from danvan_crawler.plurals import counted

_REASONS = {
    "disk_full": Problem("disk_full", "no space left for the archive", ExitCode.DISK_FULL),
    "archive_unwritable": Problem("archive", "the archive cannot be written", ExitCode.ERROR),
    "database_unwritable": Problem("database", "the item database cannot be written", ExitCode.ERROR),
    "database_busy": Problem("database_busy", "the item database was busy", ExitCode.ERROR),
    "database_access": Problem("archive", "the item database cannot be written", ExitCode.ERROR),
    "asked_to_wait": Problem(
        "asked_to_wait", "the server asks for a longer wait than a run allows (Retry-After)", ExitCode.SITE_FAILED
    ),
    "overloaded": Problem(
        "asked_to_wait", "the server answers 429 or 503 to several addresses in a row", ExitCode.SITE_FAILED
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

_EXPLAINED = frozenset({"disk_full", "archive", "database", "database_busy"})
_OURS = frozenset({"archive", "disk_full"})
"""Kinds of trouble with a page that say nothing about its server: the answer could not be archived."""
_STOPPED_BY_US = frozenset({"disk_full", "archive_unwritable", "database_unwritable", "database_busy",
                            "database_access"})  # fmt: skip
"""Reasons that explain all errors of a run; they are not reported again."""
FAILED_AT_LEAST = 5
"""Number of failed articles, in a run without any other article. Fewer may be one broken page that is tried again."""
MISSING_AT_LEAST = 5
"""Number of articles that do not exist, in a run without any other article. Fewer may be an editor's wrong links."""
FORBIDDEN_AT_LEAST = 5
"""Number of articles that robots.txt forbids, in a run without any other article. Fewer may be one forbidden folder."""
_READ_OR_SPARED = (statistics.SECTIONS_READ, statistics.LISTINGS_SPARED, statistics.MAX_PAGES_REACHED)
"""A good run has at least one of these statistics: a listing was read, or there was a reason not to."""
_NAMED = 10
"""Sections that are named in a sentence."""
_WORDS = {
    "challenge": "the pages show a browser challenge",
    "login": "the pages ask for a login",
    "maintenance": "the pages show a maintenance notice",
    "parked": "the domain is parked or hijacked",
}


def judge(
    stats: Mapping[str, Any], reason: str | None, *, is_site: bool, health: Iterable[Problem] = ()
) -> tuple[ExitCode, list[Problem]]:
    """Exit code of a run and the problems behind it, worst first.

    `stats` are Scrapy's and ours, `reason` is Scrapy's finish reason, None if the run was stopped at once. `is_site`:
    the spider crawls a site profile; for other spiders, only the requests are judged. `health` are the problems from
    the comparison with the site's past.
    """
    found: list[Problem] = []
    if reason is None:
        found.append(Problem("interrupted", "stopped at once; the next run continues", ExitCode.INTERRUPTED))
    elif reason in _REASONS:
        found.append(_in_detail(_named(_REASONS[reason], stats, reason), stats))
    elif reason != "finished":
        found.append(Problem("interrupted", f"stopped: {reason}; the next run continues", ExitCode.INTERRUPTED))
    if (error := stats.get(statistics.ARCHIVE_ERROR)) and reason not in _STOPPED_BY_US:
        found.append(Problem("archive", f"the archive could not be finished: {error}", ExitCode.ERROR))
    for kind, key, noun, what in (
        ("database", statistics.ITEM_ERRORS, "item", "could not be stored"),
        ("parse_error", statistics.SPIDER_ERRORS, "page", "could not be parsed"),
    ):
        if stats.get(key) and reason not in _STOPPED_BY_US:
            found.append(Problem(kind, f"{counted(stats[key], noun)} {what}; see the log", ExitCode.ERROR))
    # Reported, but not a failure: the pages are still fetched.
    certificates = stats.get(statistics.UNTRUSTED_CERTIFICATES, ())
    found.extend(Problem("certificate", text, ExitCode.OK) for text in certificates)
    found.extend(Problem("old_tls", text, ExitCode.OK) for text in stats.get(statistics.OUTDATED_TLS, ()))
    found.extend(_site_problems(stats, reason) if is_site else _spider_problems(stats))
    return worst_first([*found, *health])


def _site_problems(stats: Mapping[str, Any], reason: str | None) -> list[Problem]:
    found: list[Problem] = []
    trouble, failed = _of_the_site(stats.get(statistics.LISTING_TROUBLE, {})), stats.get(statistics.SECTIONS_FAILED, 0)
    ours_alone = reason in _STOPPED_BY_US and not trouble
    if failed:
        found.extend([] if ours_alone else _failed_sections(stats, failed, trouble))
    elif stats.get(statistics.SECTIONS_READ, 0) and not stats.get(statistics.LISTINGS_WITH_LINKS):
        found.extend(_found_nothing(trouble, complete=_saw_all_sections(stats, reason)))
    elif reason == "finished" and not any(stats.get(name) for name in _READ_OR_SPARED):
        found.append(Problem("unreachable", "no section could be read", ExitCode.SITE_FAILED))
    if (further := stats.get(statistics.LISTINGS_FAILED, 0) - failed) > 0 and not ours_alone:
        text = f"{counted(further, 'later listing page')} cannot be read; the next run tries again"
        found.append(_failed(text, {} if failed else trouble, "server_error"))
    if (failed := stats.get(statistics.articles("failed"))) and not stats.get(statistics.ARTICLES):
        all_of_them = f"all {counted(failed, 'article')}" if failed > 1 else "the only article"
        trouble = _of_the_site(stats.get(statistics.ARTICLE_TROUBLE, {}))
        problem = _failed(f"{all_of_them} requested failed", trouble, "errors")
        if trouble or reason not in _STOPPED_BY_US:
            found.append(problem if all_failed(stats) else replace(problem, code=ExitCode.OK))
    if short := len(set(stats.get(statistics.SHORT_SECTIONS, ()))):
        pages = f"further pages of {counted(short, 'section')}"
        text = f"robots.txt forbids {pages}; new articles are found on the first pages"
        found.append(Problem("robots", text, ExitCode.OK))
    found.extend(Problem("endless", text, ExitCode.OK) for text in stats.get(statistics.ENDLESS_LISTINGS, ()))
    if all_missing(stats):
        text = f"all {counted(stats[statistics.articles('missing')], 'article')} that listings link do not exist"
        found.append(Problem("errors", text, ExitCode.SITE_FAILED))
    if all_forbidden(stats):
        text = (
            f"all {counted(stats[statistics.articles('forbidden')], 'article')} requested are forbidden by robots.txt"
        )
        found.append(Problem("robots", text, ExitCode.SITE_FAILED))
    return found


def _failed_sections(stats: Mapping[str, Any], failed: int, trouble: Mapping[str, str]) -> list[Problem]:
    """The problem of sections that cannot be read; further kinds of trouble have their own remedies."""
    text = f"{failed} of the sections cannot be read"
    first = _failed(text, trouble, "unreachable", named=stats.get(statistics.UNREAD_SECTIONS, ()))
    others = [kind for kind in trouble if kind != first.kind and kind not in _WORDS]
    return [first, *(Problem(kind, trouble[kind], ExitCode.SITE_FAILED) for kind in others)]


def all_failed(stats: Mapping[str, Any]) -> bool:
    """Whether no article was fetched, and at least FAILED_AT_LEAST failed."""
    return stats.get(statistics.articles("failed"), 0) >= FAILED_AT_LEAST and not stats.get(statistics.ARTICLES)


def all_missing(stats: Mapping[str, Any]) -> bool:
    """Whether no article that a run discovered exists, and at least MISSING_AT_LEAST are missing."""
    return stats.get(statistics.articles("missing"), 0) >= MISSING_AT_LEAST and not stats.get(statistics.ARTICLES)


def all_forbidden(stats: Mapping[str, Any]) -> bool:
    """Whether robots.txt forbids all articles that a run discovered, at least FORBIDDEN_AT_LEAST."""
    return stats.get(statistics.articles("forbidden"), 0) >= FORBIDDEN_AT_LEAST and not stats.get(statistics.ARTICLES)


def _named(problem: Problem, stats: Mapping[str, Any], reason: str) -> Problem:
    """The problem of a run that ended by refusals, named by the pages: a maintenance notice comes with 503."""
    if reason != "overloaded":
        return problem
    shown = {**stats.get(statistics.ARTICLE_TROUBLE, {}), **stats.get(statistics.LISTING_TROUBLE, {})}
    return replace(problem, kind=next((kind for kind in shown if kind in _WORDS), problem.kind))


def _in_detail(problem: Problem, stats: Mapping[str, Any]) -> Problem:
    """The problem, with the error of the archive's writer or of the database if that stopped the run."""
    if problem.kind not in _EXPLAINED:
        return problem
    named = [statistics.ARCHIVE_ERROR, statistics.DATABASE_ERROR]
    if problem.text.startswith("the item database"):
        named.remove(statistics.ARCHIVE_ERROR)
    error = next((stats[name] for name in named if stats.get(name)), None)
    return replace(problem, text=f"{problem.text}: {error}") if error else problem


def _of_the_site(trouble: Mapping[str, str]) -> dict[str, str]:
    return {kind: sentence for kind, sentence in trouble.items() if kind not in _OURS}


def _failed(text: str, trouble: Mapping[str, str], otherwise: str, *, named: Sequence[str] = ()) -> Problem:
    """The problem of pages that could not be fetched, of the kind that came first; `named` are their sections."""
    kind, sentence = next(iter(trouble.items()), (otherwise, ""))
    others = f" (sections: {_list(named)})" if len(named) > 1 else ""
    return Problem(kind, f"{text}: {sentence}{others}" if sentence else f"{text}{others}", ExitCode.SITE_FAILED)


def _list(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = f" and {counted(len(shown) - _NAMED, 'other')}" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more


def _saw_all_sections(stats: Mapping[str, Any], reason: str | None) -> bool:
    """Whether a run saw the first page of all its sections.

    A run that was cut short, or that continues one, may have seen only empty pages at the end of a section.
    """
    from_the_first = stats.get(statistics.FIRST_PAGES, 0) >= stats.get(statistics.SECTIONS_READ, 0)
    return reason == "finished" and not stats.get(statistics.MAX_PAGES_REACHED) and from_the_first


def _found_nothing(trouble: Mapping[str, str], *, complete: bool) -> list[Problem]:
    kind = next((kind for kind in trouble if kind in _WORDS), None)
    if kind is not None:
        return [Problem(kind, f"no article link in any section: {_WORDS[kind]}")]
    text = "no article link in any section: has the layout changed?"
    return [Problem("found_nothing", text)] if complete else []


def _spider_problems(stats: Mapping[str, Any]) -> list[Problem]:
    # Requests that the guard refused are not counted by the downloader.
    asked = stats.get("downloader/request_count") or stats.get(statistics.REFUSED)
    if asked and not stats.get("downloader/response_count"):
        return [Problem("unreachable", "no request got a response", ExitCode.SITE_FAILED)]
    return []
