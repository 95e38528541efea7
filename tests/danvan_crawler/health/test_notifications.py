"""Notifications, received by a real server: one message per run, and only if something has changed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.health.notifications import VARIABLE, Notifier, delivery_problem
from danvan_crawler.health.problems import Problem

# apprise 2.2 imports a standard module that Python 3.13 does not have.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

QUIET = Problem("quiet", "no new article for 40 days").as_json()
LOST = Problem("coverage", "author: only 0% of the articles have one").as_json()
EXPIRED = {"kind": "certificate", "text": "the certificate has expired", "exit_code": 0}
BROKEN = {"kind": "errors", "text": "the only article requested failed", "exit_code": 0}
STOPPED = {"kind": "interrupted", "text": "stopped by a signal", "exit_code": 7}

Run = Callable[..., None]


class Receiver:
    """Receives JSON messages; `status` is the HTTP status of its responses."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def run(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Run:
    """run(site=[problems]) writes the reports of a night and notifies the receiver, or other addresses."""
    run_reports = iter(range(1, 29))
    (tmp_path / "runs").mkdir()

    def night(addresses: str | None = None, code: int | None = None, **sites: list[dict[str, Any]]) -> None:
        day = next(run_reports)
        for name, problems in sites.items():
            began = f"2026-11-{day:02}T18:30:00+00:00"
            site = f"{name}-danvan"
            known: dict[str, Any] = {
                "run_id": f"{name}{day:02}",
                "site": site,
                "started_at": began,
                "finished_at": began,
            }
            known |= {"exit_code": code if code is not None else 4 if problems else 0}
            known |= {"findings": [problem["text"] for problem in problems], "problems": problems}
            text = json.dumps(known, indent=2)
            (tmp_path / "runs" / f"202611{day:02}T183000Z-{name}.json").write_text(text, encoding="utf-8")
        monkeypatch.setenv(VARIABLE, receiver.address if addresses is None else addresses)
        monkeypatch.setenv("DANVAN_CLOCK", f"2026-11-{day:02}T20:00:00+00:00")
        Notifier(tmp_path).notify([f"{name}-danvan" for name in sites])

    return night


def test_a_night_without_problems_sends_no_message(run: Run, receiver: Receiver) -> None:
    run(mot=[], hai=[])
    assert receiver.messages == []


def test_minor_problems_send_no_message_except_an_expired_certificate(run: Run, receiver: Receiver) -> None:
    run(mot=[BROKEN], code=0)
    run(mot=[])
    assert receiver.messages == []
    run(mot=[BROKEN, EXPIRED], code=0)
    run(mot=[EXPIRED], code=0)
    (message,) = receiver.messages
    assert "the certificate has expired" in message["message"]
    assert "article" not in message["message"]


def test_all_sites_of_a_night_are_in_one_message_with_remedies(run: Run, receiver: Receiver) -> None:
    run(mot=[QUIET], hai=[LOST, QUIET], ba=[])
    (message,) = receiver.messages
    assert (message["title"], message["type"]) == ("danvan: problems with hai-danvan, mot-danvan", "failure")
    assert "mot-danvan" in message["message"]
    assert "author: only 0% of the articles have one" in message["message"]
    assert LOST["remedy"] in message["message"]
    assert "ba-danvan" not in message["message"]


def test_a_known_problem_is_not_sent_again(run: Run, receiver: Receiver) -> None:
    run(mot=[QUIET])
    run(mot=[QUIET])
    assert len(receiver.messages) == 1


def test_another_kind_of_problem_is_sent(run: Run, receiver: Receiver) -> None:
    run(mot=[QUIET])
    run(mot=[QUIET, LOST])
    assert "no new article" not in receiver.messages[1]["message"]
    assert "author" in receiver.messages[1]["message"]


def test_the_end_of_a_problem_is_sent_once(run: Run, receiver: Receiver) -> None:
    run(mot=[QUIET])
    run(mot=[])
    run(mot=[])
    assert [(message["title"], message["type"]) for message in receiver.messages] == [
        ("danvan: problems with mot-danvan", "failure"),
        ("danvan: mot-danvan healthy again", "success"),
    ]


def test_a_stopped_run_sends_nothing(run: Run, receiver: Receiver) -> None:
    run(mot=[QUIET])
    run(mot=[STOPPED], code=7)
    run(mot=[QUIET])
    assert len(receiver.messages) == 1


