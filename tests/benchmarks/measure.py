"""What one command takes: time on the wall, processor time and peak memory of it and its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")


class BenchmarkError(Exception):
    """The benchmark cannot be run, or what it ran did not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    """User and system time, of the children that it waited for too."""
    peak_bytes: int
    """Resident memory of its largest process."""


def environment() -> dict[str, str]:
    """Ours, without what would change how a crawler behaves, and with the project importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DANVAN_", "SCRAPY_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "DANVAN_MIN_FREE": "0"}


def run(command: Sequence[str], *, folder: Path, patience: float = 1800, ok: Sequence[int] = (0,)) -> tuple[Cost, str]:
    """Runs a command in `folder` to its end and returns its cost and what it printed on stdout.

    Raises BenchmarkError with the end of its stderr when its exit code is not among `ok`, or when it takes longer than
    `patience` seconds; then it is ended with all that it started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    result, errors = folder / ".cost", folder / ".stderr"
    stub = [sys.executable, "-I", "-S", str(CHILD), str(result), *command]
    with errors.open("wb") as stderr, subprocess.Popen(
        stub, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, _ = process.communicate(timeout=patience)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise BenchmarkError(f"{' '.join(command)}: still runs after {patience:g} seconds") from error
            raise
    told = errors.read_text(encoding="utf-8", errors="replace").strip()
    if process.returncode:
        raise BenchmarkError(f"{' '.join(command)}: {told[-1000:]}")
    seconds, cpu, peak, code = result.read_text(encoding="ascii").split()
    if int(code) not in ok:
        raise BenchmarkError(f"{' '.join(command)}: exit code {code}\n{told[-1000:]}")
    return Cost(float(seconds), float(cpu), int(peak) * 1024), out.decode(errors="replace")
