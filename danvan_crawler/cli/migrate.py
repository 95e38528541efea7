"""`danvan migrate`: brings the item database to the newest schema, tries that first, or goes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from danvan_crawler.archive.layout import database_path
from danvan_crawler.archive.locks import DatabaseLock
from danvan_crawler.cli.common import archive_option, errors
from danvan_crawler.exceptions import DanvanError, ExitCode, UsageError
from danvan_crawler.plurals import counted
from danvan_crawler.store import migration
from danvan_crawler.store.database import open_for_writing, rehearse


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Try the migration, take it back, and report what it would do.")
@click.option("--back", is_flag=True, help="Put the database as it was before its last migration in its place.")
@archive_option
def command(archive: Path, dry_run: bool, back: bool) -> int:
    """Bring the item database to the schema of this version.

    The next crawl does that by itself; with this command you choose the time and see the progress. The database is
    copied beside itself before, if there is room. It is migrated as a whole or not at all. The WARC files are not
    touched.

    \b
    Example:
      danvan migrate --dry-run
      danvan migrate
      danvan migrate --back
    """
    if dry_run and back:
        raise UsageError("give --dry-run or --back, not both")
    path, console = database_path(archive), errors()
    if back:
        with DatabaseLock(archive, exclusive=True):
            _go_back(path, console)
        return int(ExitCode.OK)
    plan = migration.plan_of(path)
    if plan is None:
        if not path.is_file():
            raise UsageError(f"{path}: there is no item database")
        open_for_writing(path).dispose()  # reports what is wrong, if anything is
        console.print(f"{path}: has the newest schema", markup=False)
        return int(ExitCode.OK)
    _describe(plan, console)
    with DatabaseLock(archive, exclusive=True), bar(console) as progress:
        if dry_run:
            tried = rehearse(path, plan, progress)
        else:
            open_for_writing(path, progress).dispose()
    if dry_run:
        grows = f"the file would grow by {tried.growth / 1e6:,.1f} MB"
        console.print(f"It works: tried in {tried.seconds:.1f} s and taken back; {grows}.", markup=False)
    else:
        console.print(f"{path}: migrated to schema {plan.target}", markup=False)
    return int(ExitCode.OK)


def _describe(plan: migration.Plan, console: Console) -> None:
    steps = f"{counted(len(plan.steps), 'step')}: {', '.join(plan.steps)}"
    console.print(f"{plan.path}: schema {plan.version} to {plan.target}, {steps}", markup=False)
    free = migration.free_beside(plan.path) / 1e6
    if plan.has_room:
        sentence = (
            f"The database as it is, {plan.size / 1e6:,.1f} MB, is kept as {plan.copy.name} ({free:,.0f} MB are free)."
        )
    else:
        sentence = f"There is no room for a copy of {plan.size / 1e6:,.1f} MB ({free:,.0f} MB are free): none is kept."
    console.print(sentence, markup=False)


def _go_back(path: Path, console: Console) -> None:
    gone = migration.go_back(path)
    console.print(f"{path}: has schema {gone.version} again; the database of schema {gone.before} is {gone.aside.name}")
    console.print(
        "Install the older version before the next crawl: this one would migrate the database again. What was crawled "
        "since the migration is in the WARC files only: `danvan rebuild` of the older version brings it in.",
        markup=False,
    )


@contextmanager
def bar(console: Console) -> Iterator[migration.Progress]:
    """A progress bar for a migration, on a terminal."""
    columns = (TextColumn("migrate: {task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total, what: progress.update(task, completed=done, total=total, description=escape(what))


def migrate_first(archive: Path) -> None:
    """Migrates the database before crawls begin, once and with a progress bar. What fails, the crawls report."""
    path = database_path(archive)
    with suppress(DanvanError):
        if (plan := migration.plan_of(path)) is None:
            return
        _describe(plan, errors())
        with DatabaseLock(archive), bar(errors()) as progress:
            open_for_writing(path, progress).dispose()
