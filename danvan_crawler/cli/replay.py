"""`danvan replay`: serves the archive for a browser."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.exceptions import UsageError
from danvan_crawler.plurals import counted

if TYPE_CHECKING:
    from danvan_crawler.export.site import ArchivedSite

DEFAULT_PORT = 8080
"""The default of pywb."""
ARTICLES_SHOWN = 200
"""Articles of each site on the front page."""


@click.command("replay")
@click.option("--site", metavar="SLUG", help="Only this site.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help=f"Port of the server; {DEFAULT_PORT}, or a free one."
)
@archive_option
@sites_option
def command(site: str | None, port: int | None, archive: Path, site_folders: tuple[Path, ...]) -> None:
    """Serve the archive on this machine with pywb (extra `replay`), until Ctrl-C.

    The front page lists sites and their newest articles. It needs no network and copies no WARC file.

    \b
    Example:
      danvan replay
      danvan replay --site mau-danvan --port 8090
    """
    from danvan_crawler.export.site import archived_site, archived_slugs
    from danvan_crawler.replay.pywb import Wayback, find_wayback, prepare

    program = find_wayback()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sites = registry(archive, site_folders)
    found = [archived_site(archive, slug, sites) for slug in (archived_slugs(archive) if site is None else [site])]
    if not found:
        raise UsageError(f"{archive} has no finished WARC file")
    console = errors()
    with tempfile.TemporaryDirectory(prefix="danvan-replay-") as folder:
        files = [path for one in found for path in one.warc_files]
        prepare(Path(folder), archive, files, _front_page(archive, found))
        try:
            with Wayback(program, Path(folder), _port(port)) as server:
                console.print(
                    f"{counted(len(files), 'WARC file')} of {counted(len(found), 'site')} at {server.url}", markup=False
                )
                console.print("Press Ctrl-C to stop.")
                server.wait()
        except KeyboardInterrupt:  # the normal end
            return


def _port(wanted: int | None) -> int:
    from danvan_crawler.replay.pywb import free_port

    try:
        return free_port(DEFAULT_PORT if wanted is None else wanted)
    except UsageError:
        if wanted is not None:
            raise
        return free_port(0)


def _front_page(archive: Path, sites: Sequence[ArchivedSite]) -> str:
    from danvan_crawler.archive.layout import database_path
    from danvan_crawler.exceptions import StoreError
    from danvan_crawler.replay.front_page import front_page, newest_articles
    from danvan_crawler.store.database import open_for_reading

    names = [site.description.title for site in sites]
    try:
        with open_for_reading(database_path(archive)).connect() as connection:
            shown = [newest_articles(connection, site.slug, ARTICLES_SHOWN) for site in sites]
    except StoreError as error:  # captures can be replayed without a database
        errors().print(f"danvan: the front page lists no articles: {error}", markup=False)
        shown = [[] for _ in sites]
    return front_page(zip(names, shown, strict=True))
