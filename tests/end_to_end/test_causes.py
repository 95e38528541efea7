"""Each cause of a failed run is named once, in words, with its own remedy; and what a night does beside crawling."""

from __future__ import annotations

import gzip
import json
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.archive.locks import DatabaseLock
from danvan_crawler.health.problems import REMEDIES

MODEL = "/tin-tuc/dan-van-kheo/"
New = Callable[..., Any]
CLASS = re.compile(r"\b\w+(?:Error|Exception|Failure)\b|\bTraceback\b|twisted|<class")


def report(desk: Any) -> dict[str, Any]:
    newest = max(desk.archive.glob("runs/*.json"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    return found


def named_once(desk: Any, said: str, kind: str, words: str) -> None:
    """Checks that a crawl said one thing: its cause and what to do."""
    [problem] = report(desk)["problems"]
    assert problem["kind"] == kind
    assert words in problem["text"]
    assert said.count(words) == 1
    assert said.count(REMEDIES[kind]) == 1
    assert CLASS.search(said) is None
    assert len(said.splitlines()) <= 3
    status = desk.danvan("status", "--site", "mau-danvan", code=4)
    assert status.stderr.count(words) == status.stderr.count(REMEDIES[kind]) == 1


def test_a_server_that_refuses_all_sections(new_desk: New) -> None:
    desk = new_desk("http://127.0.0.1:9/")
    said = desk.crawl(code=3).stderr
    named_once(desk, said, "unreachable", "the server refuses the connection")
    assert "3 of the sections cannot be read" in said
    assert "(sections: Hoạt động Ban Dân vận, Dân vận khéo, Dân vận cơ sở)" in said


def test_a_listing_that_unpacks_beyond_the_limit(new_portal: New, new_desk: New, answer: New) -> None:
    portal = new_portal()
    portal.pages[MODEL] = answer(gzip.compress(b"\0" * (65 << 20), 1), headers={"Content-Encoding": "gzip"})
    desk = new_desk(portal, only="dan-van-kheo")
    said = desk.crawl(code=3).stderr
    named_once(desk, said, "too_large", "the body is larger than 67,108,864 bytes when unpacked")


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Callable[[ssl.SSLContext | None], int]]:
    """Starts servers with a TLS context of this certificate, or without TLS; gives their ports."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", "k.pem", "-out", "c.pem"], cwd=tmp_path, capture_output=True, check=True)
    listeners: list[socket.socket] = []

    def serve(connection: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as secured:
                secured.recv(1000)
                secured.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass

    def accept(listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, context), daemon=True).start()

    def start(context: ssl.SSLContext | None) -> int:
        if context is not None:
            context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=accept, args=(listeners[-1], context), daemon=True).start()
        port: int = listeners[-1].getsockname()[1]
        return port

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated:DeprecationWarning")
def test_a_server_with_an_old_tls(new_desk: New, tls: Callable[..., int]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    desk = new_desk(f"https://127.0.0.1:{tls(context)}/", only="dan-van-kheo")
    said = desk.crawl(code=3).stderr
    named_once(desk, said, "tls", "no encrypted connection (TLS): tlsv1 alert protocol version")


def test_a_port_that_speaks_no_tls(new_desk: New, tls: Callable[..., int]) -> None:
    desk = new_desk(f"https://127.0.0.1:{tls(None)}/", only="dan-van-kheo")
    named_once(desk, desk.crawl(code=3).stderr, "tls", "no encrypted connection (TLS): wrong version number")


def test_a_database_that_is_being_rebuilt(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.archive.mkdir()
    with DatabaseLock(desk.archive, exclusive=True):
        said = desk.crawl(code=5).stderr
    [problem] = report(desk)["problems"]
    assert (problem["kind"], problem["exit_code"], report(desk)["reason"]) == ("locked", 5, "not_now")
    assert said.count("the item database is being rebuilt") == said.count(REMEDIES["locked"]) == 1
    assert "listing pages" not in said
    desk.crawl()
    assert desk.danvan("status", "--site", "mau-danvan").stdout.split("\t")[2] == "good"


def test_a_database_of_a_newer_version(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.crawl()
    with closing(sqlite3.connect(desk.archive / "danvan.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    said = desk.crawl(code=1).stderr
    assert said.count("has schema version 99") == said.count(REMEDIES["database_newer"]) == 1
    status = desk.danvan("status", "--site", "mau-danvan", code=4).stderr
    assert status.count("has schema version 99") == status.count(REMEDIES["database_newer"]) == 1


def test_many_pages_that_fail_alike_are_a_few_lines(new_portal: New, new_desk: New, answer: New) -> None:
    portal = new_portal()
    wrong = [f"{MODEL}bai-viet-so-{number}.html" for number in range(900, 930)]
    portal.also_link(MODEL, *wrong)
    portal.pages.update(dict.fromkeys(wrong, answer(status="403 Forbidden")))
    desk = new_desk(portal, only="dan-van-kheo")
    said = desk.danvan("crawl", "mau-danvan", code=4).stderr
    assert said.count("no article: HTTP 403") == 4
    assert "27 further addresses: no article: HTTP 403" in said


def test_a_night_checks_the_archive_when_that_is_due(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")

    def night(day: str) -> list[dict[str, Any]]:
        desk.environment["DANVAN_CLOCK"] = f"2027-{day}T01:30:00+07:00"
        result = desk.danvan("crawl", "--all", "--quiet", "--verify")
        assert result.stdout + result.stderr == ""
        found: list[dict[str, Any]] = json.loads(desk.danvan("verify", "--history", "--json").stdout)
        return found

    [first] = night("03-01")
    assert (first["site"], first["damage"], first["complete"]) == (None, 0, True)
    stats = report(desk)["stats"]
    assert stats["start_time"][:10] == report(desk)["started_at"][:10] == "2027-02-28"
    assert night("03-02") == [first]
    [warc] = [path for path in desk.warc_files() if "20270228" in path.name]
    warc.write_bytes(warc.read_bytes()[:-9])
    desk.danvan("verify", "--if-due")
    desk.environment["DANVAN_VERIFY_DAYS"] = "1"
    desk.danvan("verify", "--if-due", code=8)
    assert "found damage" in desk.danvan("status", code=4).stderr


def test_an_old_database_is_migrated_before_a_crawl_and_kept(new_portal: New, new_desk: New) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.archive.mkdir()
    old = Path(__file__).resolve().parents[1] / "fixtures" / "store" / "version-1.sql"
    with closing(sqlite3.connect(desk.archive / "danvan.sqlite")) as connection:
        connection.executescript(old.read_text())
    said = desk.crawl().stderr
    assert "danvan.sqlite: schema 1 to " in said
    assert len(list(desk.archive.glob("danvan.sqlite.before-schema-*"))) == 1
    assert "schema" not in desk.crawl().stderr
