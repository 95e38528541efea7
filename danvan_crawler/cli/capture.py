"""`danvan capture`: prints a WARC record."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from danvan_crawler.atomic import replacing
from danvan_crawler.cli.common import archive_option, errors, known_place
from danvan_crawler.exceptions import archive_error
from danvan_crawler.plurals import counted
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

    ID is a record id, with or without `urn:uuid:`. The payload of a response is its body, with the content coding of
    the server. A revisit is printed as it is; its payload is that of the record that it refers to.

    \b
    Example:
      danvan capture 1b4c9f0e-7f2a-4d0e-9a53-2f6d1c0c8a11 -o page.html
    """
    record = find_record(archive, record_id, hint=known_place(archive, record_id))
    if output is None:
        sys.stdout.buffer.write(_printed(record))
        return
    if (reference := reference_of(record)) is not None:
        hint = known_place(archive, reference.record_id) if reference.record_id is not None else None
        record = find_original(archive, record, hint)
    payload = entity_body(record.block) if record.type == "response" else record.block
    try:
        with replacing(output) as file:
            file.write(payload)
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    errors().print(f"{output}: {counted(len(payload), 'byte')}", markup=False)


def _printed(record: WarcRecord) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in record.headers.items())
    return f"WARC/1.1\r\n{head}\r\n".encode() + record.block + b"\r\n\r\n"
