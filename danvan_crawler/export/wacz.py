"""Packs a site as one WACZ file: WARC files, their index and a list of pages in a ZIP file for replay.

The format is WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/), with py-wacz (extra `wacz`) for the description of
the package and its hashes:

    archive/<name>.warc.gz      the WARC files, stored as they are, so that a replay can read a part of one
    indexes/index.cdx.gz        the merged index in gzip members of 1,024 lines, and where each begins (index.idx);
                                pywb requires exactly these file names
    pages/pages.jsonl           one line per article: address, time of capture, title, text
    datapackage.json            the files with their SHA-256; title, description, rights
    datapackage-digest.json     the SHA-256 of datapackage.json; not signed, because py-wacz signs only through a server

`wacz create` is not used: it indexes with warcio, which stops at a brotli-encoded body (warcio#73), it holds all pages
in memory, and it cannot store rights. Here memory is constant, whatever the size of the WARC files.

A package must be readable years later. So the index is not copied from the archive but made again, which reads every
record of every file: if a file is damaged, packing stops.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from danvan_crawler import __version__, clock
from danvan_crawler.archive.layout import database_path
from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import ArchiveError, UsageError, archive_error
from danvan_crawler.export.site import ArchivedSite, Description
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter
from danvan_crawler.store.schema import articles
from danvan_crawler.warc.index import index_lines, merged

LINES_A_BLOCK = 1024
"""Lines of the index in one gzip member, as ArchiveWeb.page and py-wacz make it."""
_COPIED_AT_ONCE = 1 << 20

_CHUNK = 200
"""Articles read at a time: with their bodies, about a megabyte."""


@dataclass(frozen=True, slots=True)
class Page:
    """A line of pages.jsonl: what ReplayWeb.page lists, and searches."""

    id: str
    url: str
    """As captured, so that the index has it."""
    ts: str
    """WARC-Date of the capture."""
    title: str
    text: str


def require_wacz() -> None:
    """Raises UsageError if py-wacz is not installed."""
    try:
        import wacz.waczindexer  # noqa: F401
    except ImportError as error:
        raise UsageError("WACZ files need py-wacz: pip install 'danvan-crawler[wacz]'") from error


def write_wacz(
    output: Path,
    warc_files: Sequence[Path],
    *,
    index: Iterable[str],
    pages: Iterable[Page],
    about: Description,
    replace: bool = False,
) -> int:
    """Packs finished WARC files into `output`, which gets its name when complete. Returns the number of pages.

    `index` are the sorted CDXJ lines of all files, each with its line feed; `pages` are in the order of the list.
    Raises UsageError if py-wacz is missing, or if `output` exists and `replace` is False, ArchiveError if two WARC
    files have the same name or something cannot be read or written (DiskFullError if the disk is full).
    """
    require_wacz()
    refuse_existing(output, replace)
    _refuse_same_names(warc_files)
    try:
        with replacing(output) as file, zipfile.ZipFile(file, "w", strict_timestamps=False) as package:
            _add_index(package, index)
            for path in warc_files:
                _add_warc(package, path)
            count = _add_pages(package, pages, about.title)
            _add_description(package, about)
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    return count


def refuse_existing(output: Path, replace: bool) -> None:
    """Raises UsageError if `output` exists and must not be replaced."""
    if output.is_dir() or (os.path.lexists(output) and not replace):
        raise UsageError(f"{output} exists already" + ("" if output.is_dir() else "; --force replaces it"))


def _refuse_same_names(warc_files: Sequence[Path]) -> None:
    """The index names files without their folder."""
    seen: dict[str, Path] = {}
    for path in warc_files:
        other = seen.setdefault(path.name, path)
        if other != path:
            raise ArchiveError(f"{other} and {path} have the same name, so a WACZ cannot hold both")


def _entry(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, clock.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    return entry


def _open(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    return package.open(entry, "w", force_zip64=True)  # its final size is not known yet


def _add_index(package: zipfile.ZipFile, lines: Iterable[str]) -> None:
    from cdxj_indexer.main import CompressedWriter

    secondary = io.StringIO()
    with _open(package, _entry("indexes/index.cdx.gz", compressed=False)) as out:
        writer = CompressedWriter(secondary, out, LINES_A_BLOCK, data_out_name="index.cdx.gz", digest_records=True)
        for line in lines:
            writer.write(line)
        if writer.block:  # an empty block would be written, too
            writer.flush()
    package.writestr(_entry("indexes/index.idx", compressed=True), secondary.getvalue())


def _add_warc(package: zipfile.ZipFile, path: Path) -> None:
    entry = zipfile.ZipInfo.from_file(path, f"archive/{path.name}", strict_timestamps=False)
    with path.open("rb") as source, _open(package, entry) as out:
        shutil.copyfileobj(source, out, _COPIED_AT_ONCE)


def _add_pages(package: zipfile.ZipFile, pages: Iterable[Page], title: str) -> int:
    header = {"format": "json-pages-1.0", "id": "pages", "title": title, "hasText": True}
    count = 0
    with _open(package, _entry("pages/pages.jsonl", compressed=True)) as out:
        out.write(_json_line(header))
        for page in pages:
            out.write(_json_line(asdict(page)))
            count += 1
    return count


def _json_line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _add_description(package: zipfile.ZipFile, about: Description) -> None:
    from wacz.waczindexer import WACZIndexer

    packer = WACZIndexer(None, [], hash_type="sha256", main_url=None, signing_url=None)
    fields = Namespace(title=about.title, desc=about.description, date=None)
    described = json.loads(packer.generate_datapackage(fields, package))
    if about.rights:
        described["rights"] = about.rights
    described["software"] = f"danvan-crawler {__version__}, {described['software']}"
    data = json.dumps(described, indent=2, ensure_ascii=False).encode()
    package.writestr(_entry("datapackage.json", compressed=True), data)
    package.writestr(_entry("datapackage-digest.json", compressed=True), packer.generate_datapackage_digest(data))


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
    """The merged CDXJ lines of WARC files, made again in `folder`. Raises ArchiveDamagedError and ArchiveError."""
    parts = []
    for number, path in enumerate(paths):
        parts.append(folder / f"{number}.cdxj")
        with parts[-1].open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(sorted(index_lines(path)))
    return merged(parts)


def pack_wacz(archive: Path, site: ArchivedSite, output: Path, *, replace: bool = False) -> int:
    """Writes a site's WACZ and returns the number of its pages. Errors are those of `write_wacz`, and StoreError."""
    require_wacz()
    refuse_existing(output, replace)  # before indexing, which can take minutes
    engine = open_for_reading(database_path(archive))
    try:
        # Beside the output, because that file system must have space for the whole package anyway.
        with tempfile.TemporaryDirectory(prefix=".danvan-wacz-", dir=output.parent) as folder:
            index = fresh_index(site.warc_files, Path(folder))
            with engine.connect() as connection:
                listed = pages(connection, site.slug)
                return write_wacz(
                    output, site.warc_files, index=index, pages=listed, about=site.description, replace=replace
                )
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
