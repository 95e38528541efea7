"""The nightly crawl as a line of the user's crontab: one line per archive. No other line is ever changed.

python-crontab 3.4 is not used, because it rewrites blanks and ranges of other lines, drops settings such as
`MAILTO = "a@b.vn"`, and disables lines that it does not understand.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from danvan_crawler.archive.layout import env_path
from danvan_crawler.exceptions import DanvanError, UsageError
from danvan_crawler.fleet.nightly import Nightly, mark

_LONGEST_LINE = 998
"""Characters of a crontab command that every cron accepts."""


def crontab_line(nightly: Nightly) -> str:
    """The line, crontab(5). cron turns unescaped percent signs into line breaks. Raises UsageError if it is too long.

    >>> print(crontab_line(Nightly(Path("/srv/a"), 1, 30, ("danvan", "crawl", "--all"))))
    30 1 * * * set -a; . /srv/a/schedule.env; set +a; danvan crawl --all # danvan-crawler /srv/a
    """
    settings = f"set -a; . {shlex.quote(str(env_path(nightly.archive)))}; set +a;"
    words = f"{settings} {shlex.join(nightly.command)} {mark(nightly.archive)}".replace("%", "\\%")
    if len(words.encode()) > _LONGEST_LINE:
        raise UsageError(f"cannot be scheduled with cron: the line would have more than {_LONGEST_LINE} characters")
    return f"{nightly.minute} {nightly.hour} * * * {words}"


def _is_ours(line: str, archive: Path) -> bool:
    ours = mark(archive).replace("%", "\\%")
    return not line.lstrip().startswith("#") and line.endswith(f" {ours}")


def line_in(crontab: str, archive: Path) -> str | None:
    """Our line for this archive in a crontab."""
    return next((line for line in crontab.split("\n") if _is_ours(line, archive)), None)


def with_line(crontab: str, archive: Path, line: str | None) -> str:
    """A crontab with our line for this archive replaced, added at the end, or, if `line` is None, removed."""
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
    """The user's crontab, empty if there is none. Raises UsageError without cron, DanvanError if cron fails."""
    result = _crontab("-l")
    if result.returncode == 0:
        return _text(result.stdout)
    message = _text(result.stderr).strip()
    if "no crontab" in message.lower() or "no such file" in message.lower():
        return ""
    raise DanvanError(f"crontab -l failed: {message or f'exit status {result.returncode}'}")


def write_crontab(text: str) -> None:
    """Makes this the user's crontab. Raises as `read_crontab` does."""
    result = _crontab("-", data=text.encode("utf-8", "surrogateescape"))
    if result.returncode != 0:
        message = _text(result.stderr).strip()
        raise DanvanError(f"crontab refused the new crontab: {message or f'exit status {result.returncode}'}")


def has_cron() -> bool:
    """Whether this machine has a crontab program."""
    return shutil.which("crontab") is not None


def _crontab(argument: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise UsageError("there is no crontab program on this machine; use `danvan schedule --systemd`")
    environment = {**os.environ, "LC_ALL": "C"}  # its messages are parsed
    return subprocess.run([program, argument], input=data, capture_output=True, env=environment, check=False)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
