"""`danvan export`: exports articles for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from danvan_crawler.archive.layout import database_path
from danvan_crawler.atomic import replacing
from danvan_crawler.cli.common import archive_option, errors, filter_options
from danvan_crawler.exceptions import archive_error
from danvan_crawler.export.items import WRITERS
from danvan_crawler.plurals import counted
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items


@click.command("export")
@filter_options
@click.option(
    "--format", "form", type=click.Choice(sorted(WRITERS)), default="jsonl", show_default=True, help="File format."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of stdout."
)
@archive_option
def command(criteria: Filter, form: str, output: Path | None, archive: Path) -> None:
    """Export articles: one per line as JSON, or CSV for spreadsheets. Fields are described in archive/README.md.

    \b
    Example:
      danvan export --since 2017-01-01 -o articles.jsonl
      danvan export --format csv --site mau-danvan -o articles.csv
    """
    engine = open_for_reading(database_path(archive))
    write = WRITERS[form]
    with engine.connect() as connection:
        found = items(connection, criteria)
        if output is None:
            write(found, sys.stdout.buffer)
            return
        try:
            with replacing(output) as file:
                written = write(found, file)
        except OSError as error:
            raise archive_error(error, f"write {output}") from error
    errors().print(f"{output}: {counted(written, 'article')}", markup=False)
