"""A watched process: the result of each way of ending, hanging or growing, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from danvan_crawler.exceptions import ExitCode
from danvan_crawler.fleet.child_process import Child, Job, JobResult, Limits, job_result_of, run_command
from danvan_crawler.memory import resident_bytes

pytestmark = pytest.mark.slow

SLUG = "thanhhoa-danvan"
STUBBORN = """
import signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
print("ready", file=sys.stderr, flush=True)
time.sleep(600)
"""
OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", file=sys.stderr, flush=True)
time.sleep(600)
"""
ALIVE = """
import sys, time
from pathlib import Path
from danvan_crawler.archive.heartbeat import Heartbeat
heart = Heartbeat(Path(sys.argv[1]), "thanhhoa-danvan", "0a1b2c3d")
for _ in range(5):
    time.sleep(1.1)
    heart.request()
"""

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a script as the child of a job; keyword arguments are those of the job and, as `limits`, the limits."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    (tmp_path / "locks").mkdir()
    children: list[Child] = []

    def make(script: str, *, limits: Limits | None = None, **keys: float) -> Child:
        job = Job(SLUG, (sys.executable, "-c", script, str(tmp_path)), **keys)  # type: ignore[arg-type]
        children.append(Child(tmp_path, job, limits or Limits()))
        return children[-1]

    yield make
    for child in children:
        child.kill()


def wait(child: Child) -> tuple[JobResult, list[str]]:
    """Watches a child to its end; returns its result and its output."""
    said: list[str] = []
    while not child.ended:
        child.check()
        said += child.lines()
        time.sleep(0.02)
    said += child.lines()
    return child.result(), said


def wait_for_line(child: Child, line: str) -> None:
    said: list[str] = []
    while line not in said:
        assert not child.ended, said
        said += child.lines()
        time.sleep(0.02)


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: str(int(code)))
def test_an_exit_code_of_ours_is_the_result(code: ExitCode) -> None:
    assert job_result_of(SLUG, int(code)) == JobResult(SLUG, code)


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (-9, "the crawl died of SIGKILL (was there enough memory?)"),
        (-11, "the crawl died of SIGSEGV"),
        (-63, "the crawl died of signal 63"),
        (139, "the crawl died with exit status 139"),
    ],
)
def test_any_other_exit_status_is_a_failed_site(status: int, finding: str) -> None:
    assert job_result_of(SLUG, status) == JobResult(SLUG, ExitCode.SITE_FAILED, finding)


def test_a_signal_before_the_handler_is_installed_is_an_interruption() -> None:
    assert job_result_of(SLUG, -signal.SIGTERM).code is ExitCode.INTERRUPTED


def test_output_is_read_line_by_line_to_the_end(start: Start) -> None:
    child = start("import sys; sys.stderr.write('Tỉnh ủy\\n' * 30000 + 'không xuống dòng')")
    result, said = wait(child)
    assert result == JobResult(SLUG, ExitCode.OK)
    assert said == ["Tỉnh ủy"] * 30000 + ["không xuống dòng"]


def test_a_crashed_process_is_reported_with_its_signal(start: Start) -> None:
    result, _ = wait(start("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert result == JobResult(SLUG, ExitCode.SITE_FAILED, "the crawl died of SIGSEGV")


def test_a_process_without_a_heartbeat_is_stopped_and_has_failed(start: Start) -> None:
    result, _ = wait(start(OBEDIENT, limits=Limits(hang_after=2)))
    assert result.code is ExitCode.SITE_FAILED
    assert result.finding == "the crawl hung: no activity for 2 s; it was stopped, the next run continues"


def test_a_process_that_cannot_be_stopped_is_killed(start: Start) -> None:
    child = start(STUBBORN, limits=Limits(hang_after=2, patience=0.5))
    result, _ = wait(child)
    assert result.code is ExitCode.SITE_FAILED
    assert result.finding == "the crawl hung: no activity for 2 s; it was killed, the next run continues"


def test_a_process_with_a_heartbeat_is_not_stopped(start: Start) -> None:
    child = start(ALIVE, limits=Limits(hang_after=4))
    result, _ = wait(child)
    assert result == JobResult(SLUG, ExitCode.OK)
    assert child.beat is not None
    assert (child.beat.process, child.beat.run_id) == (child.process, "0a1b2c3d")
    assert child.beat.requests > 0


def test_the_heartbeat_of_another_process_is_ignored(start: Start, tmp_path: Path) -> None:
    (tmp_path / "locks" / f"{SLUG}.beat").write_text("1 0a1b2c3d 500 20\n")
    child = start("")
    wait(child)
    assert child.beat is None


def test_a_site_with_a_long_delay_may_be_silent_for_longer(start: Start) -> None:
    result, _ = wait(start("import time; time.sleep(2)", limits=Limits(hang_after=0.5), quiet_for=300))
    assert result == JobResult(SLUG, ExitCode.OK)


def test_a_process_beyond_its_time_limit_is_stopped(start: Start) -> None:
    result, _ = wait(start(OBEDIENT, limits=Limits(grace=0.5), time_limit=1))
    assert result.code is ExitCode.SITE_FAILED
    assert result.finding is not None
    assert result.finding.startswith("the crawl did not end at its time limit of 1 s; it was stopped")


def test_a_process_with_too_much_memory_is_stopped(start: Start) -> None:
    script = "import time; held = bytearray(b'x') * 200_000_000; time.sleep(600)"
    result, _ = wait(start(script, limits=Limits(memory=100_000_000)))
    assert result.code is ExitCode.SITE_FAILED
    assert result.finding is not None
    assert result.finding.startswith("the crawl used too much memory: ")


def test_resident_memory_is_zero_for_ended_processes() -> None:
    assert resident_bytes(os.getpid()) > 1_000_000
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert resident_bytes(child.pid) == 0


def test_a_signal_is_passed_on_and_the_exit_code_is_the_result(start: Start) -> None:
    child = start(OBEDIENT)
    wait_for_line(child, "ready")
    child.stop(signal.SIGTERM)
    assert wait(child)[0] == JobResult(SLUG, ExitCode.INTERRUPTED)


def test_a_process_that_ignores_the_signal_is_killed_and_was_interrupted(start: Start) -> None:
    child = start(STUBBORN, limits=Limits(patience=0.5))
    wait_for_line(child, "ready")
    child.stop(signal.SIGINT)
    assert wait(child)[0] == JobResult(SLUG, ExitCode.INTERRUPTED, "stopped at once; the next run continues")


def test_child_processes_of_a_killed_process_are_killed_too(start: Start, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    grandchild = f"import time; held = open({str(pipe)!r}, 'w'); held.write('x'); held.flush(); time.sleep(600)"
    child = start(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])")
    with pipe.open() as held:
        assert held.read(1) == "x"
        child.kill()
        assert held.read() == ""  # no process has it open any more


def test_a_command_runs_to_its_end_and_returns_its_exit_code() -> None:
    assert run_command((sys.executable, "-c", "raise SystemExit(4)")) is ExitCode.UNHEALTHY
