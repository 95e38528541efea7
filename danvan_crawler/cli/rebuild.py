"""`danvan rebuild`: makes the item database again from the WARC files."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.plurals import counted


@click.command("rebuild")
@archive_option
@sites_option
def command(archive: Path, site_folders: tuple[Path, ...]) -> int:
    """Make the item database again from the WARC files alone.

    The old database stays in use until the new one is complete. If a WARC file is damaged, the exit code is 8: the new
    database has everything that can be read, and the old one is kept as danvan.sqlite.before-rebuild.

    \b
    Example:
      danvan rebuild --archive /srv/danvan
    """
    from danvan_crawler.crawl.runner import project_settings
    from danvan_crawler.derive.rebuild import rebuild

    console = errors()
    columns = (TextColumn("rebuild"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("rebuild", total=None)
        found = rebuild(
            archive,
            registry(archive, site_folders),
            project_settings({"DANVAN_ARCHIVE": str(archive)}),
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    for failure in found.failures:
        console.print(f"danvan: {failure}", markup=False)
    for damage in found.damage:
        console.print(f"danvan: {damage}", markup=False)
    console.print(
        f"{counted(len(found.sites), 'site')}, {counted(found.captures, 'capture')}, {found.articles} of articles",
        markup=False,
    )
    if found.damage:
        return int(ExitCode.DAMAGED)
    return int(ExitCode.ERROR if found.failures else ExitCode.OK)
