"""The nightly crawl: what to run, when, and how its entry is recognised in `cron` and `systemd`.

All paths are absolute, and the current DANVAN_ settings are saved in the archive (`fleet.environment_file`): cron and
systemd have neither our working folder nor the shell's environment. cron can have one entry per archive; its line ends
with a mark that names the archive, and only that line is ever replaced or removed. systemd can have one timer per user;
its service has the same mark, and a service of another archive is not changed.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from danvan_crawler.fleet.environment_file import refuse_unreadable


@dataclass(frozen=True, slots=True)
class Nightly:
    """What to run and when: `hour` and `minute` of the machine's clock, the command, its environment.

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


NIGHT_LIMIT = 6 * 3600
"""Seconds of a night by default: a crawl that begins at 01:30 ends before offices open."""


def crawl_command(
    archive: Path, sites: Sequence[Path], jobs: int, night_limit: int, python: str = sys.executable
) -> tuple[str, ...]:
    """The command line of the nightly crawl, with the check of the archive when it is due.

    It prints nothing if all went well. `night_limit` in seconds, 0: none.
    """
    folders = [word for folder in sites for word in ("--sites", str(folder))]
    limit = ["--night-limit", str(night_limit)] if night_limit else []
    words = ["crawl", "--all", "--jobs", str(jobs), *limit, "--quiet", "--verify", "--archive", str(archive), *folders]
    return (python, "-m", "danvan_crawler", *words)


def mark(archive: Path) -> str:
    """The comment at the end of our crontab line, by which it is recognised; the path is resolved."""
    return f"# danvan-crawler {shlex.quote(str(archive.resolve()))}"
