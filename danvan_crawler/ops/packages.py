"""What goes into a package of one site: its WARC files, a fresh index, its articles, and what is said of it.

A package is read again by others, years later. So the index is not the one in the archive but made anew, which reads
every record of every file: a damaged file ends the packing instead of travelling along.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from danvan_crawler.exceptions import ArchiveError, UsageError, archive_error
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store.database import database_path, open_for_reading
from danvan_crawler.store.queries import Filter, newest_first
from danvan_crawler.store.schema import articles
from danvan_crawler.warc.files import WARC_FOLDER, warc_files
from danvan_crawler.warc.index import index_lines, merged
from danvan_crawler.warc.wacz import Description, Page, refuse_existing, require_wacz, write_wacz

_CHUNK = 200
"""Articles read at a time: with their bodies, about a megabyte."""


@dataclass(frozen=True, slots=True)
class ArchivedSite:
    """A site of which the archive has something."""

    slug: str
    profile: Site | None
    """None when the archive outlived the profile, or for a spider without one."""
    warc_files: tuple[Path, ...]
    """Finished files; what a run writes now belongs to the next package."""

    @property
    def description(self) -> Description:
        """Title, origin and rights, from the profile."""
        if self.profile is None:
            return Description(self.slug)
        return Description(
            self.profile.name,
            f"Captures of {self.profile.home} ({self.slug}), province {self.profile.province}, made by danvan-crawler",
            rights_of(self.profile),
        )


def rights_of(profile: Site) -> str:
    """The rights note of a profile; empty without one."""
    return str(getattr(profile, "rights", None) or "")


def archived_site(archive: Path, slug: str, sites: SiteRegistry) -> ArchivedSite:
    """Raises UnknownSiteError when neither profiles nor archive know the slug, UsageError when nothing is archived."""
    try:
        paths = warc_files(archive, slug)
    except ArchiveError:  # no name of a folder, so none of a site
        paths = []
    profile = sites.get(slug) if slug in sites or not paths else None
    if not paths:
        raise UsageError(f"{slug}: {archive} has no finished WARC file of this site")
    return ArchivedSite(slug, profile, tuple(paths))


def archived_slugs(archive: Path) -> list[str]:
    """Every site with a finished WARC file."""
    return sorted({path.relative_to(archive / WARC_FOLDER).parts[0] for path in warc_files(archive)})


def newest_articles(connection: Connection, slug: str, limit: int) -> list[tuple[str, str, str, str]]:
    """Day, title, URL and time of capture of a site's newest articles."""
    c = articles.c
    statement = select(c.published_at, c.title, c.url, c.captured_at).where(*Filter(site=slug).conditions())
    rows = connection.execute(newest_first(statement).limit(limit))
    return [((row.published_at or "")[:10], row.title, row.url, row.captured_at) for row in rows]


def pages(connection: Connection, slug: str) -> Iterator[Page]:
    """The articles of a site in the order of their captures, in constant memory."""
    c = articles.c
    order = (c.captured_at, c.url, c.id)
    wanted = select(c.id).where(*Filter(site=slug).conditions()).order_by(*order)
    found = connection.execute(wanted, execution_options={"yield_per": _CHUNK}).scalars()
    for ids in found.partitions():
        rows = select(c.item_id, c.url, c.captured_at, c.title, c.lead, c.body_text).where(c.id.in_(ids))
        for row in connection.execute(rows.order_by(*order)):
            text = "\n".join(part for part in (row.lead, row.body_text) if part)
            yield Page(row.item_id, row.url, row.captured_at, row.title, text)


def fresh_index(paths: Sequence[Path], folder: Path) -> Iterator[str]:
    """The merged CDXJ lines of WARC files, made anew in `folder`. Raises ArchiveDamagedError and ArchiveError."""
    parts = []
    for number, path in enumerate(paths):
        parts.append(folder / f"{number}.cdxj")
        with parts[-1].open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(sorted(index_lines(path)))
    return merged(parts)


def pack_wacz(archive: Path, site: ArchivedSite, output: Path, *, replace: bool = False) -> int:
    """Writes a site's WACZ; gives the number of its pages. Errors are those of `write_wacz`, and StoreError."""
    require_wacz()
    refuse_existing(output, replace)  # before minutes of indexing
    engine = open_for_reading(database_path(archive))
    try:
        # Beside the output, where there has to be room for so much more.
        with tempfile.TemporaryDirectory(prefix=".danvan-wacz-", dir=output.parent) as folder:
            index = fresh_index(site.warc_files, Path(folder))
            with engine.connect() as connection:
                said = pages(connection, site.slug)
                return write_wacz(
                    output, site.warc_files, index=index, pages=said, about=site.description, replace=replace
                )
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
