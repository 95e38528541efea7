"""`danvan capture`: a record of the archive as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from danvan_crawler.atomic import replacing
from danvan_crawler.cli.common import archive_option, errors
from danvan_crawler.exceptions import archive_error
from danvan_crawler.warc.message import entity_body
from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.revisits import find_original, find_record, reference_of


@click.command("capture")
@click.argument("record_id", metavar="ID")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Save the payload to this file instead."
)
@archive_option
def command(record_id: str, output: Path | None, archive: Path) -> None:
    """Print a WARC record, or save its payload with -o.

    ID is a record id, with or without `urn:uuid:`. The payload of a response is its body with the content coding that
    the server gave it; a revisit is printed as it is, and its payload is that of the record that it refers to.

    \b
    Example:
      danvan capture 1b4c9f0e-7f2a-4d0e-9a53-2f6d1c0c8a11 -o page.html
    """
    record = find_record(archive, record_id, hint=_known_place(archive, record_id))
    if output is None:
        sys.stdout.buffer.write(_printed(record))
        return
    if (reference := reference_of(record)) is not None:
        hint = _known_place(archive, reference.record_id) if reference.record_id is not None else None
        record = find_original(archive, record, hint)
    payload = entity_body(record.block) if record.type == "response" else record.block
    try:
        with replacing(output) as file:
            file.write(payload)
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    errors().print(f"{output}: {len(payload)} bytes", markup=False)


def _known_place(archive: Path, record_id: str) -> tuple[str, int] | None:
    """Where the database says that the record is; None when there is no database or it does not know."""
    from sqlalchemy import select

    from danvan_crawler.exceptions import StoreError
    from danvan_crawler.store.database import database_path, open_for_reading
    from danvan_crawler.store.schema import captures
    from danvan_crawler.warc.revisits import full_id

    try:
        engine = open_for_reading(database_path(archive))
    except StoreError:
        return None
    with engine.connect() as connection:
        statement = select(captures.c.warc_file, captures.c.warc_offset)
        row = connection.execute(statement.where(captures.c.warc_record_id == full_id(record_id))).one_or_none()
    return (row.warc_file, row.warc_offset) if row is not None else None


def _printed(record: WarcRecord) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in record.headers.items())
    return f"WARC/1.1\r\n{head}\r\n".encode() + record.block + b"\r\n\r\n"
