"""One message a run, and only when something has changed: a site became unhealthy, in another way, or recovered.

Sent through apprise (extra `notify`) to the addresses in `DANVAN_NOTIFY`. What was told last is kept in
ARCHIVE/health.json, which is written when a message has gone out to somebody: what could not be told is told the next
time. Nothing here ever changes how a crawl ended.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from danvan_crawler import clock
from danvan_crawler.ops.metrics import replace_file
from danvan_crawler.ops.nights import nights
from danvan_crawler.ops.problems import Problem
from danvan_crawler.ops.status import current_problems

VARIABLE = "DANVAN_NOTIFY"
FILE_NAME = "health.json"

_logger = logging.getLogger(__name__)

Known = Mapping[str, Sequence[str]]
"""Site -> kinds of its problems, as they were told last; healthy sites are not in it."""


class Notifier:
    """Tells of changes after a crawl.

    Made before the crawl begins: it takes the addresses out of the environment, so that the processes of the sites do
    not tell on their own.
    """

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._addresses = [word for word in re.split(r"[\s,]+", os.environ.pop(VARIABLE, "")) if word]

    def tell(self, slugs: Collection[str]) -> None:
        """Sends one message about what has changed with these sites, if anything has. Never raises."""
        if not self._addresses:
            return
        try:
            path = self._archive / FILE_NAME
            known = read_known(path)
            found = problems_now(self._archive, slugs)
            message = digest(known, found)
            if message is not None and not self._send(*message):
                return
            after = {**known, **{site: kinds_of(problems) for site, problems in found.items()}}
            kept = {site: list(kinds) for site, kinds in sorted(after.items()) if kinds}
            if kept != known:
                replace_file(path, json.dumps(kept, indent=2) + "\n")
        except Exception as error:
            # Of whatever kind: the crawl is over and went as it went.
            _logger.error("The notification could not be sent: %s: %s", type(error).__name__, error)

    def _send(self, title: str, body: str) -> bool:
        try:
            import apprise
        except ModuleNotFoundError:
            _logger.error("%s is set, but apprise is not installed: pip install 'danvan-crawler[notify]'", VARIABLE)
            return False
        reached = 0
        for number, address in enumerate(self._addresses, start=1):
            # Addresses hold passwords, so the log has their scheme alone.
            where = f"address {number} ({address.partition(':')[0]}) of {VARIABLE}"
            sender = apprise.Apprise()
            if not sender.add(address):
                _logger.error("%s is none that apprise can read", where)
            elif sender.notify(title=title, body=body):
                reached += 1
            else:
                _logger.error("%s: the notification could not be delivered", where)
        return reached > 0


def read_known(path: Path) -> dict[str, list[str]]:
    """What was told last; nothing when there is no such file, or one that cannot be read."""
    try:
        held: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(site): [str(kind) for kind in kinds] for site, kinds in held.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def problems_now(archive: Path, slugs: Collection[str]) -> dict[str, list[Problem]]:
    """The problems of these sites after their last runs. A site whose runs tell nothing is not in it."""
    now, found = clock.now(), {}
    for slug in slugs:
        runs = []
        for night in nights(archive, slug, now):
            runs.append(night)
            if night.says_something:
                found[slug] = current_problems(runs, now)
                break
    return found


def kinds_of(problems: Collection[Problem]) -> list[str]:
    """What is told of problems: their kinds, without those of a run that was merely stopped."""
    return sorted({problem.kind for problem in problems if problem.is_failure or problem.code == 0})


def digest(known: Known, found: Mapping[str, Sequence[Problem]]) -> tuple[str, str] | None:
    """Title and text of a message about what has changed; None when nothing has."""
    worse: list[str] = []
    better: list[str] = []
    for site, problems in sorted(found.items()):
        before, kinds = set(known.get(site, ())), kinds_of(problems)
        fresh = [problem for problem in problems if problem.kind in kinds and problem.kind not in before]
        if fresh:
            lines = [f"  {problem.text}\n  -> {problem.remedy}" for problem in fresh]
            worse.append("\n".join([site, *lines]))
        elif before and not kinds:
            better.append(f"{site} is well again (was: {', '.join(sorted(before))})")
    if not worse and not better:
        return None
    counts = [f"{len(worse)} with new trouble" if worse else "", f"{len(better)} well again" if better else ""]
    return f"danvan: {', '.join(text for text in counts if text)}", "\n\n".join([*worse, *better])
