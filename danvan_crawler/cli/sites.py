"""`danvan sites`: lists the sites that can be crawled."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from danvan_crawler.cli.common import archive_option, errors, json_option, registry, sites_option, write_out
from danvan_crawler.cli.table import print_table
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.sites.profile import Site


@click.group("sites", invoke_without_command=True)
@archive_option
@sites_option
@json_option
@click.pass_context
def command(context: click.Context, archive: Path, site_folders: tuple[Path, ...], as_json: bool) -> int:
    """List the sites that can be crawled.

    Profiles come from the package, ARCHIVE/sites, DANVAN_SITES and --sites folders. If two have the same slug, the
    later one is used. If a profile cannot be used, stderr names it and the exit code is 2.

    \b
    Example:
      danvan sites
      danvan sites show mau-danvan
    """
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    known = registry(archive, site_folders, lenient=True)
    if as_json:
        write_out(json.dumps([_facts(site, known.origin(site.slug)) for site in known], ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        names = ("slug", "name", "family", "home", "sections", "enabled")
        print_table(names, [_row(site) for site in known])
    else:
        for site in known:
            write_out("\t".join((site.slug, site.name, site.family, site.home)))
    for error in known.broken.values():
        errors().print(f"danvan: {error}", markup=False)
    return ExitCode.USAGE if known.broken else ExitCode.OK


@command.command("show")
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the profile's TOML.")
@archive_option
@sites_option
@click.pass_context
def show(context: click.Context, slug: str, as_json: bool, archive: Path, site_folders: tuple[Path, ...]) -> None:
    """Print the profile of one site.

    \b
    Example:
      danvan sites show mau-danvan
    """
    assert context.parent is not None
    before = context.parent.params  # both options may also stand before `show`
    if context.get_parameter_source("archive") is not ParameterSource.COMMANDLINE:
        archive = before["archive"]
    known = registry(archive, (*before["site_folders"], *site_folders), lenient=True)
    site = known.get(slug)
    if as_json:
        write_out(json.dumps(_facts(site, known.origin(slug)), ensure_ascii=False, indent=2))
    else:
        errors().print(f"# {known.origin(slug)}", markup=False)
        write_out(site.source_text.rstrip("\n"))


def _row(site: Site) -> tuple[str, ...]:
    enabled = "yes" if site.enabled else "no"
    return (site.slug, site.name, site.family, site.home, str(len(site.sections)), enabled)


def _facts(site: Site, origin: Path) -> dict[str, Any]:
    return {**site.model_dump(mode="json"), "profile": str(origin)}
