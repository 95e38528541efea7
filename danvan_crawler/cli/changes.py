"""`danvan changes`: lists new, edited, gone and returned articles."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from danvan_crawler.archive.layout import database_path
from danvan_crawler.cli.common import archive_option, day_option, errors, json_option, write_out
from danvan_crawler.clock import warc_date
from danvan_crawler.store.changes import KINDS, ArticleChange, changes
from danvan_crawler.store.database import open_for_reading

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@click.command("changes")
@day_option("--since", "First day, e.g. 2026-11-01.", required=True)
@day_option("--until", "Last day, inclusive.")
@click.option("--site", metavar="SLUG", help="Of this site only.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Of this kind only; may be given several times.")
@json_option
@archive_option
def command(
    since: str, until: str | None, site: str | None, kind: tuple[str, ...], as_json: bool, archive: Path
) -> None:
    """List articles that are new, were edited, are gone or came back, by the day on which a crawl found the change.

    For an edit, the changed words are shown: [-removed-] {+added+}. Days are in Vietnamese time.

    \b
    Example:
      danvan changes --since 2026-11-01
      danvan changes --since 2026-11-01 --kind edited --kind gone --json
    """
    engine = open_for_reading(database_path(archive))
    counted = dict.fromkeys(KINDS, 0)
    with engine.connect() as connection:
        end = _midnight(until, 1) if until is not None else None
        for change in changes(connection, _midnight(since), end, site=site):
            if kind and change.kind not in kind:
                continue
            counted[change.kind] += 1
            if as_json:
                write_out(json.dumps(asdict(change), ensure_ascii=False))
            else:
                _print(change)
    if not as_json:
        errors().print(", ".join(f"{number} {name}" for name, number in counted.items()))


def _midnight(day: str, later: int = 0) -> str:
    """The beginning of a day as WARC-Date. If it is out of range, the day itself, which sorts before or after all."""
    try:
        return warc_date(datetime.combine(date.fromisoformat(day) + timedelta(days=later), datetime.min.time(), _ZONE))
    except OverflowError:
        return day


def _print(change: ArticleChange) -> None:
    moment = datetime.fromisoformat(change.date).astimezone(_ZONE)
    write_out(f"{moment:%Y-%m-%d %H:%M}  {change.kind:<7}  {change.site}  {change.title}")
    write_out(f"  {change.item_id}  {change.url}")
    for line in change.diff:
        write_out(f"    {line}")
