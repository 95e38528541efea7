"""Locks: which processes exclude each other, and that a dead process holds no lock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from danvan_crawler.archive.locks import DatabaseLock, FleetLock, HostLock, SiteLock, is_fleet_running
from danvan_crawler.exceptions import ArchiveError, ExitCode, LockedError

HOLDER = """
import sys
from pathlib import Path
from danvan_crawler.archive.locks import DatabaseLock, SiteLock

SiteLock(Path(sys.argv[1]), sys.argv[2]).acquire()
DatabaseLock(Path(sys.argv[1]), exclusive=sys.argv[3] == "exclusive").acquire()
print("held", flush=True)
sys.stdin.read()
"""

StartHolder = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_holder(tmp_path: Path) -> Iterator[StartHolder]:
    """Starts a process that holds the lock of a site, and that of the database, until it is killed."""
    children: list[subprocess.Popen[str]] = []

    def start(slug: str = "thanhhoa-danvan", database: str = "shared") -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), slug, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        return child

    yield start
    for child in children:
        with child:
            child.kill()


def test_another_process_is_refused_with_the_holder_of_the_lock(start_holder: StartHolder, tmp_path: Path) -> None:
    holder = start_holder()
    with pytest.raises(LockedError) as caught:
        SiteLock(tmp_path, "thanhhoa-danvan").acquire()
    assert str(caught.value) == f"site 'thanhhoa-danvan': another run holds its lock (process {holder.pid})"
    assert caught.value.exit_code is ExitCode.LOCKED


def test_a_killed_process_holds_no_lock(start_holder: StartHolder, tmp_path: Path) -> None:
    holder = start_holder(database="exclusive")
    holder.kill()
    holder.wait()
    lock = SiteLock(tmp_path, "thanhhoa-danvan")
    assert lock.path.read_text() == f"{holder.pid}\n"
    with lock, DatabaseLock(tmp_path, exclusive=True):
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_a_child_of_the_holder_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with SiteLock(tmp_path, "thanhhoa-danvan"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        with SiteLock(tmp_path, "thanhhoa-danvan"):
            pass
        child.kill()


def test_two_locks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with SiteLock(tmp_path, "thanhhoa-danvan"), pytest.raises(LockedError):
        SiteLock(tmp_path, "thanhhoa-danvan").acquire()


def test_sites_and_archives_have_separate_locks(tmp_path: Path) -> None:
    with SiteLock(tmp_path, "a-danvan"), SiteLock(tmp_path, "b-danvan"), SiteLock(tmp_path / "other", "a-danvan"):
        pass


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = SiteLock(tmp_path, "thanhhoa-danvan")
    for _ in range(2):
        lock.acquire()
        lock.release()
        lock.release()


def test_a_lock_is_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), SiteLock(tmp_path, "thanhhoa-danvan"):
        raise ZeroDivisionError
    with SiteLock(tmp_path, "thanhhoa-danvan"):
        pass


def test_a_lock_file_without_a_process_is_no_lock(tmp_path: Path) -> None:
    lock = SiteLock(tmp_path, "thanhhoa-danvan")
    lock.path.parent.mkdir()
    lock.path.write_text("1\n")
    with lock:
        pass
    assert lock.path.is_file()


def test_an_unwritable_lock_file_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file where the folder should be")
    with pytest.raises(ArchiveError, match=r"thanhhoa-danvan\.lock"):
        SiteLock(tmp_path, "thanhhoa-danvan").acquire()


def test_runs_share_the_database(start_holder: StartHolder, tmp_path: Path) -> None:
    start_holder()
    with DatabaseLock(tmp_path), DatabaseLock(tmp_path):
        pass


def test_a_rebuild_is_refused_while_a_run_holds_the_database(start_holder: StartHolder, tmp_path: Path) -> None:
    holder = start_holder()
    with pytest.raises(LockedError, match=rf"a crawl or another rebuild is running \(process {holder.pid}\)"):
        DatabaseLock(tmp_path, exclusive=True).acquire()


def test_a_run_is_refused_during_a_rebuild(start_holder: StartHolder, tmp_path: Path) -> None:
    holder = start_holder(database="exclusive")
    with pytest.raises(LockedError, match=rf"the item database is being rebuilt \(process {holder.pid}\)"):
        DatabaseLock(tmp_path).acquire()


def test_two_sites_on_one_host_exclude_each_other(tmp_path: Path) -> None:
    with (
        HostLock(tmp_path, "danvan.example.vn"),
        pytest.raises(LockedError, match=rf"^host danvan.example.vn: another run .* \(process {os.getpid()}\)$"),
    ):
        HostLock(tmp_path, "danvan.example.vn").acquire()


def test_hosts_have_separate_locks(tmp_path: Path) -> None:
    with HostLock(tmp_path, "a.example.vn"), HostLock(tmp_path, "127.0.0.1:80"), HostLock(tmp_path, "127.0.0.1:81"):
        pass


def test_a_command_that_crawls_several_sites_can_be_seen_and_refuses_nobody(tmp_path: Path) -> None:
    assert not is_fleet_running(tmp_path)
    with FleetLock(tmp_path):
        assert is_fleet_running(tmp_path)
        with FleetLock(tmp_path):
            pass
        assert is_fleet_running(tmp_path)
    assert not is_fleet_running(tmp_path)
    (tmp_path / "file").touch()
    with FleetLock(tmp_path / "file"):
        assert not is_fleet_running(tmp_path / "file")
