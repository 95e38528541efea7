"""`danvan status`: reports the state of the sites."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from danvan_crawler import clock
from danvan_crawler.archive.checks import Check
from danvan_crawler.archive.layout import profile_folder, warc_folder
from danvan_crawler.atomic import replace_file
from danvan_crawler.cli.common import archive_option, errors, json_option, registry, sites_option, write_out
from danvan_crawler.cli.table import print_table
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.installed import nights_of
from danvan_crawler.health.archive_status import ArchiveStatus, archive_status, disk_in_words
from danvan_crawler.health.problems import together
from danvan_crawler.health.prometheus import write_metrics
from danvan_crawler.health.status import Nights, SiteStatus, status
from danvan_crawler.health.status_page import page
from danvan_crawler.plurals import counted
from danvan_crawler.settings_check import from_environment
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry


@click.command("status")
@click.option("--site", "slugs", multiple=True, metavar="SLUG", help="Only this site; may be repeated.")
@click.option(
    "--html",
    "page_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a page with charts that opens from disk.",
)
@click.option(
    "--prometheus",
    "metrics_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write metrics for node_exporter's textfile collector; the name should end in .prom.",
)
@json_option
@archive_option
@sites_option
def command(
    slugs: tuple[str, ...],
    page_path: Path | None,
    metrics_path: Path | None,
    as_json: bool,
    archive: Path,
    site_folders: tuple[Path, ...],
) -> int:
    """Report the state of the sites: last run, new articles, problems and what to do about them.

    Reads run reports and the item database; contacts no server. Times are in the time zone of this machine. A site that
    missed a night of the installed schedule is unhealthy. The exit code is 4 if a site or the archive is unhealthy.

    \b
    Example:
      danvan status
      danvan status --html status.html --prometheus /var/lib/node_exporter/danvan.prom
    """
    known = registry(archive, site_folders, lenient=True)
    now = clock.now()
    broken = {slug: error for slug, error in known.broken.items() if not slugs or slug in slugs}
    sites = [known.get(slug) for slug in slugs if slug not in broken] if slugs else _of_the_operator(known)
    nights = nights_of(archive, known, os.environ)
    found = status(archive, sites, now, broken, nights=nights)
    whole = state_of(archive, nights, now)
    notes = () if found or slugs else tuple(_why_no_site(archive, known))
    if page_path is not None:
        replace_file(page_path, page(found, now, whole, notes))
    if metrics_path is not None:
        write_metrics(metrics_path, found, whole)
    unhealthy = sum(one.unhealthy for one in found)
    if as_json:
        document = {
            "generated_at": now.isoformat(timespec="seconds"),
            "unhealthy": unhealthy,
            "archive": whole.as_json(),
            "sites": [one.as_json() for one in found],
        }
        write_out(json.dumps(document, ensure_ascii=False, indent=2))
    elif page_path is None and metrics_path is None:
        _print(found, whole)
        _print_archive(archive, whole, notes, now, sites=len(found), unhealthy=unhealthy)
    for path in (page_path, metrics_path):
        if path is not None:
            errors().print(f"Written: {path}", markup=False)
    return int(ExitCode.UNHEALTHY if unhealthy or whole.unhealthy else ExitCode.OK)


def _of_the_operator(known: SiteRegistry) -> list[Site]:
    """All sites, without the bundled ones that nobody has enabled."""
    return [site for site in known if site.enabled or not known.is_bundled(site.slug)]


def _why_no_site(archive: Path, known: SiteRegistry) -> Iterator[str]:
    """Sentences about an archive of which no site is shown."""
    yield f"No site is enabled: put a profile into {profile_folder(archive)}."
    crawled = {path.name for path in warc_folder(archive).glob("*") if path.is_dir()}
    for site in known:
        if site.slug in crawled:
            of_the_demo = ", the sample portal of `danvan demo`" if known.is_bundled(site.slug) else ""
            yield f"The archive has {site.slug}{of_the_demo}: `danvan status --site {site.slug}` shows it."


def _print(found: Sequence[SiteStatus], whole: ArchiveStatus) -> None:
    if sys.stdout.isatty():
        names = ("site", "last run", "outcome", "7 days", "30 days", "newest article", "problems")
        print_table(names, [_row(one) for one in found], styles={2: [_colour(one) for one in found]})
    else:
        for one in found:
            write_out("\t".join(_row(one)))
    console = errors()
    shared = {problem.text for problem in whole.problems}
    each = ((one.site, problem) for one in found if one.enabled for problem in one.problems)
    for slugs, problem in together(each):
        if problem.text not in shared:  # of the archive: it follows below
            console.print(f"{', '.join(slugs)}: {problem.text}\n    {problem.remedy}", markup=False)
    for one in found:
        if one.not_before is not None:
            console.print(f"{one.site}: not contacted until {_minute(one.not_before)}", markup=False)


def _print_archive(
    archive: Path, whole: ArchiveStatus, notes: Sequence[str], now: datetime, *, sites: int, unhealthy: int
) -> None:
    console = errors()
    for problem in whole.problems:
        console.print(f"{problem.text}\n    {problem.remedy}", markup=False)
    for note in notes:
        console.print(note, markup=False)
    if sites or whole.last_check is not None:
        console.print(f"Checked: {_checked(whole.last_check)}", markup=False)
    if sites and whole.disk is not None:
        console.print(f"Disk: {disk_in_words(whole.disk, now)}", markup=False)
    if sites:
        console.print(f"{archive}: {counted(sites, 'site')}, {unhealthy} unhealthy", markup=False)


def _checked(check: Check | None) -> str:
    if check is None:
        return "never as a whole (`danvan verify`)"
    found = f"{counted(check.damage, 'finding')} of damage" if check.damage else "no damage"
    return f"{_minute(check.started_at.isoformat())}, {counted(check.files, 'file')}, {found}"


def state_of(archive: Path, nights: Nights | None, now: datetime) -> ArchiveStatus:
    """The state of an archive with its schedule and the settings of this shell."""
    return archive_status(
        archive,
        nights.schedule if nights is not None else None,
        now,
        verify_days=from_environment("DANVAN_VERIFY_DAYS"),
        min_free=from_environment("DANVAN_MIN_FREE"),
    )


def _colour(one: SiteStatus) -> str:
    return "red" if one.unhealthy else "green" if one.outcome == "good" else "yellow"


def _row(one: SiteStatus) -> tuple[str, ...]:
    life = one.activity
    return (
        one.site,
        _minute(one.last.started_at.isoformat()) if one.last is not None else "-",
        one.outcome,
        str(life.published[7]) if life is not None else "0",
        str(life.published[30]) if life is not None else "0",
        (life.newest or "-")[:10] if life is not None else "-",
        ", ".join(dict.fromkeys(problem.kind for problem in one.problems)) or "-",
    )


def _minute(moment: str) -> str:
    """A moment in the time zone of this machine."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
