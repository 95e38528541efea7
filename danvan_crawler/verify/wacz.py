"""Verifies a WACZ package: the digest of every part, all bytes of the WARC files, and the index and pages.

`wacz validate` accepts a package that holds only a readme (py-wacz issue 46). Here the parts that WACZ 1.1.1 requires
must exist, must be listed with correct size and SHA-256, and must agree: the index must have exactly the lines of the
WARC files, and the address of each page must be in the index.

WARC files are extracted one at a time into the folder for temporary files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from danvan_crawler.plurals import counted
from danvan_crawler.verify.findings import Finding
from danvan_crawler.verify.ledger import Ledger
from danvan_crawler.verify.warc_file import Progress, Report, line_digest, verify_warc
from danvan_crawler.warc.files import SUFFIX

_DESCRIPTION = "datapackage.json"
_DIGEST_FILE = "datapackage-digest.json"
_PAGES = "pages/pages.jsonl"
_PIECE = 1 << 20
_READ_ERRORS = (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, NotImplementedError, RuntimeError)


def verify_wacz(path: Path, name: str, report: Report, *, progress: Progress) -> int:
    """Checks one package; `name` is its name in findings. Returns the number of records in its WARC files."""
    try:
        with zipfile.ZipFile(path) as package:
            return _Package(package, name, report, progress).run()
    except _READ_ERRORS as error:
        report(Finding(name, None, "wacz-unreadable", str(error)))
        return 0


class _Package:
    def __init__(self, package: zipfile.ZipFile, name: str, report: Report, progress: Progress) -> None:
        self._package, self._name, self._report, self._progress = package, name, report, progress
        self._records = 0
        self._parts = [entry.filename for entry in package.infolist() if not entry.is_dir()]

    def run(self) -> int:
        for prefix, what in (("archive/", "WARC file"), ("indexes/", "index")):
            if not any(part.startswith(prefix) for part in self._parts):
                self._add_finding("wacz-part-missing", f"it has no {what} in {prefix}")
        for part in (_DESCRIPTION, _PAGES):
            if part not in self._parts:
                self._add_finding("wacz-part-missing", f"it has no {part}")
        if _DESCRIPTION in self._parts:
            self._guarded(_DESCRIPTION, self._check_description)
        lines = self._check_warcs()
        addresses = self._check_index(lines)
        if _PAGES in self._parts:
            self._guarded(_PAGES, lambda: self._check_pages(addresses))
        return self._records

    def _add_finding(self, kind: str, sentence: str, part: str | None = None) -> None:
        self._report(Finding(f"{self._name}/{part}" if part else self._name, None, kind, sentence))

    def _guarded(self, part: str, check: Callable[[], None]) -> None:
        """Runs a check. If the part cannot be read, reports that, so that the other parts are still checked."""
        try:
            check()
        except _READ_ERRORS as error:
            self._add_finding("wacz-unreadable", f"it cannot be read: {error}", part)

    def _check_description(self) -> None:
        data = self._package.read(_DESCRIPTION)
        described = json.loads(data)
        listed: dict[str, Any] = {entry["path"]: entry for entry in _entries(described)}
        for part in self._parts:
            if part not in (_DESCRIPTION, _DIGEST_FILE) and part not in listed:
                self._add_finding("wacz-part-unlisted", "datapackage.json does not name it", part)
        for part, entry in listed.items():
            if part not in self._parts:
                self._add_finding("wacz-part-missing", "datapackage.json names it, but it is not there", part)
                continue
            self._guarded(part, lambda part=part, entry=entry: self._check_part(part, entry))  # type: ignore[misc]
        if _DIGEST_FILE in self._parts:
            stated = json.loads(self._package.read(_DIGEST_FILE)).get("hash")
            if stated != f"sha256:{hashlib.sha256(data).hexdigest()}":
                self._add_finding("wacz-digest-mismatch", f"{_DIGEST_FILE} states another digest of it", _DESCRIPTION)

    def _check_part(self, part: str, entry: dict[str, Any]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._package.open(part) as file:
            while data := file.read(_PIECE):
                digest.update(data)
                size += len(data)
        if entry.get("bytes") not in (None, size):
            self._add_finding(
                "wacz-digest-mismatch",
                f"datapackage.json states {counted(entry['bytes'], 'byte')}, it has {size}",
                part,
            )
        stated = str(entry.get("hash", ""))
        if stated.startswith("sha256:") and stated != f"sha256:{digest.hexdigest()}":
            self._add_finding("wacz-digest-mismatch", "its SHA-256 is not what datapackage.json states", part)
        elif not stated:
            self._add_finding("wacz-digest-mismatch", "datapackage.json states no digest of it", part)

    def _check_warcs(self) -> set[bytes]:
        """Checks the WARC files and returns the digests of the lines that their index must have."""
        lines: set[bytes] = set()
        with Ledger() as ledger, tempfile.TemporaryDirectory() as folder:
            for part in self._parts:
                if part.startswith("archive/") and part.endswith(SUFFIX):
                    copy = Path(folder) / PurePosixPath(part).name
                    self._guarded(part, lambda part=part, copy=copy: self._extract(part, copy))  # type: ignore[misc]
                    if copy.exists():
                        name = f"{self._name}/{part}"
                        seen = verify_warc(copy, name, ledger, self._report, progress=self._progress)
                        lines |= seen.lines
                        self._records += seen.records
                        copy.unlink()
            ledger.report_missing(self._report, whole=False)
        return lines

    def _extract(self, part: str, copy: Path) -> None:
        with self._package.open(part) as source, copy.open("wb") as out:
            shutil.copyfileobj(source, out, _PIECE)

    def _check_index(self, lines: set[bytes]) -> set[bytes]:
        """Compares the index with the WARC files and returns the digests of the addresses in it."""
        addresses: set[bytes] = set()
        missing = set(lines)
        indexes = [
            part
            for part in self._parts
            if part.startswith("indexes/") and part.endswith((".cdx", ".cdxj", ".cdx.gz", ".cdxj.gz"))
        ]
        for part in indexes:

            def check(part: str = part) -> None:
                for number, line in enumerate(_index_lines(self._package, part), start=1):
                    if line.startswith("!"):
                        continue
                    entry = json.loads(line.split(" ", 2)[2])
                    # Tools add fields of their own; only the fields that we write are compared.
                    digest = line_digest(_plain(line, entry))
                    missing.discard(digest)
                    if digest not in lines:
                        self._add_finding("wacz-index-wrong", f"line {number} does not belong to the WARC files", part)
                    addresses.add(line_digest(str(entry.get("url"))))

            self._guarded(part, check)
        if missing and indexes:
            self._add_finding(
                "wacz-index-wrong", f"{counted(len(missing), 'record')} of the WARC files missing", "indexes"
            )
        return addresses

    def _check_pages(self, addresses: set[bytes]) -> None:
        with self._package.open(_PAGES) as file:
            for number, raw in enumerate(file, start=1):
                try:
                    page = json.loads(raw)
                    if number == 1:
                        if not str(page.get("format", "")).startswith("json-pages-"):
                            self._add_finding("wacz-pages-wrong", "its first line is not a header of pages", _PAGES)
                        continue
                    url = page["url"]
                    if not page.get("ts"):
                        self._add_finding("wacz-pages-wrong", f"line {number} has no time", _PAGES)
                except (ValueError, KeyError, AttributeError, TypeError):
                    self._add_finding("wacz-pages-wrong", f"line {number} is not a page", _PAGES)
                    continue
                if addresses and line_digest(str(url)) not in addresses:
                    self._add_finding("wacz-pages-wrong", f"line {number}: {url} is not in the index", _PAGES)


def _entries(described: Any) -> list[dict[str, Any]]:
    resources = described.get("resources") if isinstance(described, dict) else None
    if not isinstance(resources, list) or not all(isinstance(entry, dict) and "path" in entry for entry in resources):
        raise ValueError("it has no list of resources")
    return resources


def _index_lines(package: zipfile.ZipFile, part: str) -> Iterator[str]:
    with package.open(part) as file:
        for line in gzip.GzipFile(fileobj=file) if part.endswith(".gz") else file:
            yield line.decode().rstrip("\n")


_FIELDS = ("url", "mime", "status", "digest", "length", "offset", "filename")


def _plain(line: str, entry: dict[str, Any]) -> str:
    key, timestamp, _ = line.split(" ", 2)
    kept = {name: str(entry[name]) for name in _FIELDS if name in entry}
    return f"{key} {timestamp} {json.dumps(kept)}\n"
