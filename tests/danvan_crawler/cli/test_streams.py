"""Commands whose stdin, stdout and stderr are closed, full, or a broken pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """shell("sites >&-") runs `danvan sites` that way, with pipefail, so that a broken pipe is seen."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                "/bin/bash",
                "-o",
                "pipefail",
                "-c",
                f'danvan() {{ "{sys.executable}" -m danvan_crawler "$@"; }}; danvan {line}',
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("how", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_closed_streams_are_no_error(shell: Shell, how: str) -> None:
    result = shell(f"sites {how}")
    assert (result.returncode, result.stderr) == (0, "")
    assert ("mau-danvan" in result.stdout) is (">&-" not in how.replace("2>&-", ""))


@pytest.mark.parametrize("command", ["sites", "sites --json", "status --json", "--help", "--version"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_stdout_is_one_error_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    result = shell(f"{command} 2>&1 >/dev/full | grep -v healthy")
    assert result.stdout == "danvan: stdout cannot be written: No space left on device\n"
    assert result.returncode == 1


@pytest.mark.parametrize("command", ["sites --json", "dates <(yes 23/05/2017 | head -100000)"])
def test_a_broken_pipe_is_no_error(shell: Shell, command: str) -> None:
    result = shell(f"{command} | head -1 >/dev/null")
    assert (result.returncode, result.stderr) == (0, "")


def test_an_error_with_a_closed_stderr_has_its_exit_code(shell: Shell) -> None:
    assert shell("status --site nosuch-danvan 2>&-").returncode == 2


def test_an_opened_file_does_not_get_the_descriptor_of_a_closed_stream(shell: Shell, tmp_path: Path) -> None:
    assert shell("status --html s.html >&- 2>&-").returncode == 0
    assert (tmp_path / "s.html").read_text("utf-8").startswith("<!DOCTYPE html>")
