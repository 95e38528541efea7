"""Options and output that commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from danvan_crawler.captures import RecordPlace
from danvan_crawler.exceptions import UsageError
from danvan_crawler.settings_check import from_environment
from danvan_crawler.sites.registry import SiteRegistry, site_registry
from danvan_crawler.store.queries import Filter

F = TypeVar("F", bound=Callable[..., Any])


def errors() -> Console:
    """stderr for human readers: colours and bars on a terminal, plain lines otherwise."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _absolute(_context: click.Context, _option: click.Parameter, value: Path) -> Path:
    # `../b/a` and `a` become the same path; symbolic links are not resolved.
    return Path(os.path.abspath(value))  # noqa: PTH100


archive_option = click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DANVAN_ARCHIVE",
    default=Path("archive"),
    show_default=True,
    callback=_absolute,
    help="The archive folder; environment variable DANVAN_ARCHIVE.",
)
sites_option = click.option(
    "--sites",
    "site_folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    callback=lambda _context, _option, value: tuple(folder.absolute() for folder in value),
    help="A folder of further site profiles; may be repeated. Environment variable DANVAN_SITES.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _day(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        if len(value) != 10 or value[4] != "-" or value[7] != "-":  # fromisoformat also reads weeks and 20170523
            raise ValueError(value)
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise click.BadParameter(f"must be a day like 2017-05-23, got {value!r}", param=option) from error


def day_option(name: str, help: str, *, required: bool = False) -> Callable[[F], F]:
    """An option that takes an ISO day."""
    return click.option(name, callback=_day, metavar="DAY", required=required, help=help)


since_option = day_option("--since", "First day of publication, e.g. 2017-05-23.")
until_option = day_option("--until", "Last day of publication, inclusive.")


def filter_options(function: F) -> F:
    """--site, --section, --province, --body, --since, --until and --document, passed on as one Filter `criteria`."""
    import functools

    @functools.wraps(function)
    def with_filter(*args: Any, **kwargs: Any) -> Any:
        names = ("site", "section", "province", "body", "since", "until", "document")
        given = {name: kwargs.pop(name) for name in names}
        return function(*args, criteria=Filter(**given), **kwargs)

    wrapped: Any = with_filter
    for option in (
        click.option(
            "--document", metavar="NUMBER", help="Articles that cite this document, e.g. '09-NQ/TU' or 100/2019/NĐ-CP."
        ),
        until_option,
        since_option,
        click.option(
            "--body",
            metavar="KIND",
            help="Kind of Party body, e.g. ban-dan-van or 'Ban Dân vận', with those that were merged into it.",
        ),
        click.option(
            "--province",
            metavar="PLACE",
            help="Province of today or before, e.g. VN-21, 'Thanh Hóa' or hanam, with those that were merged into it.",
        ),
        click.option("--section", metavar="NAME", help="Section as printed, e.g. 'Tin tức'."),
        click.option("--site", metavar="SLUG", help="One site."),
    ):
        wrapped = option(wrapped)
    result: F = wrapped
    return result


def registry(archive: Path, site_folders: tuple[Path, ...], *, lenient: bool = False) -> SiteRegistry:
    """The sites known to this archive, with DANVAN_SITES before --sites. Raises ProfileError, unless `lenient`."""
    named = [Path(folder) for folder in from_environment("DANVAN_SITES")]
    for folder in named:
        if not folder.is_dir():
            raise UsageError(f"DANVAN_SITES: {folder} is not a folder")
    return site_registry(archive, (*named, *site_folders), lenient=lenient)


def known_capture(archive: Path, record_id: str) -> dict[str, Any] | None:
    """The row of a record in the database; None if there is no database or the record is not in it."""
    from sqlalchemy import select

    from danvan_crawler.archive.layout import database_path
    from danvan_crawler.exceptions import StoreError
    from danvan_crawler.store.database import open_for_reading
    from danvan_crawler.store.schema import captures
    from danvan_crawler.warc.revisits import full_id

    try:
        engine = open_for_reading(database_path(archive))
    except StoreError:
        return None
    with engine.connect() as connection:
        statement = select(captures).where(captures.c.warc_record_id == full_id(record_id))
        row = connection.execute(statement).mappings().one_or_none()
    return {**row} if row is not None else None


def known_place(archive: Path, record_id: str) -> RecordPlace | None:
    """File and offset of a record from the database; None as for `known_capture`."""
    row = known_capture(archive, record_id)
    return RecordPlace(row["warc_file"], row["warc_offset"]) if row is not None else None


def write_out(text: str) -> None:
    """Writes a line of data to stdout, in UTF-8 whatever the locale is."""
    sys.stdout.buffer.write(text.encode() + b"\n")
