"""The nightly crawl in cron's words, or in those of a systemd user timer, and how it is put in place.

Everything is absolute, and the DANVAN_ settings of whoever schedules travel along, in a file of the archive
(`fleet.environment_file`): cron and systemd know neither a working folder nor the shell's environment. A scheduler can
be asked for one crawl per archive with cron (its line is marked with the archive, and only that line is ever replaced
or removed) and for one per user with systemd (the service is marked likewise; one of another archive is left alone).
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
from danvan_crawler.fleet.environment_file import env_path, refuse_unreadable, remove, write_private

UNIT = "danvan-crawler"
"""Name of the systemd units, without their endings."""
_LONGEST_LINE = 998
"""Characters of a crontab's command that every cron takes."""


@dataclass(frozen=True, slots=True)
class Nightly:
    """What is to be run when: `hour` and `minute` of the machine's clock, the command, its environment.

    Raises UsageError for a path or setting that a line of a file cannot hold.
    """

    archive: Path
    hour: int
    minute: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in self.command:
            refuse_unreadable(repr(word), word)
        for name, value in self.environment.items():
            refuse_unreadable(name, value)


def crawl_command(archive: Path, sites: Sequence[Path], jobs: int, python: str = sys.executable) -> tuple[str, ...]:
    """The command line of the nightly crawl. It says nothing when all went well."""
    folders = [word for folder in sites for word in ("--sites", str(folder))]
    words = ["crawl", "--all", "--jobs", str(jobs), "--quiet", "--archive", str(archive), *folders]
    return (python, "-m", "danvan_crawler", *words)


# --- cron ---------------------------------------------------------------------------------------------------------


def mark(archive: Path) -> str:
    """The comment that ends our line of a crontab, and tells it from all others, however the archive is spelt."""
    return f"# danvan-crawler {shlex.quote(str(archive.resolve()))}"


def crontab_line(nightly: Nightly) -> str:
    """The line, crontab(5). cron makes line breaks of unescaped percent signs. Raises UsageError for one too long.

    >>> print(crontab_line(Nightly(Path("/srv/a"), 1, 30, ("danvan", "crawl", "--all"))))
    30 1 * * * set -a; . /srv/a/schedule.env; set +a; danvan crawl --all # danvan-crawler /srv/a
    """
    settings = f"set -a; . {shlex.quote(str(env_path(nightly.archive)))}; set +a;"
    words = f"{settings} {shlex.join(nightly.command)} {mark(nightly.archive)}".replace("%", "\\%")
    if len(words.encode()) > _LONGEST_LINE:
        raise UsageError(f"cannot be scheduled with cron: the line would have more than {_LONGEST_LINE} characters")
    return f"{nightly.minute} {nightly.hour} * * * {words}"


def _is_ours(line: str, archive: Path) -> bool:
    # Older versions marked the archive as it was spelt.
    marks = {text.replace("%", "\\%") for text in (mark(archive), f"# danvan-crawler {shlex.quote(str(archive))}")}
    return not line.lstrip().startswith("#") and any(line.endswith(f" {ours}") for ours in marks)


def line_in(crontab: str, archive: Path) -> str | None:
    """Our line for this archive in a crontab."""
    return next((line for line in crontab.split("\n") if _is_ours(line, archive)), None)


def with_line(crontab: str, archive: Path, line: str | None) -> str:
    """A crontab with our line for this archive replaced, added at the end, or, without a `line`, taken out."""
    kept: list[str] = []
    place: int | None = None
    for one in crontab.removesuffix("\n").split("\n") if crontab else ():
        if _is_ours(one, archive):
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


def has_cron() -> bool:
    """Whether this machine has a crontab program."""
    return shutil.which("crontab") is not None


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
    settings = str(env_path(nightly.archive)).replace("%", "%%")
    command = " ".join(_quoted(word).replace("$", "$$") for word in nightly.command)
    return {
        f"{UNIT}.service": (
            f"{mark(nightly.archive)}\n[Unit]\nDescription=Crawl of all sites by danvan-crawler\n\n"
            f"[Service]\nType=oneshot\nEnvironmentFile={settings}\nExecStart={command}\n"
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
    """Writes the units and returns their paths. Raises as `refuse_other` and `write_private` do."""
    refuse_other(nightly.archive, folder)
    paths = []
    for name, text in units(nightly).items():
        write_private(folder / name, text)
        paths.append(folder / name)
    return paths


def remove_units(archive: Path, folder: Path) -> list[Path]:
    """Removes the units and returns the paths of those that were there. Raises as `write_units`."""
    refuse_other(archive, folder)
    return [path for path in (folder / f"{UNIT}.service", folder / f"{UNIT}.timer") if remove(path)]


def has_units(archive: Path, folder: Path) -> bool:
    """Whether there is a service, and it is this archive's."""
    return _owner(folder / f"{UNIT}.service") in (str(archive.resolve()), str(archive))


def refuse_other(archive: Path, folder: Path) -> None:
    """Raises UsageError when there is a service, and it is another archive's."""
    service = folder / f"{UNIT}.service"
    owner = _owner(service)
    if owner not in (None, str(archive.resolve()), str(archive)):
        raise UsageError(f"{service} crawls another archive, {owner or 'which it does not name'}: it is left alone")


def _owner(service: Path) -> str | None:
    """The archive that a service crawls, "" for one that does not say; None when there is no service."""
    try:
        text = service.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    if found := re.match(r"# danvan-crawler (.+)", text):
        return "".join(shlex.split(found[1]))
    # Older versions had no mark.
    found = re.search(r'"--archive" "((?:[^"\\]|\\.)*)"', text)
    return re.sub(r"\\(.)", r"\1", found[1]).replace("%%", "%").replace("$$", "$") if found else ""


def systemctl(*arguments: str) -> str | None:
    """Runs `systemctl --user …`; None when it worked, else what it said, or that there is none."""
    program = shutil.which("systemctl")
    if program is None:
        return "there is no systemctl on this machine"
    result = subprocess.run([program, "--user", *arguments], capture_output=True, check=False)
    if result.returncode == 0:
        return None
    return _text(result.stderr).strip() or f"exit status {result.returncode}"
