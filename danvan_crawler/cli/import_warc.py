"""`danvan import-warc`: imports WARC files of other tools into the archive."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.signals import interrupting


@click.command("import-warc")
@click.argument(
    "files", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--site", metavar="SLUG", help="The site for records whose host belongs to no site.")
@archive_option
@sites_option
def command(files: tuple[Path, ...], site: str | None, archive: Path, site_folders: tuple[Path, ...]) -> int:
    """Import WARC files of other tools: copy them into the archive, index them, and read their articles.

    A record belongs to the site whose address or aliases have its host. Files may be compressed in any way or not at
    all, WARC/1.0 or 1.1; records are copied byte for byte. If a file is damaged, nothing is imported and the exit code
    is 8. A file that was imported before is skipped. After a signal (exit code 7), the same command continues.

    \b
    Example:
      danvan import-warc thanhhoa-2019.warc.gz
      danvan import-warc browsertrix/*.warc.gz --site thanhhoa-danvan
    """
    from danvan_crawler.crawl.runner import project_settings
    from danvan_crawler.derive.import_warc import import_warcs

    console = errors()
    columns = (TextColumn("import-warc"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
    with interrupting(), shown as bar:
        task = bar.add_task("import-warc", total=None)
        found = import_warcs(
            archive,
            files,
            registry(archive, site_folders),
            project_settings({"DANVAN_ARCHIVE": str(archive)}),
            site=site,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for sentence in found.skipped:
        console.print(sentence, markup=False)
    for source, path in found.files:
        console.print(f"{source}: copied to {path.relative_to(archive)}", markup=False)
    for slug, captures in sorted(found.captures.items()):
        console.print(f"{slug}: {captures} captures, {found.articles[slug]} of articles", markup=False)
    if found.undecodable:
        console.print(f"{found.undecodable} pages are in a content coding that cannot be read (br, zstd)", markup=False)
    for failure in found.failures:
        console.print(f"danvan: {failure}", markup=False)
    return int(ExitCode.ERROR if found.failures else ExitCode.OK)
