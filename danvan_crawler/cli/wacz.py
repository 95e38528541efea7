"""`danvan wacz`: packs a site as a WACZ file."""

from __future__ import annotations

from pathlib import Path

import click

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.plurals import counted


@click.command("wacz")
@click.argument("slug")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@archive_option
@sites_option
def command(slug: str, output: Path, force: bool, archive: Path, site_folders: tuple[Path, ...]) -> None:
    """Pack the WARC files of a site, their index and its articles as WACZ 1.1.1, which ReplayWeb.page and pywb open.

    Needs the extra `wacz`. Files that a run is still writing are left out.

    \b
    Example:
      danvan wacz mau-danvan -o mau-danvan.wacz
    """
    from danvan_crawler.export.site import archived_site
    from danvan_crawler.export.wacz import pack_wacz

    site = archived_site(archive, slug, registry(archive, site_folders))
    count = pack_wacz(archive, site, output, replace=force)
    errors().print(f"{output}: {counted(count, 'article')}, {counted(len(site.warc_files), 'WARC file')}", markup=False)