def test_an_undelivered_message_is_sent_after_the_next_run(
    run: Run, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    run(mot=[QUIET])
    assert "could not be delivered" in caplog.text
    receiver.status = 200
    run(mot=[QUIET])
    assert len(receiver.messages) == 2


@pytest.mark.parametrize("address", ["nobody://knows/this", "not an address", "json://127.0.0.1:9/"])
def test_a_failing_address_is_logged_without_its_secrets(
    run: Run, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        run(addresses=address.replace("//", "//user:secret@"), mot=[QUIET])
    scheme = address.partition("://")[0] if ":" in address else "without a scheme"
    assert f"address 1 ({scheme}) of {VARIABLE}" in caplog.text
    assert "secret" not in "".join(one.getMessage() for one in caplog.records if one.name.startswith("danvan"))


@pytest.mark.parametrize(
    ("setting", "trouble"),
    [
        ("", None),
        (" json://127.0.0.1:9/,\nmailto://a:b@c.vn ", None),
        ("json://127.0.0.1:9/ secret", "address 2 (without a scheme)"),
        ("nobody://user:secret@knows/this", "address 1 (nobody)"),
    ],
)
def test_invalid_addresses_are_found_before_anything_is_sent(
    setting: str, trouble: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = delivery_problem(setting)
    assert found == (f"{trouble} of {VARIABLE} is not a valid apprise URL" if trouble else None)
    assert caplog.text == ""  # apprise would log the address


def test_one_working_address_is_enough(run: Run, receiver: Receiver) -> None:
    run(addresses=f"json://127.0.0.1:9/, {receiver.address}", mot=[QUIET])
    run(mot=[QUIET])
    assert len(receiver.messages) == 1


@pytest.fixture
def second() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


def test_only_addresses_that_were_not_reached_get_the_message_later(
    run: Run, receiver: Receiver, second: Receiver, tmp_path: Path
) -> None:
    both = f"{receiver.address} {second.address}"
    second.status = 500
    run(addresses=both, mot=[QUIET], hai=[])
    assert second.address not in (tmp_path / "health.json").read_text("utf-8")
    run(addresses=both, mot=[QUIET], hai=[LOST])
    second.status = 200
    second.messages.clear()
    run(addresses=both, mot=[QUIET], hai=[LOST])
    (late,) = second.messages
    assert "mot-danvan" in late["message"]
    assert "hai-danvan" in late["message"]
    run(addresses=both, mot=[QUIET], hai=[])
    assert [message["title"] for message in receiver.messages] == [
        "danvan: problems with mot-danvan",
        "danvan: problems with hai-danvan",
        "danvan: hai-danvan healthy again",
    ]
    assert len(second.messages) == 2
    assert json.loads((tmp_path / "health.json").read_text("utf-8")) == {"mot-danvan": ["quiet"]}


def test_an_address_that_was_not_reached_gets_no_message_about_a_past_problem(
    run: Run, receiver: Receiver, second: Receiver, tmp_path: Path
) -> None:
    both = f"{receiver.address} {second.address}"
    second.status = 500
    run(addresses=both, mot=[QUIET])
    second.status = 200
    second.messages.clear()
    run(addresses=both, mot=[])
    assert (len(receiver.messages), second.messages) == (2, [])
    assert json.loads((tmp_path / "health.json").read_text("utf-8")) == {}


def test_a_server_that_responds_too_slowly_is_abandoned(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(addresses="", mot=[QUIET])
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not ended.wait(0.2):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, daemon=True).start()
        monkeypatch.setenv(VARIABLE, f"json://127.0.0.1:{listener.getsockname()[1]}/")
        Notifier(tmp_path, patience=1.0).notify(["mot-danvan"])
        assert "address 1 (json) of DANVAN_NOTIFY: the notification was not delivered in 1 s" in caplog.text
        assert not (tmp_path / "health.json").exists()
        ended.set()


def test_without_an_address_no_state_is_written(run: Run, tmp_path: Path) -> None:
    run(addresses="", mot=[QUIET])
    assert not (tmp_path / "health.json").exists()


def test_the_processes_of_the_sites_send_no_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "json://127.0.0.1:9/")
    Notifier(tmp_path)
    assert VARIABLE not in os.environ


def test_an_unreadable_state_file_is_replaced(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "health.json").write_text("{", encoding="utf-8")
    run(mot=[QUIET])
    assert json.loads((tmp_path / "health.json").read_text("utf-8")) == {"mot-danvan": ["quiet"]}
    assert len(receiver.messages) == 1
