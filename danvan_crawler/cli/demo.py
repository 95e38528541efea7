"""`danvan demo`: crawls the bundled sample portal, without a network."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import func, select

from danvan_crawler.archive.layout import database_path
from danvan_crawler.cli.common import archive_option, errors
from danvan_crawler.exceptions import ExitCode, UsageError
from danvan_crawler.fleet.child_process import danvan, run_command
from danvan_crawler.plurals import counted
from danvan_crawler.sample import SamplePortal, articles, profile_toml
from danvan_crawler.sample.profile import SLUG
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, count
from danvan_crawler.store.schema import captures, revisions
from danvan_crawler.urls import item_id
from danvan_crawler.warc.files import warc_files

DEFAULT_PORT = 8017
"""Fixed, so that a second demo has the same addresses as the first."""


@click.command("demo")
@archive_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help=f"Port of the portal; {DEFAULT_PORT}, or a free one."
)
def command(archive: Path, port: int | None) -> int:
    """Crawl the bundled sample portal into the archive, twice, with an edit between.

    Serves the portal on loopback with 0.1 s between requests; no network is needed.

    \b
    Example:
      danvan demo
      danvan demo --archive demo-archive
    """
    console = errors()
    with (
        _portal(port) as portal,
        tempfile.TemporaryDirectory(prefix="danvan-demo-") as folder,
    ):
        Path(folder, f"{SLUG}.toml").write_text(profile_toml(portal.url), encoding="utf-8")
        console.print(f"The sample portal is at {portal.url}")
        console.print("First crawl: everything is new.")
        # Each crawl in its own process, as cron would start it.
        crawl = danvan("crawl", SLUG, "--archive", str(archive), "--sites", folder)
        code = run_command(crawl)
        if code is ExitCode.OK:
            portal.edition = 2
            console.print("Second crawl: one article was edited, one is new.")
            code = run_command(crawl)
        edited = _edited_address(portal.url)
    if code is ExitCode.OK:
        _report(archive, edited)
    return int(code)


def _portal(port: int | None) -> SamplePortal:
    try:
        return SamplePortal(DEFAULT_PORT if port is None else port).start()
    except OSError as error:
        if port is not None:
            raise UsageError(f"port {port} cannot be used: {error.strerror}") from error
        return SamplePortal().start()


def _edited_address(home: str) -> str:
    """Address of the article that edition 2 changes."""
    before = {article.path: article.title for article in articles(1)}
    path = next(article.path for article in articles(2) if before.get(article.path, article.title) != article.title)
    return home.rstrip("/") + path


def _report(archive: Path, edited: str) -> None:
    engine = open_for_reading(database_path(archive))
    with engine.connect() as connection:
        stored = count(connection, Filter(site=SLUG))
        exchanges = connection.execute(select(func.count()).where(captures.c.site == SLUG)).scalar_one()
        changed = connection.execute(select(func.count()).where(revisions.c.revision > 1)).scalar_one()
    where = () if archive == Path("archive").absolute() else ("--archive", str(archive))
    console = errors()
    console.print()
    console.print(
        f"{counted(stored, 'article')}, {counted(exchanges, 'capture')}, "
        f"{changed} of the articles with a second revision."
    )
    console.print("WARC files:")
    for path in warc_files(archive, SLUG):
        console.print(f"  {path}", markup=False)
    console.print(f"Item database:\n  {database_path(archive)}", markup=False)
    console.print("Try next:")
    for words in (
        ("search", "dân vận khéo", *where),
        ("show", item_id(SLUG, edited), *where),
        ("export", "--format", "csv", "-o", "articles.csv", *where),
    ):
        console.print(f"  {shlex.join([*_program(), *words])}", markup=False)


def _program() -> Sequence[str]:
    """How the user can call this program: after `make demo`, `danvan` may not be on PATH."""
    script = Path(sys.argv[0])
    if shutil.which("danvan") is not None:
        return ("danvan",)
    if script.name == "danvan":
        return (os.path.relpath(script),)
    return (sys.executable, "-m", "danvan_crawler")
