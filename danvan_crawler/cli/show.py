"""`danvan show`: shows one article, its revisions and their captures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from danvan_crawler.archive.layout import database_path
from danvan_crawler.cli.common import archive_option, json_option, write_out
from danvan_crawler.store import suppression
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import History, history
from danvan_crawler.store.suppressed_file import Takedown

_CAPTURE_FIELDS = ("warc_date", "url", "status", "warc_file", "warc_offset", "warc_record_id", "payload_digest")


@click.command("show")
@click.argument("item")
@json_option
@archive_option
def command(item: str, as_json: bool, archive: Path) -> None:
    """Show one article with its revisions and their captures. ITEM is an item_id or an address.

    \b
    Example:
      danvan show http://127.0.0.1:8017/tin-tuc/hoat-dong/hoi-nghi-1.html
    """
    engine = open_for_reading(database_path(archive))
    with engine.connect() as connection:
        takedown = suppression.find(connection, item)
        if takedown is not None:
            _print_suppressed(takedown, suppression.captures_of(connection, takedown.item_id), as_json)
            return
        found = history(connection, item)
    if as_json:
        write_out(json.dumps(_document(found), ensure_ascii=False, indent=2))
    else:
        for line in _lines(found):
            write_out(line)


def _print_suppressed(takedown: Takedown, captures: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Prints the facts about a suppressed article that may be shown."""
    since = takedown.date.isoformat()
    if as_json:
        document = {
            "item_id": takedown.item_id,
            "url": takedown.url,
            "suppressed": {"reason": takedown.reason, "date": since},
            "captures": [{name: row[name] for name in _CAPTURE_FIELDS} for row in captures],
        }
        write_out(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for line in (
        f"Item:      {takedown.item_id}",
        f"Address:   {takedown.url}",
        f"Suppressed since {since}: {takedown.reason}",
        *map(_capture_line, captures),
    ):
        write_out(line)


def _capture_line(row: Mapping[str, Any]) -> str:
    place = f"{row['warc_file']}@{row['warc_offset']}"
    return f"Capture {row['warc_date']}  {row['status']}  {row['warc_record_id']}  {place}"


def _document(found: History) -> dict[str, object]:
    return {
        **found.item,
        "revisions": [dict(row) for row in found.revisions],
        "captures": [
            {**{name: row[name] for name in _CAPTURE_FIELDS}, "content_hash": row["content_hash"]}
            for row in found.captures
        ],
    }


def _lines(found: History) -> list[str]:
    item = found.item
    lines = [item["title"], "=" * min(len(item["title"]), 80), ""]
    for label, value in (
        ("Item", item["item_id"]),
        ("Address", item["canonical_url"]),
        ("Section", item["section"]),
        ("Published", f"{item['published_at']} ({item['published_precision']})" if item["published_at"] else None),
        ("Printed", item["published_raw"]),
        ("Author", item["author"]),
        ("Source", item["source"]),
        ("Tags", ", ".join(item["tags"])),
        ("Warnings", "; ".join(item["warnings"])),
        ("Rights", item["rights"]),
    ):
        if value:
            lines.append(f"{label + ':':<11}{value}")
    lines += ["", item["lead"], "", *item["body_text"].split("\n"), ""]
    for kind in ("images", "attachments"):
        for linked in item[kind]:
            name = linked.get("name") or linked.get("caption") or ""
            kept = linked["capture"]["warc_record_id"] if linked["capture"] else "not archived"
            lines.append(f"{kind[:-1].capitalize()}: {linked['url']}  {name}  [{kept}]")
    lines.append("")
    current = item["revision"]
    for row in found.revisions:
        mark = "current" if row["revision"] == current else "       "
        lines.append(f"Revision {row['revision']} {mark}  {row['captured_at']}  {row['title']}")
    lines += map(_capture_line, found.captures)
    return lines
