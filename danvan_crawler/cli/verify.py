"""`danvan verify`: checks that the archive is complete and unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from danvan_crawler.cli.common import archive_option, errors, json_option, write_out
from danvan_crawler.exceptions import ExitCode, UsageError


@click.command("verify")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--site", "slug", metavar="SLUG", help="Only what the archive has of this site.")
@click.option(
    "--repair", "repairs", is_flag=True, help="First move damaged bytes to separate files, and write indexes again."
)
@json_option
@archive_option
def command(files: tuple[Path, ...], slug: str | None, repairs: bool, as_json: bool, archive: Path) -> int:
    """Check every WARC file, its index and manifest, and that every item's record exists and matches.

    With FILE (.warc.gz or .wacz), checks only these files. Each finding is one line: file, byte, kind, sentence. The
    exit code is 8 if anything is damaged. --repair moves damaged bytes to separate files, keeps every complete record
    and deletes nothing; run `danvan rebuild` afterwards to correct the database.

    \b
    Example:
      danvan verify --site thanhhoa-danvan
      danvan verify thanhhoa.wacz --json
    """
    from danvan_crawler.verify.archive import RepairWork, repair, size_of, verify_archive, verify_files
    from danvan_crawler.verify.findings import Finding, Verification
    from danvan_crawler.warc.files import warc_files

    if files and slug:
        raise UsageError("--site cannot be used together with FILE")
    single = bool(files)
    files = tuple(path.absolute() for path in files)
    console = errors()
    work = repair(archive, slug, files) if repairs else RepairWork()
    if repairs:  # a file that was only damage no longer exists
        files = tuple(path for path in map(_finished, files) if path.exists())
    findings: list[Finding] = []
    columns = (TextColumn("verify"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(
            "verify", total=size_of(files if single else warc_files(archive, slug, include_open=True))
        )

        def report(finding: Finding) -> None:
            if as_json:
                findings.append(finding)
            else:
                write_out(str(finding))

        result = Verification(report, lambda count: progress.advance(task, count))
        if single:
            verify_files(files, archive, result)
        else:
            verify_archive(archive, slug, result)
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
    console.print(_summary(result.files, result.records, result.damage, result.notices), markup=False)
    return int(ExitCode.DAMAGED if result.damage else ExitCode.OK)


def _finished(path: Path) -> Path:
    return path if path.exists() else path.with_name(path.name.removesuffix(".open"))


def _summary(files: int, records: int, damage: int, notices: int) -> str:
    verdict = f"{damage} findings of damage" if damage else "no damage"
    return f"{files} files, {records} records: {verdict}" + (f", {notices} notices" if notices else "")
