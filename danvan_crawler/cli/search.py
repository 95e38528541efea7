"""`danvan search`: searches articles."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from danvan_crawler.archive.layout import database_path
from danvan_crawler.cli.common import archive_option, errors, filter_options, json_option, write_out
from danvan_crawler.plurals import counted
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter
from danvan_crawler.store.search import MARK_END, MARK_START, Hit, search


@click.command("search")
@click.argument("query", required=False)
@filter_options
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many hits.")
@json_option
@archive_option
def command(query: str | None, criteria: Filter, limit: int, as_json: bool, archive: Path) -> None:
    """Search articles. Those with all words in the title come first, then the others, each newest first.

    Words with marks are matched exactly, words without marks match any marks. "…" is a phrase, word* a prefix, -word
    excludes a word. QUERY may be left out with --document.

    \b
    Example:
      danvan search 'dân vận khéo'
      danvan search 'dan van kheo' --since 2017-01-01 --json
      danvan search --document '09-NQ/TU'
    """
    if query is None and criteria.document is None:
        raise click.UsageError("Missing argument 'QUERY' (or option '--document').")
    engine = open_for_reading(database_path(archive))
    found = 0
    with engine.connect() as connection:
        for hit in search(connection, query or "", criteria, limit):
            found += 1
            if as_json:
                write_out(json.dumps({**hit.item, "snippet": _plain(hit.snippet)}, ensure_ascii=False))
            else:
                _print(hit)
    if not as_json:
        errors().print(counted(found, "hit"))


def _print(hit: Hit) -> None:
    item = hit.item
    day = (item["published_at"] or "no date   ")[:10]
    place = f"  {day}  {item['site']}  {item['section']}  {item['item_id']}"
    snippet = " ".join(hit.snippet.split())
    if not sys.stdout.isatty():
        for line in (item["title"], place, f"  {_plain(snippet)}"):
            write_out(line)
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"[bold]{escape(item['title'])}[/bold]")
    out.print(place, markup=False)
    out.print("  " + escape(snippet).replace(MARK_START, "[reverse]").replace(MARK_END, "[/reverse]"))


def _plain(snippet: str) -> str:
    return snippet.replace(MARK_START, "").replace(MARK_END, "")
