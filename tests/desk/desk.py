"""An archive, a folder of profiles and our commands, for end-to-end tests.

`Desk` is the archive with its commands. `read_warc` checks the structure of a WARC file with zlib alone, so that it
shares no code with the writer.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from forked import STEERS_PYTHON, Forked
from rows import differences, rows_of

from danvan_crawler.export.items import write_jsonl
from danvan_crawler.sample import profile_toml
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds after which a test that waits for something gives up."""


class Served(Protocol):
    """A portal at an address."""

    url: str


@dataclass(frozen=True)
class Record:
    """A WARC record as `read_warc` found it."""

    offset: int
    fields: dict[str, str]
    block: bytes

    @property
    def type(self) -> str:
        return self.fields["WARC-Type"]

    @property
    def id(self) -> str:
        return self.fields["WARC-Record-ID"].strip("<>")

    @property
    def url(self) -> str:
        return self.fields.get("WARC-Target-URI", "")

    @property
    def target(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def entity(self) -> bytes:
        """The body of a response without framing; removes the two framings that the portal uses."""
        head, _, body = self.block.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head.lower():
            return body
        found = b""
        while size := int(body.partition(b"\r\n")[0], 16):
            body = body.partition(b"\r\n")[2]
            found, body = found + body[:size], body[size + 2 :]
        return found


def read_warc(path: Path) -> list[Record]:
    """Reads the records of a WARC file, each one gzip member with correct form, length and block digest."""
    data, position, found = path.read_bytes(), 0, []
    while position < len(data):
        member = zlib.decompressobj(31)
        content = member.decompress(data[position:])
        assert member.eof, f"the member at {position} is cut short"
        head, _, rest = content.partition(b"\r\n\r\n")
        version, *lines = head.decode().split("\r\n")
        assert version == "WARC/1.1"
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines), "a field is repeated"
        block = rest[:-4]
        assert rest[-4:] == b"\r\n\r\n"
        assert fields["Content-Length"] == str(len(block))
        digest = hashlib.sha1(block, usedforsecurity=False).digest()
        assert fields["WARC-Block-Digest"] == f"sha1:{base64.b32encode(digest).decode()}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fields["WARC-Date"])
        found.append(Record(position, fields, block))
        position = len(data) - len(member.unused_data)
    return found


@dataclass
class Desk:
    """An archive, a folder of profiles, and the commands."""

    folder: Path
    forked: Forked
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.archive = self.folder / "archive"
        self.sites = self.folder / "sites"
        self.sites.mkdir(parents=True)
        self._children: list[subprocess.Popen[str]] = []

    def profile(self, portal: Served | str, *, slug: str = "mau-danvan", only: str = "", **keys: str) -> Path:
        """Writes the sample portal's profile, without delay; `keys` are TOML values that replace or add keys.

        `only` is the slug of the one section to crawl; without it, all three are crawled.
        """
        url = portal if isinstance(portal, str) else portal.url
        facts, *sections = profile_toml(url).split("\n[[sections]]")
        text = "\n[[sections]]".join([facts, *(one for one in sections if only in one)])
        for key, value in {"slug": f'"{slug}"', "delay": "0", **keys}.items():
            text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
            text = text if found else f"{key} = {value}\n{text}"
        path = self.sites / f"{slug}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def variables(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DANVAN_ARCHIVE": str(self.archive),
            "DANVAN_SITES": str(self.sites),
            **self.environment,
        }

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs Python with these arguments; by default in the desk's folder."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=folder or self.folder,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )

    def danvan(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `danvan` and checks its exit code."""
        return self._forked("-m", "danvan_crawler", *arguments, code=code, folder=self.folder)

    def _forked(self, *command: str, code: int, folder: Path) -> subprocess.CompletedProcess[str]:
        """Runs Python in a fork, unless it must start with other variables."""
        if any(name.startswith(STEERS_PYTHON) for name in self.environment):
            result = self.run(*command, folder=folder)
        else:
            variables, patience = self.variables(), PATIENCE * 3
            result = self.forked.run(command, folder=folder, environment=variables, timeout=patience)
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def crawl(self, *options: str, code: int = 0, slug: str = "mau-danvan") -> subprocess.CompletedProcess[str]:
        return self.danvan("crawl", slug, *options, code=code)

    def scrapy(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `scrapy` in the checkout."""
        return self._forked("-m", "scrapy", *arguments, code=code, folder=ROOT)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `danvan` in a new process, not a fork, for signals and kills; `finish` waits for it."""
        child = subprocess.Popen(
            [sys.executable, "-m", "danvan_crawler", *arguments],
            cwd=self.folder,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._children.append(child)
        return child

    def read_until(self, child: subprocess.Popen[str], text: str) -> str:
        """Returns the output of a child up to a line that contains `text`."""
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError("".join(lines))

    def finish(self, child: subprocess.Popen[str], *, code: int) -> str:
        """Waits for a child, checks its exit code and returns its output."""
        output, _ = child.communicate(timeout=PATIENCE)
        assert child.returncode == code, output
        return output

    def close(self) -> None:
        for child in self._children:
            with child:
                child.kill()

    def export(self) -> list[dict[str, Any]]:
        """All items as `danvan export` writes them, ordered by item_id, without the second that a new process takes."""
        out = io.BytesIO()
        with open_for_reading(self.archive / "danvan.sqlite").connect() as connection:
            write_jsonl(items(connection, Filter()), out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def check_rebuild(self) -> None:
        """Rebuilds into an empty database; compares exports field by field and tables row by row."""
        before, rows = self.export(), rows_of(self.archive / "danvan.sqlite")
        for path in self.archive.glob("danvan.sqlite*"):
            path.unlink()
        self.danvan("rebuild")
        assert differences(rows, rows_of(self.archive / "danvan.sqlite")) == []
        assert self.export() == before

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.archive / "danvan.sqlite")) as connection:
            return connection.execute(statement).fetchall()

    def warc_files(self, pattern: str = "*.warc.gz") -> list[Path]:
        return sorted(self.archive.glob(f"warc/**/{pattern}"))

    def records(self) -> list[Record]:
        return [record for path in self.warc_files() for record in read_warc(path)]
