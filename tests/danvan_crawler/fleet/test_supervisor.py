"""Several processes at once: which may run at the same time, and that a problem of one does not affect the others."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from danvan_crawler.archive.heartbeat import Beat
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet import turns
from danvan_crawler.fleet.child_process import Job, JobResult, Limits
from danvan_crawler.fleet.supervisor import Supervisor
from danvan_crawler.health.reports import read_report

pytestmark = pytest.mark.slow

NOTE = """
import os, sys, time
def note(what):
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{what} {sys.argv[2]}\\n".encode())
note("begin")
time.sleep(0.5)
note("end")
"""
WAITS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); time.sleep(600)"


class Record:
    """A watcher that records all calls; `when_started` is called with the slug of each site that begins."""

    def __init__(self, when_started: Callable[[str], None] = lambda _slug: None) -> None:
        self.begun: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.results: list[JobResult] = []
        self.paused_ones: list[str] = []
        self._when_started = when_started

    def started(self, slug: str) -> None:
        self.begun.append(slug)
        self._when_started(slug)

    def progress(self, slug: str, beat: Beat) -> None:
        self.words.append((slug, f"{beat.requests} requests"))

    def stderr_line(self, slug: str, line: str) -> None:
        self.words.append((slug, line))

    def paused(self, slug: str) -> None:
        self.paused_ones.append(slug)

    def ended(self, result: JobResult) -> None:
        self.results.append(result)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def job(journal: Path) -> Callable[..., Job]:
    """Makes jobs: job("a", hosts) notes its begin and end; a job with `script` runs that instead."""

    def make(slug: str, *hosts: str, script: str = NOTE) -> Job:
        return Job(slug, (sys.executable, "-c", script, str(journal), slug), hosts=frozenset(hosts))

    return make


def codes(results: list[JobResult]) -> dict[str, ExitCode]:
    return {result.slug: result.code for result in results}


def most_at_once(journal: Path) -> int:
    most = now = 0
    for line in journal.read_text().splitlines():
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


def test_one_at_a_time_jobs_run_in_the_given_order(tmp_path: Path, journal: Path, job: Callable[..., Job]) -> None:
    record = Record()
    results = Supervisor(tmp_path, record).run([job("b"), job("a"), job("c")])
    assert results == record.results == [JobResult(slug, ExitCode.OK) for slug in "bac"]
    assert journal.read_text().split() == ["begin", "b", "end", "b", "begin", "a", "end", "a", "begin", "c", "end", "c"]


def test_no_more_jobs_than_the_limit_run_at_once(tmp_path: Path, journal: Path, job: Callable[..., Job]) -> None:
    results = Supervisor(tmp_path, Record(), parallel=2).run([job(slug) for slug in "abcde"])
    assert codes(results) == dict.fromkeys("abcde", ExitCode.OK)
    assert most_at_once(journal) == 2


def test_two_sites_on_one_host_never_run_at_once(tmp_path: Path, journal: Path, job: Callable[..., Job]) -> None:
    jobs = [job("a", "cong.example.vn", "a.example.vn"), job("b", "b.example.vn", "cong.example.vn")]
    Supervisor(tmp_path, Record(), parallel=5).run(jobs)
    assert journal.read_text().split() == ["begin", "a", "end", "a", "begin", "b", "end", "b"]


def test_a_site_that_waits_for_its_host_lets_others_run_first(tmp_path: Path, job: Callable[..., Job]) -> None:
    record = Record()
    Supervisor(tmp_path, record, parallel=2).run([job("a", "x"), job("b", "x"), job("c", "y")])
    assert record.begun[:2] == ["a", "c"]
    assert sorted(record.begun) == ["a", "b", "c"]


def test_a_crash_is_reported_and_other_sites_continue(tmp_path: Path, job: Callable[..., Job]) -> None:
    crash = job("a", script="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    results = Supervisor(tmp_path, Record()).run([crash, job("b")])
    assert codes(results) == {"a": ExitCode.SITE_FAILED, "b": ExitCode.OK}
    [report] = [read_report(path) for path in tmp_path.glob("runs/*.json")]
    assert report is not None
    assert (report["site"], report["exit_code"]) == ("a", 3)
    assert report["findings"] == [results[0].finding] == ["the crawl died of SIGKILL (was there enough memory?)"]


@pytest.mark.parametrize(("code", "kind"), [(1, "crashed"), (2, "settings"), (8, "archive")])
def test_a_failure_without_a_report_is_reported_with_the_last_error_line(
    tmp_path: Path, job: Callable[..., Job], code: int, kind: str
) -> None:
    script = f"import sys; print('bắt đầu\\ndanvan: wrong setting\\n', file=sys.stderr); sys.exit({code})"
    Supervisor(tmp_path, Record()).run([job("a", script=script), job("b", script="")])
    [report] = [read_report(path) for path in tmp_path.glob("runs/*.json")]
    assert report is not None
    assert (report["site"], report["exit_code"], report["findings"]) == ("a", code, ["wrong setting"])
    assert report["problems"][0]["kind"] == kind


def test_a_site_that_wrote_its_own_report_gets_no_other(tmp_path: Path, job: Callable[..., Job]) -> None:
    own = tmp_path / "runs" / "20261123T013000Z-0a1b2c3d.json"
    script = f"""
