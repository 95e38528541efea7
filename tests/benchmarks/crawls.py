"""The crawls that are compared: each fetches every page of the portal once, into a folder of its own.

What a crawl has stored is counted from its WARC files, and a crawl that did not get every page ends the benchmark: the
speed of half a crawl says nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from fastwarc.warc import ArchiveIterator, WarcRecordType
from measure import BenchmarkError, Cost, run
from portal import SECTIONS, Portal, listing_path, profile

SLUGS = ("do-mot", "do-hai")
_LINK_SPIDER = Path(__file__).with_name("link_spider.py")
WEBARCHIVE = ("scrapy-webarchive==0.5.3", "twisted==24.3.0", "w3lib==2.1.2")
"""It takes no Scrapy after 2.11, and that does not start with what Twisted and w3lib have become since."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """What one crawl of the whole portal took and left."""

    pages: int
    """HTML pages: articles and listings."""
    cost: Cost
    warc_bytes: int
    other_bytes: int
    """What is stored beside the WARC files: the item database."""

    @property
    def pages_a_second(self) -> float:
        return self.pages / self.cost.seconds

    @property
    def cpu_a_thousand(self) -> float:
        """Seconds of processor time per 1,000 pages."""
        return 1000 * self.cost.cpu_seconds / self.pages


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to crawl: `crawl` gets an empty folder and the ports where the portal is served."""

    name: str
    crawl: Callable[[Path, Sequence[int]], Crawl]
    sites: int = 1


def danvan(*arguments: str) -> list[str]:
    """The command line of `danvan` in this checkout."""
    return [sys.executable, "-m", "danvan_crawler", *arguments]


def write_profiles(archive: Path, ports: Sequence[int]) -> list[str]:
    """Puts one profile per port into an archive. Returns their slugs."""
    slugs = list(SLUGS[: len(ports)])
    (archive / "sites").mkdir(parents=True, exist_ok=True)
    for slug, port in zip(slugs, ports, strict=True):
        (archive / "sites" / f"{slug}.toml").write_text(profile(slug, port), encoding="utf-8")
    return slugs


def _danvan(portal: Portal) -> Callable[[Path, Sequence[int]], Crawl]:
    def crawl(folder: Path, ports: Sequence[int]) -> Crawl:
        archive = folder / "archive"
        slugs = write_profiles(archive, ports)
        cost, _ = run(danvan("crawl", *slugs, "--jobs", str(len(slugs)), "--archive", str(archive)), folder=folder)
        database = sum(path.stat().st_size for path in archive.glob("danvan.sqlite*"))
        return _judged(Crawl(0, cost, 0, database), folder, portal, len(ports))

    return crawl


def _wget(portal: Portal) -> Callable[[Path, Sequence[int]], Crawl]:
    def crawl(folder: Path, ports: Sequence[int]) -> Crawl:
        command = ["wget", "--quiet", "-r", "--level=inf", "--warc-file=site", "--delete-after", _start(ports[0])]
        cost, _ = run(command, folder=folder)
        return _judged(Crawl(0, cost, 0, 0), folder, portal)

    return crawl


def _bare_scrapy(portal: Portal) -> Callable[[Path, Sequence[int]], Crawl]:
    def crawl(folder: Path, ports: Sequence[int]) -> Crawl:
        cost, printed = run([sys.executable, str(_LINK_SPIDER), "links", _start(ports[0])], folder=folder)
        return _complete(Crawl(int(printed), cost, 0, 0), portal)

    return crawl


def _webarchive(portal: Portal, python: Path, spider: str) -> Callable[[Path, Sequence[int]], Crawl]:
    def crawl(folder: Path, ports: Sequence[int]) -> Crawl:
        settings = {
            "EXTENSIONS": {"scrapy_webarchive.extensions.WaczExporter": 0},
            "SW_EXPORT_URI": f"{folder}/wacz/",
        }
        command = [str(python), str(_LINK_SPIDER), spider, _start(ports[0]), json.dumps(settings)]
        cost, _ = run(command, folder=folder)
        return _judged(Crawl(0, cost, 0, 0), folder, portal)

    return crawl


def tools(portal: Portal, work: Path, tell: Callable[[str], None]) -> list[Tool]:
    """The tools that can be compared on this machine, wget first. `tell` hears which is missing, and why."""
    found = []
    if shutil.which("wget"):
        found.append(Tool("`wget -r --warc-file`", _wget(portal)))
    else:
        tell("wget is left out: it is not installed (apt-get install wget)")
    found.append(Tool("`danvan crawl`", _danvan(portal)))
    found.append(Tool("`danvan crawl`, two sites in two processes", _danvan(portal), sites=2))
    found.append(Tool("Scrapy following links by regex, nothing kept", _bare_scrapy(portal)))
    try:
        python = install_webarchive(work)
    except BenchmarkError as error:
        tell(f"scrapy-webarchive is left out: {error}")
    else:
        name = WEBARCHIVE[0].replace("==", " ")
        found.append(Tool(f"{name}, the same spider", _webarchive(portal, python, "links")))
        found.append(Tool(f"{name}, CrawlSpider with LinkExtractor", _webarchive(portal, python, "rules")))
    return found


def install_webarchive(work: Path) -> Path:
    """The interpreter of an environment with scrapy-webarchive. Raises BenchmarkError when pip cannot make it."""
    wanted = hashlib.sha256(" ".join(WEBARCHIVE).encode()).hexdigest()[:8]
    folder = work / f"scrapy-webarchive-{wanted}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        if sys.version_info >= (3, 13):
            raise BenchmarkError("it does not install on Python 3.13 and newer")
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WEBARCHIVE],
            [str(python), "-c", "import scrapy_webarchive.extensions"],
        ):
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode:
                lines = told.stderr.strip().splitlines() or ["no reason given"]
                raise BenchmarkError(lines[-1])
        (folder / "complete").touch()
    return python


def _start(port: int) -> str:
    return f"http://127.0.0.1:{port}{listing_path(next(iter(SECTIONS)), 1)}"


def _judged(crawl: Crawl, folder: Path, portal: Portal, sites: int = 1) -> Crawl:
    """The crawl with what its WARC files hold. Raises BenchmarkError when that is not every page."""
    pages = warc_bytes = 0
    for file, size in _warc_files(folder):
        pages += len(html_pages(file))
        warc_bytes += size
    return _complete(replace(crawl, pages=pages, warc_bytes=warc_bytes), portal, sites)


def _complete(crawl: Crawl, portal: Portal, sites: int = 1) -> Crawl:
    wanted = sites * (portal.pages + portal.listings)
    if crawl.pages != wanted:
        raise BenchmarkError(f"a crawl stored {crawl.pages} pages and not {wanted}")
    return crawl


def _warc_files(folder: Path) -> Iterator[tuple[IO[bytes], int]]:
    for path in sorted(folder.rglob("*.warc.gz")):
        with path.open("rb") as file:
            yield file, path.stat().st_size
    for path in sorted(folder.rglob("*.wacz")):
        with zipfile.ZipFile(path) as package:
            for entry in package.infolist():
                if entry.filename.endswith(".warc.gz"):
                    yield io.BytesIO(package.read(entry)), entry.file_size


def html_pages(file: IO[bytes]) -> set[str]:
    """Addresses of the whole HTML pages that a WARC file holds as responses."""
    records = ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True)
    return {
        record.headers["WARC-Target-URI"].strip("<>")
        for record in records
        if record.http_headers is not None
        and record.http_headers.status_code == 200
        and (record.http_content_type or "") == "text/html"
    }
