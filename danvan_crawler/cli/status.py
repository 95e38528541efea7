"""`danvan status`: reports the state of the sites."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from danvan_crawler import clock
from danvan_crawler.atomic import replace_file
from danvan_crawler.cli.common import archive_option, errors, json_option, registry, sites_option, write_out
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.prometheus import write_metrics
from danvan_crawler.health.status import SiteStatus, status
from danvan_crawler.health.status_page import page

_COLOURS = {"good": "green", "unhealthy": "red", "failed": "red", "error": "red", "overdue": "red"}


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

    Reads run reports and the item database; contacts no server. Times are in the time zone of this machine. The exit
    code is 4 if a site is unhealthy.

    \b
    Example:
      danvan status
      danvan status --html status.html --prometheus /var/lib/node_exporter/danvan.prom
    """
    known = registry(archive, site_folders, lenient=True)
    now = clock.now()
    broken = {slug: error for slug, error in known.broken.items() if not slugs or slug in slugs}
    sites = [known.get(slug) for slug in slugs if slug not in broken] if slugs else list(known)
    found = status(archive, sites, now, broken)
    if page_path is not None:
        replace_file(page_path, page(found, now))
    if metrics_path is not None:
        write_metrics(metrics_path, found)
    unhealthy = sum(one.unhealthy for one in found)
    if as_json:
        document = {
            "generated_at": now.isoformat(timespec="seconds"),
            "unhealthy": unhealthy,
            "sites": [one.as_json() for one in found],
        }
        write_out(json.dumps(document, ensure_ascii=False, indent=2))
    elif page_path is None and metrics_path is None:
        _print(found, archive)
    for path in (page_path, metrics_path):
        if path is not None:
            errors().print(f"Written: {path}", markup=False)
    return int(ExitCode.UNHEALTHY if unhealthy else ExitCode.OK)


def _print(found: Sequence[SiteStatus], archive: Path) -> None:
    if sys.stdout.isatty():
        _print_table(found)
    else:
        for one in found:
            write_out("\t".join(_row(one)))
    console = errors()
    for one in found:
        for problem in one.problems if one.enabled else ():
            console.print(f"{one.site}: {problem.text}", markup=False)
            console.print(f"    {problem.remedy}", markup=False)
        if one.not_before is not None:
            console.print(f"{one.site}: not contacted until {_minute(one.not_before)}", markup=False)
    unhealthy = sum(one.unhealthy for one in found)
    console.print(f"{archive}: {len(found)} site{'' if len(found) == 1 else 's'}, {unhealthy} unhealthy", markup=False)


def _print_table(found: Sequence[SiteStatus]) -> None:
    table = Table("site", "last run", "outcome", "7 days", "30 days", "newest article", "problems")
    for one in found:
        site, last, outcome, *rest = (escape(cell) for cell in _row(one))
        colour = _COLOURS.get(one.outcome, "yellow")
        table.add_row(site, last, f"[{colour}]{outcome}[/{colour}]", *rest)
    Console().print(table)


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
