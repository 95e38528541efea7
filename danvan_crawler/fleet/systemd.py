"""The nightly crawl as a systemd user timer: one per user. A service of another archive is not changed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from danvan_crawler.archive.layout import env_path
from danvan_crawler.exceptions import UsageError
from danvan_crawler.fleet.environment_file import remove, write_private
from danvan_crawler.fleet.nightly import Nightly, mark

UNIT = "danvan-crawler"
"""Name of the systemd units, without their endings."""


def units(nightly: Nightly) -> dict[str, str]:
    """File name -> text of service and timer, systemd.service(5) and systemd.timer(5).

    A time limit or a stop (exit code 7) is not a failure. A stop goes to the supervisor only, which stops its children.
    If the machine was off at that hour, it crawls when it is on again.
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
    return _owner(folder / f"{UNIT}.service") == str(archive.resolve())


def refuse_other(archive: Path, folder: Path) -> None:
    """Raises UsageError if there is a service for another archive."""
    service = folder / f"{UNIT}.service"
    owner = _owner(service)
    if owner not in (None, str(archive.resolve())):
        raise UsageError(f"{service} belongs to another archive ({owner or 'not named'}) and is not changed")


def _owner(service: Path) -> str | None:
    """The archive that a service crawls; "" if the service does not name it, None if there is no service."""
    try:
        text = service.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    found = re.match(r"# danvan-crawler (.+)", text)
    return "".join(shlex.split(found[1])) if found else ""


def systemctl(*arguments: str) -> str | None:
    """Runs `systemctl --user …`; None if it worked, else the error message."""
    program = shutil.which("systemctl")
    if program is None:
        return "there is no systemctl on this machine"
    result = subprocess.run([program, "--user", *arguments], capture_output=True, check=False)
    if result.returncode == 0:
        return None
    return result.stderr.decode("utf-8", "surrogateescape").strip() or f"exit status {result.returncode}"
