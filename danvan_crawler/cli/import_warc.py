"""`danvan import-warc`: imports files of other tools into the archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.signals import interrupting
from danvan_crawler.plurals import counted

if TYPE_CHECKING:
    from danvan_crawler.derive.reparse import Reading

_NAMED = 50
"""Records that are named on the terminal; more are only counted. The warcinfo record of a copy names some too."""


@click.command("import-warc")
@click.argument(
    "files", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--site", metavar="SLUG", help="The site for records whose host belongs to no site.")
@archive_option
@sites_option
def command(files: tuple[Path, ...], site: str | None, archive: Path, site_folders: tuple[Path, ...]) -> int:
    """Import files of other tools: copy their records into the archive, index them, and read their articles.

    Reads WARC/1.1, 1.0, 0.18 and 0.17 (.warc, .warc.gz, .warc.zst), ARC (.arc, .arc.gz) and WACZ. A record belongs to
    the site whose address or aliases have its host. WARC/1.0 and 1.1 are copied byte for byte, other records are
    converted to WARC/1.1. A record that cannot be read or used is left out and named, and the exit code is 8. A file
    that was imported before is skipped. After a signal (exit code 7), the same command continues.

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
    for sentence in [*found.skipped, *found.converted, *_some(found.renamed)]:
        console.print(sentence, markup=False)
    for source, path in found.files:
        console.print(f"{source}: copied to {path.relative_to(archive)}", markup=False)
    for slug, captures in sorted(found.captures.items()):
        for line in _lines(captures, found.read[slug]):
            console.print(f"{slug}: {line}", markup=False)
    for sentence in _some(found.left_out):
        console.print(f"danvan: {sentence}", markup=False)
    for failure in found.failures:
        console.print(f"danvan: {failure}", markup=False)
    if found.left_out:
        return int(ExitCode.DAMAGED)
    return int(ExitCode.ERROR if found.failures else ExitCode.OK)


def _some(sentences: Sequence[str]) -> list[str]:
    """As many as a person reads."""
    more = [f"and {len(sentences) - _NAMED} more"] if len(sentences) > _NAMED else []
    return [*sentences[:_NAMED], *more]


def _lines(captures: int, reading: Reading) -> Iterator[str]:
    """What the captures of a site gave, a line for each kind."""
    yield f"{counted(captures, 'capture')}, {reading.articles} of articles"
    if reading.undecodable:
        yield f"pages that could not be read: {_counted(reading.undecodable)}"
    if reading.doubts:
        yield f"pages that were read although their header is wrong: {_counted(reading.doubts)}"
    if reading.unread and not reading.articles:
        yield f"captures without an article: {_counted(reading.unread)}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {words}" for words, count in counts.most_common())