import json, pathlib, sys
path = pathlib.Path({str(own)!r})
path.parent.mkdir()
path.write_text(json.dumps({{"site": "a", "exit_code": 1}}))
sys.exit(1)
"""
    Supervisor(tmp_path, Record()).run([job("a", script=script)])
    assert list(tmp_path.glob("runs/*")) == [own]


def test_a_hanging_site_is_stopped_and_other_sites_continue(tmp_path: Path, job: Callable[..., Job]) -> None:
    limits = Limits(hang_after=3)
    results = Supervisor(tmp_path, Record(), limits=limits).run([job("a", script=WAITS), job("b")])
    assert codes(results) == {"a": ExitCode.SITE_FAILED, "b": ExitCode.OK}


def test_a_command_that_cannot_be_started_is_an_error_and_other_sites_continue(
    tmp_path: Path, job: Callable[..., Job]
) -> None:
    results = Supervisor(tmp_path, Record()).run([Job("a", (str(tmp_path / "nosuch"),)), job("b")])
    assert codes(results) == {"a": ExitCode.ERROR, "b": ExitCode.OK}
    assert results[0].finding == "its process cannot be started: No such file or directory"


def test_the_output_of_a_site_is_reported_and_written_to_its_log(tmp_path: Path, job: Callable[..., Job]) -> None:
    record = Record()
    talks = job("a", script="import sys; print('một\\nhai', file=sys.stderr); sys.exit(3)")
    Supervisor(tmp_path, record).run([talks])
    assert record.words == [("a", "một"), ("a", "hai")]
    first, *said, last = (tmp_path / "logs" / "a.log").read_text(encoding="utf-8").splitlines()
    assert "the crawl begins, process " in first
    assert said == ["một", "hai"]
    assert last.endswith("Z exit code 3")


def test_a_site_with_an_unwritable_log_is_not_started(tmp_path: Path, job: Callable[..., Job]) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    record = Record()
    [result] = Supervisor(tmp_path, record).run([job("a")])
    assert result.code is ExitCode.ERROR
    assert record.begun == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_running_sites_and_starts_no_more(tmp_path: Path, job: Callable[..., Job], number: int) -> None:
    """A child that gets the signal before its handler is installed counts as interrupted, too."""
    record = Record(lambda slug: os.kill(os.getpid(), number) if slug == "b" else None)
    jobs = [job("a", script=WAITS), job("b", script=WAITS), job("c")]
    before = signal.signal(number, signal.SIG_DFL)  # under nohup SIGHUP is ignored, and must stay so
    try:
        results = Supervisor(tmp_path, record, parallel=2, limits=Limits(patience=3)).run(jobs)
    finally:
        signal.signal(number, before)
    assert codes(results) == dict.fromkeys("abc", ExitCode.INTERRUPTED)
    assert results[-1] == JobResult("c", ExitCode.INTERRUPTED, "not started: a signal came first")
    assert record.begun == ["a", "b"]


def test_signal_handlers_are_restored(tmp_path: Path, job: Callable[..., Job]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    Supervisor(tmp_path, Record()).run([job("a", script="")])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_failing_watcher_is_not_called_again_and_the_sites_continue(tmp_path: Path, job: Callable[..., Job]) -> None:
    def fail(slug: str) -> None:
        raise OSError("no space left on device")

    record = Record(fail)
    results = Supervisor(tmp_path, record).run([job("a"), job("b", script="import sys; sys.exit(3)")])
    assert codes(results) == {"a": ExitCode.OK, "b": ExitCode.SITE_FAILED}
    assert (record.begun, record.results) == (["a"], [])


STOPS = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path(sys.argv[1] + sys.argv[2]).write_text("stopped")
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
print("ready", file=sys.stderr, flush=True)
time.sleep(600)
"""


def test_children_are_asked_to_stop_when_the_supervisor_fails(
    tmp_path: Path, journal: Path, job: Callable[..., Job]
) -> None:
    """KeyboardInterrupt represents any error other than one of the watcher."""

    class Fails(Record):
        def stderr_line(self, slug: str, line: str) -> None:
            super().stderr_line(slug, line)
            if len(self.words) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Supervisor(tmp_path, Fails(), parallel=2).run([job("a", script=STOPS), job("b", script=STOPS)])
    assert [Path(f"{journal}{slug}").read_text() for slug in "ab"] == ["stopped", "stopped"]
    with pytest.raises(ChildProcessError):  # no child is left
        os.waitpid(-1, 0)


def test_a_night_with_a_limit_gives_everyone_a_turn_and_stops_in_the_end(
    tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LEAST", 0.2)
    record = Record()
    supervisor = Supervisor(tmp_path, record, night_limit=4)
    results = supervisor.run([job("a", script=WAITS), job("b"), job("c")])
    assert codes(results) == {"a": ExitCode.INTERRUPTED, "b": ExitCode.OK, "c": ExitCode.OK}
    assert record.begun == ["a", "b", "c", "a"]
    assert record.paused_ones == ["a"]
    assert [result.slug for result in record.results] == ["b", "c", "a"]
    assert supervisor.was_cut


def test_one_that_cannot_continue_has_one_turn_and_what_is_left_out_is_named(
    tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LEAST", 1)
    record = Record()
    jobs = [replace(job("a", script=WAITS), continues=False), job("b", script=WAITS), job("c")]
    results = Supervisor(tmp_path, record, night_limit=3).run(jobs)
    assert (record.begun, record.paused_ones) == (["a", "b"], [])
    assert [(result.slug, result.code) for result in results] == [(slug, ExitCode.INTERRUPTED) for slug in "abc"]
    assert results[-1].finding == "not started: the night's limit came first"
