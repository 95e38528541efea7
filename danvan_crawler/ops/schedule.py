"""The nightly crawl in cron's words, or in those of a systemd user timer, and how it is put in place.

Everything is absolute, and the DANVAN_ settings of whoever schedules travel along: cron and systemd know neither a
working folder nor the shell's environment. A scheduler can be asked for one crawl per archive with cron (its line is
marked with the archive, and only that line is ever replaced or removed) and for one per user with systemd.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from danvan_crawler.exceptions import DanvanError, UsageError

UNIT = "danvan-crawler"
"""Name of the systemd units, without their endings."""
_NOT_CARRIED = frozenset({"DANVAN_ARCHIVE", "DANVAN_SITES", "DANVAN_CLOCK"})
"""Given as options, or only for tests."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Nightly:
    """What is to be run when: `hour` and `minute` of the machine's clock, the command, its environment.

    Raises UsageError for a path or setting that a line of a crontab cannot hold.
    """

    archive: Path
    hour: int
    minute: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (*self.command, *self.environment.values()):
            if _CONTROLS.search(text):
                raise UsageError(f"cannot be scheduled: {text!r} holds a line break or another control character")


def crawl_command(archive: Path, sites: Sequence[Path], jobs: int, python: str = sys.executable) -> tuple[str, ...]:
    """The command line of the nightly crawl. It says nothing when all went well."""
    folders = [word for folder in sites for word in ("--sites", str(folder))]
    words = ["crawl", "--all", "--jobs", str(jobs), "--quiet", "--archive", str(archive), *folders]
    return (python, "-m", "danvan_crawler", *words)


def carried(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that have to be there at night too, by name: DANVAN_…, and where Python finds a bare checkout."""
    found = {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith("DANVAN_") and name not in _NOT_CARRIED and value
    }
    if python_path := environment.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(str(Path(folder).absolute()) for folder in python_path.split(os.pathsep))
    return found


# --- cron ---------------------------------------------------------------------------------------------------------


def mark(archive: Path) -> str:
    """The comment that ends our line of a crontab, and tells it from all others."""
    return f"# danvan-crawler {shlex.quote(str(archive))}"


def crontab_line(nightly: Nightly) -> str:
    """The line, crontab(5). cron makes line breaks of unescaped percent signs.

    >>> print(crontab_line(Nightly(Path("/srv/a"), 1, 30, ("danvan", "crawl", "--all"), {"DANVAN_CONTACT": "a@b.vn"})))
    30 1 * * * DANVAN_CONTACT=a@b.vn danvan crawl --all # danvan-crawler /srv/a
    """
    settings = [f"{name}={shlex.quote(value)}" for name, value in nightly.environment.items()]
    words = " ".join([*settings, shlex.join(nightly.command), mark(nightly.archive)])
    return f"{nightly.minute} {nightly.hour} * * * {words.replace('%', chr(92) + '%')}"


def with_line(crontab: str, archive: Path, line: str | None) -> str:
    """A crontab with our line for this archive replaced, added at the end, or, without a `line`, taken out."""
    ours = mark(archive).replace("%", "\\%")
    kept: list[str] = []
    place: int | None = None
    for one in crontab.removesuffix("\n").split("\n") if crontab else ():
        if one.endswith(f" {ours}") and not one.lstrip().startswith("#"):
            place = len(kept) if place is None else place
        else:
            kept.append(one)
    if line is not None:
        kept.insert(len(kept) if place is None else place, line)
    return "".join(f"{one}\n" for one in kept)


def read_crontab() -> str:
    """The user's crontab, empty when there is none. Raises UsageError without cron, DanvanError when it refuses."""
    result = _crontab("-l")
    if result.returncode == 0:
        return _text(result.stdout)
    said = _text(result.stderr).strip()
    if "no crontab" in said.lower() or "no such file" in said.lower():
        return ""
    raise DanvanError(f"crontab -l failed: {said or f'exit status {result.returncode}'}")


def write_crontab(text: str) -> None:
    """Makes this the user's crontab. Raises as `read_crontab` does."""
    result = _crontab("-", data=text.encode("utf-8", "surrogateescape"))
    if result.returncode != 0:
        said = _text(result.stderr).strip()
        raise DanvanError(f"crontab refused the new crontab: {said or f'exit status {result.returncode}'}")


def _crontab(argument: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise UsageError("there is no crontab program on this machine; `danvan schedule --systemd` needs none")
    environment = {**os.environ, "LC_ALL": "C"}  # its words are read
    return subprocess.run([program, argument], input=data, capture_output=True, env=environment, check=False)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# --- systemd ------------------------------------------------------------------------------------------------------


def units(nightly: Nightly) -> dict[str, str]:
    """File name -> text of service and timer, systemd.service(5) and systemd.timer(5).

    A time limit or a stop (exit code 7) is no failure. A stop goes to the supervisor alone, which stops its children;
    a machine that was off at the hour crawls when it is on again.
    """
    settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in nightly.environment.items())
    command = " ".join(_quoted(word).replace("$", "$$") for word in nightly.command)
    return {
        f"{UNIT}.service": (
            "[Unit]\nDescription=Crawl of all sites by danvan-crawler\n\n"
            f"[Service]\nType=oneshot\n{settings}ExecStart={command}\n"
            "SuccessExitStatus=7\nKillMode=mixed\nTimeoutStopSec=30\nNice=10\n"
        ),
        f"{UNIT}.timer": (
            "[Unit]\nDescription=Nightly crawl by danvan-crawler\n\n"
            f"[Timer]\nOnCalendar=*-*-* {nightly.hour:02}:{nightly.minute:02}:00\nPersistent=true\n\n"
            "[Install]\nWantedBy=timers.target\n"
        ),
    }


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def unit_folder(environment: Mapping[str, str]) -> Path:
    """Where systemd looks for the user's own units."""
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME") or Path.home()) / ".config")
    return Path(base).absolute() / "systemd" / "user"


def write_units(nightly: Nightly, folder: Path) -> list[Path]:
    """Writes the units and returns their paths. Raises DanvanError."""
    paths = []
    for name, text in units(nightly).items():
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # settings may hold what is nobody else's business
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DanvanError(f"{path}: cannot be written: {error.strerror}") from error
        paths.append(path)
    return paths


def remove_units(folder: Path) -> list[Path]:
    """Removes the units and returns the paths of those that were there. Raises DanvanError."""
    paths = [path for path in (folder / f"{UNIT}.service", folder / f"{UNIT}.timer") if path.exists()]
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise DanvanError(f"{path}: cannot be removed: {error.strerror}") from error
    return paths


def systemctl(*arguments: str) -> str | None:
    """Runs `systemctl --user …`; None when it worked, else what it said, or that there is none."""
    program = shutil.which("systemctl")
    if program is None:
        return "there is no systemctl on this machine"
    result = subprocess.run([program, "--user", *arguments], capture_output=True, check=False)
    if result.returncode == 0:
        return None
    return _text(result.stderr).strip() or f"exit status {result.returncode}"
