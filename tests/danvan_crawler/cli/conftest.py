"""Commands run in this process, and an archive with two articles for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from danvan_crawler.archive.layout import database_path
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.cli import main
from danvan_crawler.items import Article, Attachment
from danvan_crawler.store.writes import Store
from danvan_crawler.warc.records import Exchange
from danvan_crawler.warc.writer import WarcWriter

SITE = "vi-du-danvan"
HOME = "http://danvan.example.vn/"
CRONTAB = """#!/bin/sh
# crontab(1), with the file of one user beside this script
file=$(dirname "$0")/table
case "$1" in
-l) if [ -f "$file" ]; then cat "$file"; else echo "no crontab for tester" >&2; exit 1; fi ;;
-) cat >"$file" ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
"""
BODY = "<html><body>Hội nghị</body></html>".encode()

CITED: dict[str, str | None] = {
    "raw": "Quyết định 464-QĐ/TU",
    "type": "quyết định",
    "number": "464",
    "code": "QĐ/TU",
    "issuer": "TU",
    "date": None,
}


@dataclass(frozen=True)
class Result:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str
    raw: bytes


Danvan = Callable[..., Result]


@pytest.fixture
def danvan(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Danvan:
    """danvan("search", "dân vận", …) runs a command in an empty folder, with ./archive as its archive."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Result:
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Result(int(ended.value.code or 0), out.decode(), err.decode(), out)

    return run


@dataclass(frozen=True)
class Archive:
    """An archive of two articles: one of 2017 with an attachment, one without a date."""

    folder: Path
    dated: CaptureRecord
    undated: CaptureRecord


@pytest.fixture
def archive(tmp_path: Path, made_archive: Archive) -> Archive:
    folder = tmp_path / "archive"
    shutil.copytree(made_archive.folder, folder)
    return replace(made_archive, folder=folder)


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The archive that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("made") / "archive"
    writer = WarcWriter(folder, SITE, warcinfo={"software": "test"})
    captures = [writer.write_exchange(_exchange(f"tin-{number}.html")) for number in (1, 2)]
    writer.close()
    store = Store(database_path(folder))
    for number, capture in enumerate(captures):
        store.note_capture(SITE, capture)
        store.write_article(_article(capture, dated=number == 0))
    store.close()
    return Archive(folder, *captures)


def _exchange(path: str) -> Exchange:
    response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    return Exchange(
        url=HOME + path,
        request=f"GET /{path} HTTP/1.1\r\nHost: danvan.example.vn\r\n\r\n".encode(),
        response=response + BODY,
        began_at=datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC),
        ip_address="192.0.2.7",
    )


def _article(capture: CaptureRecord, *, dated: bool) -> Article:
    return Article(
        site=SITE,
        url=capture.url,
        canonical_url=capture.url,
        item_id=f"{SITE}-{'1' if dated else '2'}",
        title="Hội nghị [bold]dân vận khéo[/bold]" if dated else "Thông báo tuyển dụng",
        lead="Sáng 23/5, Ban Dân vận tổ chức hội nghị." if dated else "",
        body_text="Đoạn một về dân vận khéo.\nĐoạn hai." if dated else "Dẫn vần khéo.",
        province="VN-21",
        body="ban-dan-van",
        section="Tin tức" if dated else "Thông báo",
        published_raw="Ngày 23/05/2017" if dated else None,
        published_at="2017-05-23T00:00:00+07:00" if dated else None,
        published_precision="day" if dated else None,
        published_from="visible" if dated else None,
        attachments=[Attachment(f"{HOME}ke-hoach.pdf", "Kế hoạch.pdf")] if dated else [],
        tags=["dân vận"] if dated else [],
        documents=[CITED] if dated else [],
        content_hash="a" * 64 if dated else "b" * 64,
        captured_at=capture.date,
        warc_file=capture.warc_file,
        warc_offset=capture.warc_offset,
        warc_record_id=capture.warc_record_id,
        payload_digest=capture.payload_digest,
        extractor="danvan_portal/1",
        warnings=[] if dated else ["no date line"],
    )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the only programs beside the system's own; it holds a crontab and nobody's table."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("crontab", CRONTAB), ("systemctl", SYSTEMCTL)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name in [name for name in os.environ if name.startswith("DANVAN_")]:  # they would travel along
        monkeypatch.delenv(name)
    monkeypatch.setenv("DANVAN_CONTACT", "luutru@example.vn")
    return folder
