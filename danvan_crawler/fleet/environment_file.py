"""The settings of the nightly crawl: ARCHIVE/schedule.env, which only its owner may read.

Notification addresses hold passwords, so they must not be in a crontab line or in a process's arguments. The file is
read by a shell (`set -a; . FILE`) and by systemd (EnvironmentFile=, systemd.exec(5)). Both read a text between double
quotes in the same way if a backslash precedes each `"`, `\\`, `$` and backtick.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from danvan_crawler.atomic import replacing
from danvan_crawler.exceptions import DanvanError, UsageError

_NOT_CARRIED = frozenset({"DANVAN_ARCHIVE", "DANVAN_SITES", "DANVAN_CLOCK"})
"""Given as options, or only for tests."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def carried(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that the nightly crawl needs, by name: DANVAN_…, and PYTHONPATH for a bare checkout."""
    found = {
        name: value
        for name, value in sorted(environment.items())
        if re.fullmatch(r"DANVAN_[A-Z0-9_]+", name) and name not in _NOT_CARRIED and value
    }
    if python_path := environment.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(str(Path(folder).absolute()) for folder in python_path.split(os.pathsep))
    return found


def refuse_unreadable(what: str, text: str) -> None:
    """Raises UsageError for a text that a line of a file cannot hold. `what` names it, since it may be secret."""
    if _CONTROLS.search(text):
        raise UsageError(f"cannot be scheduled: {what} holds a line break or another control character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"cannot be scheduled: {what} is not UTF-8") from error


def env_text(environment: Mapping[str, str]) -> str:
    r"""What the file holds.

    >>> print(env_text({"DANVAN_OPERATOR": 'a "b" $c'}), end="")
    DANVAN_OPERATOR="a \"b\" \$c"
    """
    quoted = ((name, re.sub(r'(["\\$`])', r"\\\1", value)) for name, value in environment.items())
    return "".join(f'{name}="{value}"\n' for name, value in quoted)


def names_in(path: Path) -> set[str]:
    """The names of the settings in a file of `env_text`; empty if the file is missing or unreadable."""
    try:
        return set(re.findall(r"^(\w+)=", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    except OSError:
        return set()


def write_private(path: Path, text: str) -> None:
    """Writes a file as a whole that its owner alone may read, whatever was there before. Raises DanvanError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, mode=0o600) as file:
            file.write(text.encode())
    except OSError as error:
        raise DanvanError(f"{path}: cannot be written: {error.strerror}") from error


def remove(path: Path) -> bool:
    """Removes a file; returns whether it existed. Raises DanvanError."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DanvanError(f"{path}: cannot be removed: {error.strerror}") from error
    return True
