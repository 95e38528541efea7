"""The nightly crawl: what is to be run, when, and how its entry is recognised in `cron` and `systemd`.

Everything is absolute, and the DANVAN_ settings of whoever schedules travel along, in a file of the archive
(`fleet.environment_file`): cron and systemd know neither a working folder nor the shell's environment. A scheduler can
be asked for one crawl per archive with cron (its line is marked with the archive, and only that line is ever replaced
or removed) and for one per user with systemd (the service is marked likewise; one of another archive is left alone).
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


def mark(archive: Path) -> str:
    """The comment that ends our line of a crontab, and tells it from all others, however the archive is spelt."""
    return f"# danvan-crawler {shlex.quote(str(archive.resolve()))}"
