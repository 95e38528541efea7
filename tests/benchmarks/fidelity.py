"""`make fidelity`: which archivers keep the bytes that a server sent, on the same server with the same oddities.

Each tool fetches every kind of answer of `hostile` once. Its WARC files are read with zlib alone, and what they hold as
response is compared with what was sent. Exact means the final response byte by byte, with or without what came before
and after it; altered, that there is a response record with other bytes; missing, that there is none.

What is installed for it lies in .build/fidelity. The table goes into docs/fidelity-and-performance.md. Nothing here
passes or fails.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import crawls
import table
from hostile import KINDS, LISTING, Hostile, Kind
from measure import ROOT, BenchmarkError, run

WARCPROX = "warcprox==2.13.1"
EXACT, ALTERED, MISSING = "exact", "altered", "**missing**"
SLUG = "thu-thach"
HOST = "127.0.0.2"
"""warcprox refuses to contact 127.0.0.1, and on Linux the whole net 127.0.0.0/8 is this machine."""
_LIST_SPIDER = Path(__file__).with_name("list_spider.py")
_PROFILE = """slug = "{slug}"
name = "Cổng thử thách"
family = "danvan_portal"
home = "{url}/"
province = "VN-21"
body = "ban-dan-van"
private_network = true
delay = 0
connections = 1
[[sections]]
name = "Dân vận khéo"
url = "{url}{listing}"
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a WARC file: its fields, names in lower case, and its block."""

    fields: Mapping[str, str]
    block: bytes

    @property
    def url(self) -> str:
        return self.fields.get("warc-target-uri", "").strip("<>")


def records(data: bytes) -> Iterator[Record]:
    """The records of a gzipped WARC file. Raises BenchmarkError where there is none."""
    content, rest = [], data
    while rest:
        member = zlib.decompressobj(31)
        content.append(member.decompress(rest))
        rest = member.unused_data
    text = b"".join(content)
    position = 0
    while position < len(text):
        end = text.find(b"\r\n\r\n", position)
        lines = text[position:end].decode("utf-8", "replace").split("\r\n")
        if end < 0 or not lines[0].startswith("WARC/"):
            raise BenchmarkError(f"a WARC file has no record at byte {position} of what it unpacks to")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        start = end + 4
        position = start + int(fields["content-length"])
        yield Record(fields, text[start:position])
        position += 4


def files_of(folder: Path) -> Iterator[bytes]:
    """The WARC files below a folder, those in WACZ packages too."""
    for path in sorted(folder.rglob("*.warc.gz")):
        yield path.read_bytes()
    for path in sorted(folder.rglob("*.wacz")):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as package:
            yield from (package.read(name) for name in package.namelist() if name.endswith(".warc.gz"))


def responses(folder: Path) -> dict[str, list[bytes]]:
    """Blocks of the response records below a folder, by address."""
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for data in files_of(folder):
        for record in records(data):
            if record.fields.get("warc-type") == "response":
                found[record.url].append(record.block)
    return dict(found)


def judged(kind: Kind, blocks: Sequence[bytes]) -> str:
    """What an archive made of an answer, given the blocks that it has of it."""
    right = {kind.response, kind.sent, kind.interim + kind.response, kind.response + kind.surplus}
    return EXACT if right & set(blocks) else ALTERED if blocks else MISSING


def crawl_with_danvan(server: Hostile, folder: Path) -> None:
    """The real command, on a site whose listing links every kind."""
    sites = folder / "archive" / "sites"
    sites.mkdir(parents=True)
    text = _PROFILE.format(slug=SLUG, url=server.url, listing=LISTING)
    (sites / f"{SLUG}.toml").write_text(text, encoding="utf-8")
    run(crawls.danvan("crawl", SLUG, "--archive", str(folder / "archive")), folder=folder, ok=(0, 3, 4))


def crawl_with_wget(server: Hostile, folder: Path) -> None:
    """wget, given the addresses in a file."""
    command = ["wget", "--quiet", "--tries=1", "--timeout=10", "--warc-file=thu", "--delete-after", "-i"]
    run([*command, str(_addresses(server, folder))], folder=folder, ok=range(9))


def crawl_with_webarchive(python: Path) -> Callable[[Hostile, Path], None]:
    """A spider that asks for every address, in an environment with scrapy-webarchive."""

    def crawl(server: Hostile, folder: Path) -> None:
        settings = {"EXTENSIONS": {"scrapy_webarchive.extensions.WaczExporter": 0}, "SW_EXPORT_URI": f"{folder}/wacz/"}
        command = [str(python), str(_LIST_SPIDER), str(_addresses(server, folder)), json.dumps(settings)]
        run(command, folder=folder)

    return crawl


def crawl_with_warcprox(program: Path) -> Callable[[Hostile, Path], None]:
    """warcprox between the server and a client that asks for every address on a connection of its own."""

    def crawl(server: Hostile, folder: Path) -> None:
        folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        command = [str(program), "-b", "127.0.0.1", "-p", str(port), "-d", str(folder), "-z", "--quiet"]
        files = ["--dedup-db-file=/dev/null", "--stats-db-file=/dev/null"]
        with (folder / "said").open("wb") as said:
            proxy = subprocess.Popen([*command, *files], cwd=folder, stdout=said, stderr=said)
        try:
            for kind in KINDS:
                _ask(port, server.address_of(kind))
            time.sleep(2)  # it writes after it has answered
        finally:
            proxy.send_signal(signal.SIGTERM)
            proxy.wait(60)

    return crawl


def _ask(port: int, url: str) -> None:
    """Asks a proxy for an address and takes whatever comes until the connection ends or nothing more comes."""
    for attempt in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 5)
            break
        except OSError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    with connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        host = urlsplit(url).netloc
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        while connection.recv(1 << 20):
            pass


def _addresses(server: Hostile, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "addresses"
    path.write_text("\n".join(server.address_of(kind) for kind in KINDS) + "\n", encoding="ascii")
    return path


def install(work: Path, requirement: str, program: str) -> Path:
    """A program of a package, in an environment of its own. Raises BenchmarkError when pip cannot make it."""
    folder = work / requirement.replace("==", "-")
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, requirement]):
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode:
                raise BenchmarkError((told.stderr.strip().splitlines() or ["no reason given"])[-1])
        (folder / "complete").touch()
    return folder / "bin" / program


def tools(work: Path, tell: Callable[[str], None]) -> dict[str, Callable[[Hostile, Path], None]]:
    """What can be compared on this machine, ours first. `tell` hears which is missing, and why."""
    found: dict[str, Callable[[Hostile, Path], None]] = {"danvan-crawler": crawl_with_danvan}
    if shutil.which("wget"):
        told = subprocess.run(["wget", "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"\d+(\.\d+)+", told)
        found[f"wget {version[0] if version else ''}".strip()] = crawl_with_wget
    else:
        tell("wget is left out: it is not installed (apt-get install wget)")
    try:
        found[WARCPROX.replace("==", " ")] = crawl_with_warcprox(install(work, WARCPROX, "warcprox"))
    except BenchmarkError as error:
        tell(f"warcprox is left out: {error}")
    try:
        name = crawls.WEBARCHIVE[0].replace("==", " ")
        found[name] = crawl_with_webarchive(crawls.install_webarchive(work))
    except BenchmarkError as error:
        tell(f"scrapy-webarchive is left out: {error}")
    return found


def as_table(results: Mapping[str, Mapping[str, str]]) -> str:
    """One line a kind, one column a tool; the first line counts the exact ones."""
    exact = [f"{sum(value == EXACT for value in found.values())} of {len(KINDS)}" for found in results.values()]
    lines = [["the server sends", *results], ["---", *["---"] * len(results)], ["**exact, of all kinds**", *exact]]
    lines += [[kind.name, *(found[kind.name] for found in results.values())] for kind in KINDS]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    work = ROOT / ".build" / "fidelity"
    results: dict[str, dict[str, str]] = {}
    try:
        for name, crawl in tools(work, tell).items():
            folder = work / "runs" / name.split()[0]
            shutil.rmtree(folder, ignore_errors=True)
            with Hostile(HOST) as server:
                crawl(server, folder)
                found = responses(folder)
                results[name] = {kind.name: judged(kind, found.get(server.address_of(kind), ())) for kind in KINDS}
            tell(f"{name}: {sum(value == EXACT for value in results[name].values())} of {len(KINDS)} exact")
        text = f"{as_table(results)}\n\nMade by `make fidelity` on {datetime.now(UTC):%Y-%m-%d}."
        table.place(ROOT, text, "fidelity")
    except BenchmarkError as error:
        sys.exit(f"fidelity: {error}")


if __name__ == "__main__":
    os.umask(0o022)
    main()
