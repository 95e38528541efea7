"""`danvan crawl`: crawls sites into the archive."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from danvan_crawler import clock, statistics
from danvan_crawler.archive.layout import profile_folder
from danvan_crawler.archive.locks import FleetLock
from danvan_crawler.cli.common import (
    archive_option,
    errors,
    registry,
    since_option,
    sites_option,
    until_option,
    write_out,
)
from danvan_crawler.cli.migrate import migrate_first
from danvan_crawler.cli.nonblocking import console, nonblocking_stderr
from danvan_crawler.cli.progress import SitesProgress
from danvan_crawler.cli.status import state_of
from danvan_crawler.exceptions import ExitCode, ProfileError, UsageError
from danvan_crawler.fleet.child_process import Job, JobResult, Limits, danvan, run_command
from danvan_crawler.fleet.installed import nights_of
from danvan_crawler.fleet.supervisor import Supervisor, Watcher
from danvan_crawler.health.notifications import Notifier
from danvan_crawler.health.reports import MissingReport, kind_of, longest_waiting_first
from danvan_crawler.plurals import counted
from danvan_crawler.settings_check import from_environment
from danvan_crawler.sites.profile import SLUG, Site
from danvan_crawler.sites.registry import SiteRegistry


@click.command("crawl")
@click.argument("slugs", metavar="SLUG...", nargs=-1)
@click.option("--all", "all_sites", is_flag=True, help="Every enabled site.")
@since_option
@until_option
@click.option("--full", is_flag=True, help="Walk all pages of all sections and ask for every known article again.")
@click.option("--plan", is_flag=True, help="Fetch listings only and print the articles that would be fetched.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Sites crawled at the same time."
)
@click.option(
    "--max-pages", type=click.IntRange(min=1), metavar="N", help="Stop after N listing and article pages of a site."
)
@click.option(
    "--time-limit",
    type=click.IntRange(1, 10**8),
    metavar="SECONDS",
    help="Stop a site cleanly after this time (exit code 7). Each site has its own time.",
)
@click.option(
    "--night-limit",
    type=click.IntRange(1, 10**8),
    metavar="SECONDS",
    help="Stop all sites cleanly after this time (exit code 7). Until then, sites for which others wait take turns.",
)
@click.option(
    "--quiet", is_flag=True, help="With several sites: print nothing about sites where all went well (for cron)."
)
@click.option(
    "--verify",
    "verifies",
    is_flag=True,
    help="With several sites: afterwards run `danvan verify` if DANVAN_VERIFY_DAYS have passed since the last time.",
)
@archive_option
@sites_option
def command(
    slugs: tuple[str, ...],
    all_sites: bool,
    jobs: int,
    night_limit: int | None,
    quiet: bool,
    verifies: bool,
    archive: Path,
    site_folders: tuple[Path, ...],
    **options: Any,
) -> int:
    """Crawl sites into the archive: every exchange as WARC, articles into the item database.

    A crawl continues where the last one ended and stops at articles that it knows. With several sites, each one has a
    process of its own and a log in ARCHIVE/logs. If one hangs, crashes or has a broken profile, the others continue.

    \b
    Example:
      danvan crawl thanhhoa-danvan --since 2017-01-01
      danvan crawl --all --night-limit 21600
    """
    known = registry(archive, site_folders, lenient=True)
    wanted = _wanted(known, slugs, all_sites, archive)
    notifier = Notifier(archive)
    migrate_first(archive)
    if slugs and len(wanted) == 1:
        try:
            seconds = min(filter(None, (night_limit, options["time_limit"])), default=None)
            return int(crawl_here(wanted[0], known.folders, archive, {**options, "time_limit": seconds}))
        finally:
            notifier.notify(wanted)
    if all_sites:
        wanted = longest_waiting_first(archive, wanted)
    limits = _limits()
    planned = [_job(known.get(slug), archive, site_folders, options) for slug in wanted]
    broken = known.broken if all_sites else {}
    with (
        nonblocking_stderr() as stream,
        SitesProgress(console(stream), len(planned) + len(broken), quiet=quiet) as watcher,
    ):
        refused = [_refuse(archive, slug, error, watcher) for slug, error in sorted(broken.items())]
        with FleetLock(archive):
            supervisor = Supervisor(archive, watcher, parallel=jobs, limits=limits, night_limit=float(night_limit or 0))
            results = supervisor.run(planned)
        if night_limit and supervisor.was_cut:
            watcher.note(
                f"The limit of {night_limit} s for the night was reached. Sites that were cut come first next time."
            )
    _notify(notifier, archive, known, [*wanted, *broken])
    codes = [job_result.code for job_result in (*refused, *results)]
    if verifies and not (supervisor.was_stopped or supervisor.was_cut):
        codes.append(run_command(danvan("verify", "--if-due", "--quiet", "--archive", str(archive))))
        _notify(notifier, archive, known, ())
    return int(ExitCode.worst(codes))


def _notify(notifier: Notifier, archive: Path, known: SiteRegistry, slugs: Collection[str]) -> None:
    """Sends what has changed with these sites and with the archive."""
    if notifier.has_addresses:
        nights = nights_of(archive, known, os.environ)
        notifier.notify(slugs, nights, state_of(archive, nights, clock.now()).problems)


def _wanted(known: SiteRegistry, slugs: tuple[str, ...], all_sites: bool, archive: Path) -> list[str]:
    if all_sites == bool(slugs):
        raise UsageError("name the sites to crawl, or give --all; `danvan sites` lists them")
    if all_sites:
        enabled = [site.slug for site in known if site.enabled]
        if not enabled and not known.broken:
            raise UsageError(f"no site is enabled; put a profile into {profile_folder(archive)}")
        return enabled
    for slug in slugs:
        if not known.get(slug).enabled:
            raise UsageError(f"site {slug!r} has enabled = false in {known.origin(slug)}: it is not contacted")
    return list(dict.fromkeys(slugs))


def _refuse(archive: Path, slug: str, error: ProfileError, watcher: Watcher) -> JobResult:
    """The result of a site whose profile cannot be used, reported like any other."""
    if SLUG.match(slug):
        with suppress(OSError):
            MissingReport(archive, slug).write_error(error)
    job_result = JobResult(slug, error.exit_code, str(error))
    watcher.ended(job_result)
    return job_result


def crawl_here(slug: str, profiles: Iterable[Path], archive: Path, options: dict[str, Any]) -> ExitCode:
    """Crawls one site in this process, with a progress line on a terminal.

    If the crawl fails before it can write its run report, the report is written here.
    """
    missing_report = MissingReport(archive, slug)
    try:
        code, finding, kind = _crawl(slug, profiles, archive, options)
    except Exception as error:
        with suppress(OSError):  # if the archive cannot be written, the error itself says so
            missing_report.write_error(error)
        raise
    with suppress(OSError):
        missing_report.write(code, finding, kind=kind)
    return code


def _crawl(slug: str, profiles: Iterable[Path], archive: Path, options: dict[str, Any]) -> tuple[ExitCode, str, str]:
    """Returns the exit code of the crawl, the finding, and the kind of problem."""
    # Importing Scrapy is slow and reads its settings from the environment.
    from danvan_crawler.cli.progress import CrawlProgress
    from danvan_crawler.crawl.runner import new_process, report, run

    settings: dict[str, Any] = {"DANVAN_ARCHIVE": str(archive), "DANVAN_SITES": [str(folder) for folder in profiles]}
    if options.get("time_limit"):
        settings["CLOSESPIDER_TIMEOUT"] = options["time_limit"]
    shown = errors()
    if shown.is_terminal and "DANVAN_LOG_LEVEL" not in os.environ:
        settings["LOG_LEVEL"] = "ERROR"
    process = new_process(settings)
    crawler = process.create_crawler(slug)
    arguments = {name: options[name] for name in ("since", "until", "full", "plan", "max_pages") if options.get(name)}
    with CrawlProgress(crawler, shown, slug):
        result = run(process, crawler, **arguments)
    for url in getattr(result.spider, "planned", ()):
        write_out(url)
    report(result, slug)
    if result.began:
        errors().print(f"{slug}: {_summary(result.stats)}", markup=False)
    if result.problems:
        return result.code, result.problems[0].text, result.problems[0].kind
    return result.code, "the crawl ended without a message", kind_of(result.code)


def _summary(stats: Mapping[str, Any]) -> str:
    """What a crawl brought, in a line."""
    listings, articles = stats.get(statistics.LISTINGS, 0), stats.get(statistics.ARTICLES, 0)
    captures, files = stats.get(statistics.CAPTURES, 0), len(stats.get(statistics.WARC_FILES, []))
    found = f"{counted(listings, 'listing page')}, {counted(articles, 'article')}, {counted(captures, 'capture')}"
    return f"{found} in {counted(files, 'WARC file')}" if captures else found


def _limits() -> Limits:
    """The limits of a site's process, from the environment."""
    clock.now()  # raises UsageError for an invalid DANVAN_CLOCK once, instead of in every process
    memory: int = from_environment("DANVAN_MEMORY_LIMIT")
    # A crawl stops by itself at the limit; at one and a half times the limit, it evidently cannot.
    return Limits(hang_after=from_environment("DANVAN_HANG_AFTER"), memory=memory * 3 // 2 * 1024 * 1024)


def _job(site: Site, archive: Path, site_folders: tuple[Path, ...], options: dict[str, Any]) -> Job:
    """The process that crawls one site with the options of this command."""
    arguments = ["crawl", site.slug, "--archive", str(archive)]
    for folder in site_folders:
        arguments += ["--sites", str(folder)]
    for name, value in options.items():
        if name == "time_limit":
            continue
        if value is True:
            arguments.append(f"--{name.replace('_', '-')}")
        elif value:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    return Job(
        site.slug,
        danvan(*arguments),
        hosts=site.contacted_hosts(),
        time_limit=float(options.get("time_limit") or 0),
        quiet_for=2 * site.delay,
        limit_option="--time-limit",
        # A run with one of these begins anew each time.
        continues=not any(options.get(name) for name in ("full", "plan", "since", "until")),
    )
