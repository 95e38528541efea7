"""`danvan suppress`: hides articles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from danvan_crawler.cli.common import archive_option, errors, registry, sites_option, write_out
from danvan_crawler.store.suppressed_file import Takedown


@click.command("suppress")
@click.argument("item", required=False)
@click.option("--reason", metavar="TEXT", help="The reason, for later readers.")
@click.option("--undo", is_flag=True, help="Show the article again.")
@archive_option
@sites_option
def command(item: str | None, reason: str | None, undo: bool, archive: Path, site_folders: tuple[Path, ...]) -> None:
    """Hide an article from search, exports, pages and packages. ITEM is an item_id or an address.

    Its WARC records stay, and replay still shows it. The takedown is written to suppressed.toml in the archive, which
    crawls and rebuilds obey. Without ITEM, applies suppressed.toml to the database if the file was changed by hand, and
    lists what is suppressed.

    \b
    Example:
      danvan suppress mau-danvan-0123456789abcdef --reason 'request of the person named, 3 March 2027'
      danvan suppress mau-danvan-0123456789abcdef --undo
    """
    from danvan_crawler.crawl.runner import project_settings
    from danvan_crawler.derive.suppress import follow_file, suppress, unsuppress

    settings = project_settings({"DANVAN_ARCHIVE": str(archive)})
    if item is None:
        if undo or reason is not None:
            raise click.UsageError("Missing argument 'ITEM'.")
        _list(follow_file(archive, registry(archive, site_folders), settings))
    elif undo:
        if reason is not None:
            raise click.UsageError("--undo takes no --reason: the entry is removed with its reason.")
        entry = unsuppress(archive, item, registry(archive, site_folders), settings)
        errors().print(f"{entry.item_id}: shown again", markup=False)
    else:
        if reason is None or not reason.strip():
            raise click.UsageError("Missing option '--reason': later readers need the reason.")
        entry, is_new = suppress(archive, item, reason.strip(), settings)
        state = "suppressed" if is_new else f"is suppressed already, since {entry.date}: {entry.reason}"
        errors().print(f"{entry.item_id}: {state}", markup=False)


def _list(entries: Iterable[Takedown]) -> None:
    for entry in entries:
        write_out(f"{entry.date}  {entry.item_id}  {entry.url}  {' '.join(entry.reason.split())}")
