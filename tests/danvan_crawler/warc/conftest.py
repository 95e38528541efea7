"""A structure checker that shares no code with the writer, and processes to kill."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Checked:
    """A record as read by the structure checker."""

    offset: int
    end: int
    fields: list[tuple[str, str]]
    block: bytes

    def get(self, name: str) -> str | None:
        found = [value for field, value in self.fields if field.lower() == name.lower()]
        assert len(found) <= 1, f"{name} is repeated"
        return found[0] if found else None

    @property
    def type(self) -> str:
        return self.get("WARC-Type") or ""


def _sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def _members(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    while position < len(data):
        decompressor = zlib.decompressobj(31)
        content = decompressor.decompress(data[position:])
        assert decompressor.eof, f"the member at {position} is cut short"
        end = len(data) - len(decompressor.unused_data)
        yield position, end, content
        position = end


def _one_record(offset: int, end: int, content: bytes) -> Checked:
    head, blank, rest = content.partition(b"\r\n\r\n")
    assert blank
    version, *lines = head.decode("utf-8").split("\r\n")
    assert version == "WARC/1.1"
    assert not re.search(r"[\x00-\x1f\x7f]", "".join(lines))
    fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    record = Checked(offset, end, fields, rest[:-4])
    assert rest[-4:] == b"\r\n\r\n"
    assert record.get("Content-Length") == str(len(record.block))
    assert re.fullmatch(r"<urn:uuid:[0-9a-f-]{36}>", record.get("WARC-Record-ID") or "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record.get("WARC-Date") or "")
    assert record.get("Content-Type")
    assert record.get("WARC-Block-Digest") == _sha1(record.block)
    return record


def _one_file(path: Path, data: bytes) -> list[Checked]:
    records = [_one_record(*member) for member in _members(data)]
    warcinfo, *others = records
    assert warcinfo.type == "warcinfo"
    assert warcinfo.get("WARC-Filename") == path.name.removesuffix(".open")
    assert warcinfo.get("WARC-Target-URI") is None
    by_id = {record.get("WARC-Record-ID"): record for record in records}
    assert len(by_id) == len(records), "a record id is repeated"
    for record in others:
        assert record.type in {"request", "response", "metadata", "revisit"}
        assert record.get("WARC-Warcinfo-ID") == warcinfo.get("WARC-Record-ID")
        assert re.fullmatch(r"[!-~]+", record.get("WARC-Target-URI") or "")
        if record.type != "metadata":
            kind = "request" if record.type == "request" else "response"
            assert record.get("Content-Type") == f"application/http;msgtype={kind}"
        if (partner := record.get("WARC-Concurrent-To")) is not None and partner in by_id:
            assert by_id[partner].type in {"response", "revisit"}
            assert by_id[partner].get("WARC-Date") == record.get("WARC-Date")
            assert by_id[partner].get("WARC-IP-Address") == record.get("WARC-IP-Address")
    return records


@pytest.fixture
def check_structure() -> Callable[[Path], list[Checked]]:
    """Read a file with zlib alone and assert the rules for every WARC/1.1 file of ours; returns its records.

    A request without its response passes: a kill inside a write can leave one.
    """

    def check(path: Path) -> list[Checked]:
        return _one_file(path, path.read_bytes())

    return check


StartChild = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_child() -> Iterator[StartChild]:
    """Starts Python with a script whose `print` can be read; it is killed in the end if it still runs."""
    children: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        children.append(child)
        return child

    yield start
    for child in children:
        with child:
            child.kill()
