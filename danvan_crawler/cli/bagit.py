"""`danvan bagit`: packs a site as a BagIt bag."""

from __future__ import annotations

from pathlib import Path

import click

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.plurals import counted
from danvan_crawler.settings_check import from_environment


@click.command("bagit")
@click.argument("slug")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder to create.")
@archive_option
@sites_option
def command(slug: str, output: Path, archive: Path, site_folders: tuple[Path, ...]) -> None:
    """Copy the WARC files of a site, their indexes, its profile and its articles into a BagIt bag.

    Needs the extra `bagit`. DANVAN_OPERATOR and DANVAN_CONTACT are written into bag-info.txt. Files that a run is still
    writing are left out.

    \b
    Example:
      danvan bagit mau-danvan -o mau-danvan-2026
    """
    from danvan_crawler.export.bagit import pack_bag
    from danvan_crawler.export.site import archived_site

    site = archived_site(archive, slug, registry(archive, site_folders))
    operator, contact = from_environment("DANVAN_OPERATOR"), from_environment("DANVAN_CONTACT")
    count = pack_bag(archive, site, output, operator=operator, contact=contact)
    errors().print(f"{output}: {counted(count, 'article')}, {counted(len(site.warc_files), 'WARC file')}", markup=False)
