"""Verification beside what others check: MB/s of WARC file, each in a process of its own, one after the other.

`warcio check` and `fastwarc check` look at digests; neither sees a missing date, a repeated id or an index that does
not fit. The start of Python is in all three figures.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import words
from measure import run

from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

_BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)


def commands(path: Path) -> dict[str, list[str]]:
    """What is measured, by the name that the table has for it."""
    beside = Path(sys.executable).parent
    return {
        "danvan verify": [sys.executable, "-m", "danvan_crawler", "verify", "--archive", str(path.parent), str(path)],
        "warcio check": [str(beside / "warcio"), "check", str(path)],
        "fastwarc check": [str(beside / "fastwarc"), "check", str(path)],
    }


def sample(folder: Path, pages: int, page_bytes: int = 57_000) -> Path:
    """A WARC file of so many pages of Vietnamese text, as our writer makes it."""
    chance = random.Random(7)
    text = "\n".join(words.paragraph(chance) for _ in range(200))
    writer = WarcWriter(folder, "mau-danvan", warcinfo={"software": "danvan-crawler/0 (benchmark)"})
    for number in range(pages):
        start = chance.randrange(len(text))
        body = f"<html><h1>{number}</h1>{(text[start:] + text * 3)[:page_bytes]}".encode()[:page_bytes]
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write_exchange(
            Exchange(
                url=f"http://danvan.example.vn/tin-tuc/{number}.html",
                request=b"GET / HTTP/1.1\r\nHost: danvan.example.vn\r\n\r\n",
                response=head.encode() + body,
                began_at=_BEGAN,
            )
        )
    (path,) = writer.close()
    return path


def speeds(path: Path, folder: Path) -> dict[str, float]:
    """MB/s (of the compressed file, a million bytes each) by what was run."""
    size = path.stat().st_size / 1e6
    return {name: size / run(command, folder=folder)[0].seconds for name, command in commands(path).items()}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        file = sample(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
        print(f"{file.stat().st_size / 1e6:.0f} MB")
        for name, speed in speeds(file, Path(made)).items():
            print(f"{name:16} {speed:6.1f} MB/s")
