"""`danvan verify`: checks that the archive is complete and unchanged."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from danvan_crawler import clock
from danvan_crawler.archive.checks import FINDINGS_KEPT, Check, checks, last_of, write_check
from danvan_crawler.archive.layout import warc_folder
from danvan_crawler.cli.common import archive_option, errors, json_option, write_out
from danvan_crawler.cli.table import print_table
from danvan_crawler.exceptions import DanvanError, ExitCode, UsageError
from danvan_crawler.fleet.signals import interrupting
from danvan_crawler.plurals import counted
from danvan_crawler.settings_check import from_environment


@click.command("verify")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--site", "slug", metavar="SLUG", help="Only what the archive has of this site.")
@click.option(
    "--repair", "repairs", is_flag=True, help="First move damaged bytes to separate files, and write indexes again."
)
@click.option("--history", is_flag=True, help="Check nothing: list what was checked when, and what was found.")
@click.option("--if-due", is_flag=True, help="Do nothing if the last check is younger than DANVAN_VERIFY_DAYS.")
@click.option("--quiet", is_flag=True, help="Print nothing unless something is damaged (for cron).")
@json_option
@archive_option
def command(
    files: tuple[Path, ...],
    slug: str | None,
    repairs: bool,
    history: bool,
    if_due: bool,
    quiet: bool,
    as_json: bool,
    archive: Path,
) -> int:
    """Check every WARC file, its index and manifest, and that every item's record exists and matches.

    With FILE (.warc.gz or .wacz), checks only these files. Each finding is one line: file, byte, kind, sentence. The
    exit code is 8 if anything is damaged. --repair moves damaged bytes to separate files, keeps every complete record
    and deletes nothing; run `danvan rebuild` afterwards to correct the database. Each check without FILE is noted in
    ARCHIVE/checks; `danvan status` reports one that found damage, and one that is overdue.

    \b
    Example:
      danvan verify --site thanhhoa-danvan
      danvan verify thanhhoa.wacz --json
      danvan verify --history
    """
    if files and (slug or if_due):
        raise UsageError(f"{'--site' if slug else '--if-due'} cannot be used together with FILE")
    if history:
        return _history(archive, slug, as_json=as_json)
    days = from_environment("DANVAN_VERIFY_DAYS") if if_due else 0.0
    if if_due and not is_due(list(checks(archive)), slug, days, clock.now()):
        return int(ExitCode.OK)
    paths = tuple(path.absolute() for path in files)
    return _verify(paths, slug, archive, repairs=repairs, quiet=quiet, as_json=as_json)


def _verify(
    files: tuple[Path, ...], slug: str | None, archive: Path, *, repairs: bool, quiet: bool, as_json: bool
) -> int:
    from danvan_crawler.verify.archive import RepairWork, repair, size_of, verify_archive, verify_files
    from danvan_crawler.verify.findings import Finding, Verification
    from danvan_crawler.warc.files import warc_files

    single, console, began = bool(files), errors(), clock.now()
    work = repair(archive, slug, files) if repairs else RepairWork()
    if repairs:  # a file that was only damage no longer exists
        files = tuple(path for path in map(_finished, files) if path.exists())
    findings: list[Finding] = []
    damaged: Counter[str] = Counter()
    slugs = [path.name for path in warc_folder(archive).glob("*")]
    read = 0
    complete = False
    columns = (TextColumn("verify"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(
            "verify", total=size_of(files if single else warc_files(archive, slug, include_open=True))
        )

        def report(finding: Finding) -> None:
            if len(findings) < FINDINGS_KEPT or as_json:
                findings.append(finding)
            if finding.damage:
                damaged[site_of(finding.file, slugs)] += 1
            if not as_json and (finding.damage or not quiet):
                write_out(str(finding))

        def advance(count: int) -> None:
            nonlocal read
            read += count
            progress.advance(task, count)

        result = Verification(report, advance)
        try:
            with interrupting():
                if single:
                    verify_files(files, archive, result)
                else:
                    verify_archive(archive, slug, result)
            complete = True
        finally:
            code = ExitCode.DAMAGED if result.damage else ExitCode.OK if complete else ExitCode.INTERRUPTED
            if not single:
                _note(
                    archive,
                    Check(
                        began,
                        clock.now(),
                        site=slug,
                        complete=complete,
                        exit_code=int(code),
                        files=result.files,
                        records=result.records,
                        bytes=read,
                        damage=result.damage,
                        notices=result.notices,
                        damaged=dict(damaged),
                        findings=tuple(finding.as_json() for finding in findings[:FINDINGS_KEPT]),
                        repairs=tuple(work.done),
                    ),
                )
    if as_json:
        document = {
            "damaged": result.damage > 0,
            "files": result.files,
            "records": result.records,
            "repairs": work.done,
            "findings": [finding.as_json() for finding in findings],
        }
        write_out(json.dumps(document, ensure_ascii=False, indent=2))
    for sentence in work.done:
        console.print(sentence, markup=False)
    if work.moved:
        sentence = "Records were moved, lost or recovered: run `danvan rebuild` to correct the database."
        console.print(sentence, markup=False)
    if result.damage or not quiet:
        console.print(_summary(result.files, result.records, result.damage, result.notices), markup=False)
    return int(code)


def _note(archive: Path, check: Check) -> None:
    """Notes a check in the archive. What is on read-only media can be checked too."""
    if not archive.is_dir():
        return
    try:
        write_check(archive, check)
    except DanvanError as error:
        errors().print(f"danvan: this check is not in the history: {error}", markup=False)


def site_of(name: str, slugs: Collection[str]) -> str:
    """The site of a finding, by its file's name in the archive; "" for one of no site.

    An index is named after its WARC file, which begins with the slug.

    >>> site_of("index/ha-nam-danvan-20261130.cdxj", ["ha", "ha-nam-danvan"])
    'ha-nam-danvan'
    """
    folder, _, rest = name.partition("/")
    if folder == "warc":
        return rest.partition("/")[0]
    return max((slug for slug in slugs if folder == "index" and rest.startswith(f"{slug}-")), key=len, default="")


def is_due(found: Collection[Check], slug: str | None, days: float, now: datetime) -> bool:
    """Whether a check is due: the last complete one, of the site or of the whole archive, is at least `days` old."""
    if not days:
        return False
    last = last_of(found, slug or "")
    # An hour less, so that a check that follows a crawl of the same hour each night is not a night late.
    return last is None or now - last.started_at >= timedelta(days=days) - timedelta(hours=1)


def _history(archive: Path, slug: str | None, *, as_json: bool) -> int:
    found = [one for one in checks(archive) if slug is None or one.site in (None, slug)]
    if as_json:
        write_out(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=2))
        return int(ExitCode.OK)
    rows = [_row(one) for one in found]
    if sys.stdout.isatty():
        names = ("began", "checked", "files", "records", "size", "result")
        print_table(names, rows)
    else:
        for row in rows:
            write_out("\t".join(row))
    if not found:
        errors().print(f"{archive}: no check is noted", markup=False)
    return int(ExitCode.OK)


def _row(one: Check) -> tuple[str, ...]:
    result = _verdict(one.damage, one.notices) if one.complete else f"stopped; {_verdict(one.damage, one.notices)}"
    began, size = f"{one.started_at.astimezone():%Y-%m-%d %H:%M}", f"{one.bytes / 1e6:.1f} MB"
    return began, one.site or "whole archive", str(one.files), str(one.records), size, result


def _finished(path: Path) -> Path:
    return path if path.exists() else path.with_name(path.name.removesuffix(".open"))


def _summary(files: int, records: int, damage: int, notices: int) -> str:
    return f"{counted(files, 'file')}, {counted(records, 'record')}: {_verdict(damage, notices)}"


def _verdict(damage: int, notices: int) -> str:
    found = f"{counted(damage, 'finding')} of damage" if damage else "no damage"
    return found + (f", {counted(notices, 'notice')}" if notices else "")
