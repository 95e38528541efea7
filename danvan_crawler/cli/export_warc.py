"""`danvan export-warc`: writes a site as one self-contained WARC file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.plurals import counted


@click.command("export-warc")
@click.argument("slug")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@archive_option
@sites_option
def command(slug: str, output: Path, force: bool, archive: Path, site_folders: tuple[Path, ...]) -> int:
    """Write all WARC records of a site into one file, in which revisits are full responses again.

    If FILE ends in .gz, it is gzipped, one member per record. Records keep their ids. If the record of a revisit is not
    in the archive, the revisit is copied unchanged and the exit code is 8. Files that a run is still writing are left
    out.

    \b
    Example:
      danvan export-warc mau-danvan -o mau-danvan.warc.gz
    """
    from danvan_crawler import __version__
    from danvan_crawler.export.site import archived_site
    from danvan_crawler.export.warc import export_warc

    site = archived_site(archive, slug, registry(archive, site_folders))
    about = {
        "software": f"danvan-crawler/{__version__}",
        "isPartOf": slug,
        "title": site.description.title,
        "description": f"All records of {slug} from {counted(len(site.warc_files), 'WARC file')}, revisits resolved",
        "rights": site.description.rights,
    }
    console = errors()
    columns = (TextColumn("export-warc"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("export-warc", total=None)
        found = export_warc(
            site.warc_files,
            output,
            about,
            replace=force,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for sentence in found.lost:
        console.print(f"danvan: {sentence}", markup=False)
    console.print(
        f"{output}: {counted(found.records, 'record')}, {counted(found.resolved, 'revisit')} resolved", markup=False
    )
    return int(ExitCode.DAMAGED if found.lost else ExitCode.OK)
