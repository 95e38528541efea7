"""A site as one WACZ file: WARC files, their index and a list of pages in a ZIP that replays from a web server.

The form is WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/), with py-wacz (extra `wacz`) for the description of
the package and its hashes:

    archive/<name>.warc.gz      the WARC files, stored as they are, so that a replay can read a part of one
    indexes/index.cdx.gz        the merged index in gzip members of 1,024 lines, and where each begins (index.idx);
                                pywb takes an index in by exactly these endings
    pages/pages.jsonl           one line per article: address, time of capture, title, text
    datapackage.json            the files with their SHA-256; title, description, rights
    datapackage-digest.json     the SHA-256 of that; not signed, since py-wacz signs through a server alone

`wacz create` is not called: it indexes with warcio, which stops at a body that a server coded with brotli
(warcio#73), holds all pages in memory, and has no place for rights. Memory is constant here, whatever the size of the
WARC files.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from danvan_crawler import __version__, clock
from danvan_crawler.exceptions import ArchiveError, UsageError, archive_error

LINES_A_BLOCK = 1024
"""Lines of the index in one gzip member, as ArchiveWeb.page and py-wacz make it."""
_COPIED_AT_ONCE = 1 << 20


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


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a package as a whole; what is empty is left out."""

    title: str
    description: str = ""
    rights: str = ""
    """Who may do what with it, in the words of the site's profile."""


def require_wacz() -> None:
    """Raises UsageError when py-wacz is not installed."""
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
    """Packs finished WARC files into `output`, which readers see complete or not at all. Returns the number of pages.

    `index` are the CDXJ lines of all the files, sorted, each with its line feed; `pages` come in the order of the list.
    Raises UsageError when py-wacz is missing or `output` is there already and `replace` is False, ArchiveError when two
    WARC files have one name, or something cannot be read or written (DiskFullError when there is no room).
    """
    require_wacz()
    refuse_existing(output, replace)
    _refuse_same_names(warc_files)
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(temporary, "w", strict_timestamps=False) as package:
            _add_index(package, index)
            for path in warc_files:
                _add_warc(package, path)
            count = _add_pages(package, pages, about.title)
            _add_description(package, about)
        temporary.replace(output)
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def refuse_existing(output: Path, replace: bool) -> None:
    """Raises UsageError when there is something at `output` that is not to be replaced."""
    if output.is_dir() or (os.path.lexists(output) and not replace):
        raise UsageError(f"{output} exists already" + ("" if output.is_dir() else "; --force replaces it"))


def _refuse_same_names(warc_files: Sequence[Path]) -> None:
    """The index names files without their folder."""
    seen: dict[str, Path] = {}
    for path in warc_files:
        other = seen.setdefault(path.name, path)
        if other != path:
            raise ArchiveError(f"{other} and {path} have the same name, by which a WACZ could not tell them apart")


def _entry(name: str, *, compressed: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, clock.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    return entry


def _open(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    return package.open(entry, "w", force_zip64=True)  # how long it gets is seen at its end


def _add_index(package: zipfile.ZipFile, lines: Iterable[str]) -> None:
    from cdxj_indexer.main import CompressedWriter

    secondary = io.StringIO()
    with _open(package, _entry("indexes/index.cdx.gz", compressed=False)) as out:
        writer = CompressedWriter(secondary, out, LINES_A_BLOCK, data_out_name="index.cdx.gz", digest_records=True)
        for line in lines:
            writer.write(line)
        if writer.block:  # it would write an empty block, too
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
    said = Namespace(title=about.title, desc=about.description, date=None)
    described = json.loads(packer.generate_datapackage(said, package))
    if about.rights:
        described["rights"] = about.rights
    described["software"] = f"danvan-crawler {__version__}, {described['software']}"
    data = json.dumps(described, indent=2, ensure_ascii=False).encode()
    package.writestr(_entry("datapackage.json", compressed=True), data)
    package.writestr(_entry("datapackage-digest.json", compressed=True), packer.generate_datapackage_digest(data))
