"""`danvan dates`: reads the date lines of a file or a pipe as the crawler reads them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import click

from danvan_crawler.exceptions import UsageError
from danvan_crawler.vietnamese import timestamps


def _zone(_context: click.Context, option: click.Parameter, value: str) -> str:
    try:
        timestamps.parse("", timezone=value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=option) from error
    return value


def _moment(_context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None or not timestamps.FIRST_YEAR <= moment.year <= timestamps.LAST_YEAR:
            raise ValueError(value)
    except ValueError as error:
        raise click.BadParameter(
            f"must be a moment with its time zone like 2026-11-23T08:00:00+07:00, got {value!r}", param=option
        ) from error
    return moment


@click.command("dates")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--timezone",
    default="Asia/Ho_Chi_Minh",
    show_default=True,
    callback=_zone,
    metavar="ZONE",
    help="IANA name of the lines' time zone. A zone that is printed in a line has priority.",
)
@click.option("--month-first", is_flag=True, help="Read 12/23/2018: the month before the day.")
@click.option(
    "--now",
    callback=_moment,
    metavar="MOMENT",
    help="When the lines were displayed, with time zone. Without it, relative dates like '2 giờ trước' are null.",
)
def command(file: BinaryIO, timezone: str, month_first: bool, now: datetime | None) -> None:
    """Read one date line per line from FILE (- for stdin), and print one JSON object for each.

    "at" is the moment (ISO 8601), or null if the line has no publication date or an ambiguous one. "precision" is
    second, minute or day, "raw" the characters that were read, "text" the line.

    \b
    Example:
      danvan dates lines.txt
      echo 'Đăng lúc: 23/05/2017 08:15' | danvan dates -
    """
    out = sys.stdout.buffer
    for text in _lines(file):
        stamp = timestamps.parse(text, timezone=timezone, now=now, month_first=month_first)
        reading = {
            "text": text,
            "at": stamp and stamp.at.isoformat(),
            "precision": stamp and stamp.precision,
            "raw": stamp and stamp.raw,
        }
        out.write(json.dumps(reading, ensure_ascii=False).encode() + b"\n")


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines without their ends, UTF-8 with or without a byte order mark; other bytes are U+FFFD."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace") as decoded:
        try:
            for line in decoded:
                yield line.removesuffix("\n")
        except OSError as error:
            raise UsageError(f"{file.name}: cannot be read: {error.strerror}") from error
