"""Sends at most one message per run, only on changes: a site became unhealthy, has another problem, or recovered.

The archive is reported like a site; after a check of it there can be a second message.

Messages go through apprise (extra `notify`) to the addresses in `DANVAN_NOTIFY`. ARCHIVE/health.json holds the last
reported problems. It is written after a message reached at least one address. For an address that was not reached, the
file holds its last reported problems separately, and the next run sends the rest. Nothing here changes the result of a
crawl.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from danvan_crawler import clock
from danvan_crawler.archive.layout import notified_path
from danvan_crawler.atomic import replace_file
from danvan_crawler.exceptions import in_words
from danvan_crawler.health.archive_status import ARCHIVE
from danvan_crawler.health.history import RunReport, run_reports
from danvan_crawler.health.problems import Problem, together
from danvan_crawler.health.status import RUNS_SHOWN, Nights, current_problems, missed_nights
from danvan_crawler.plurals import counted

VARIABLE = "DANVAN_NOTIFY"

_logger = logging.getLogger(__name__)

SUCCESS, WARNING, FAILURE = "success", "warning", "failure"
"""Types of a message, as apprise has them (`apprise.NotifyType`)."""
_NAMED = 4
"""Sites that a title names."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `kind` is FAILURE if a site became unhealthy, SUCCESS if sites only recovered, else WARNING."""

    title: str
    body: str
    kind: str


Known = Mapping[str, Sequence[str]]
"""Site -> kinds of its problems, as last reported; healthy sites are not in it."""
BEHIND = "behind"
"""Key of the file: the last reported problems of unreached addresses, by the digest of the address."""
_NOT_INSTALLED = f"{VARIABLE} is set, but apprise is not installed: pip install 'danvan-crawler[notify]'"
_ALSO_REPORTED = frozenset({"certificate"})
"""Kinds of problem that are reported although the site works."""
_PATIENCE = 60.0
"""Seconds to wait for all messages together at the end of a crawl: a slow server might never finish."""


class Notifier:
    """Sends changes after a crawl.

    Create it before the crawl begins: it removes the addresses from the environment, so that the processes of the sites
    send no messages of their own.
    """

    def __init__(self, archive: Path, *, patience: float = _PATIENCE) -> None:
        self._archive = archive
        self._patience = patience
        self._addresses = _addresses(os.environ.pop(VARIABLE, ""))

    @property
    def has_addresses(self) -> bool:
        return bool(self._addresses)

    def notify(
        self, slugs: Collection[str], nights: Nights | None = None, of_archive: Sequence[Problem] | None = None
    ) -> None:
        """Sends one message about what has changed with these sites, if anything has. Never raises.

        `nights` is the nightly crawl, if one is scheduled; `of_archive` are the problems of the archive, if known.
        """
        if not self._addresses:
            return
        try:
            whole = {ARCHIVE: list(of_archive)} if of_archive is not None else {}
            self._notify({**problems_now(self._archive, slugs, nights), **whole})
        except Exception as error:
            # Any error: the crawl is over, and its result must not change.
            _logger.error("The notification could not be sent: %s", in_words(error))

    def _notify(self, found: Mapping[str, Sequence[Problem]]) -> None:
        path = notified_path(self._archive)
        known, behind = read_known(path), read_behind(path)
        knows = {address: behind.get(_fingerprint(address), known) for address in self._addresses}
        messages = {address: digest(before, found) for address, before in knows.items()}
        reached = self._send({address: message for address, message in messages.items() if message is not None})
        notified = [address for address, message in messages.items() if message is None or address in reached]
        after = _after(known, found) if notified else known
        knows |= {address: _after(knows[address], found) for address in notified}
        outdated = {_fingerprint(address): what for address, what in knows.items() if what != after}
        if (after, outdated) != (known, behind):
            kept = {**dict(sorted(after.items())), **({BEHIND: outdated} if outdated else {})}
            replace_file(path, json.dumps(kept, indent=2) + "\n")

    def _send(self, messages: Mapping[str, Message]) -> set[str]:
        """Sends the messages and returns the addresses that were reached."""
        if not messages:
            return set()
        try:
            senders = {address: _sender(address) for address in messages}
        except ModuleNotFoundError:
            _logger.error(_NOT_INSTALLED)
            return set()
        reached: dict[str, bool] = {}
        # Daemon threads: a blocked thread does not keep the process alive.
        threads = {
            address: threading.Thread(target=_deliver, args=(sender, address, messages[address], reached), daemon=True)
            for address, sender in senders.items()
            if sender is not None
        }
        for address in senders.keys() - threads.keys():
            _logger.error("%s is not a valid apprise URL", _where(self._addresses, address))
        for thread in threads.values():
            thread.start()
        until = time.monotonic() + self._patience
        for address, thread in threads.items():
            thread.join(max(0.0, until - time.monotonic()))
            where = _where(self._addresses, address)
            if thread.is_alive():
                _logger.error("%s: the notification was not delivered in %.0f s", where, self._patience)
            elif not reached[address]:
                _logger.error("%s: the notification could not be delivered", where)
        return {address for address, well in dict(reached).items() if well and not threads[address].is_alive()}


def delivery_problem(setting: str) -> str | None:
    """Why messages to the addresses in a value of DANVAN_NOTIFY cannot be sent; None if no reason is known.

    Nobody is contacted.
    """
    addresses = _addresses(setting)
    if not addresses:
        return None
    try:
        unread = next((address for address in addresses if _sender(address) is None), None)
    except ModuleNotFoundError:
        return _NOT_INSTALLED
    return f"{_where(addresses, unread)} is not a valid apprise URL" if unread is not None else None


def _addresses(setting: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", setting) if word]


def _where(addresses: Sequence[str], address: str) -> str:
    """Names an address by number and scheme, because addresses hold passwords."""
    scheme, mark, _ = address.partition("://")
    return f"address {addresses.index(address) + 1} ({scheme if mark else 'without a scheme'}) of {VARIABLE}"


def _sender(address: str) -> Any:
    """The apprise sender for an address; None if the address is invalid. Raises ModuleNotFoundError without apprise."""
    import apprise

    sender = apprise.Apprise()
    apprise.logger.disabled = True  # it would log the address with its password
    try:
        return sender if sender.add(address) else None
    finally:
        apprise.logger.disabled = False


def _deliver(sender: Any, address: str, message: Message, reached: dict[str, bool]) -> None:
    """Notes in `reached` whether the message was delivered."""
    reached[address] = False
    with suppress(Exception):  # its text may hold the address; the failure is logged by the caller
        reached[address] = bool(sender.notify(title=message.title, body=message.body, notify_type=message.kind))


def _fingerprint(address: str) -> str:
    """A digest instead of the address, which may hold a password."""
    return hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _after(known: Known, found: Mapping[str, Sequence[Problem]]) -> dict[str, list[str]]:
    after = {**known, **{site: kinds_of(problems) for site, problems in found.items()}}
    return {site: list(kinds) for site, kinds in after.items() if kinds}


def _read(path: Path) -> dict[str, Any]:
    try:
        held: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _known(held: Any) -> dict[str, list[str]]:
    return {str(site): list(map(str, kinds)) for site, kinds in held.items() if isinstance(kinds, list)}


def read_known(path: Path) -> dict[str, list[str]]:
    """The last reported problems; empty if the file does not exist or cannot be read."""
    return _known(_read(path))


def read_behind(path: Path) -> dict[str, dict[str, list[str]]]:
    """The last reported problems of each unreached address, by the digest of the address."""
    behind = _read(path).get(BEHIND)
    if not isinstance(behind, dict):
        return {}
    return {one: _known(held) for one, held in behind.items() if isinstance(held, dict)}


def problems_now(archive: Path, slugs: Collection[str], nights: Nights | None = None) -> dict[str, list[Problem]]:
    """The problems of these sites after their last runs. A site without a conclusive run is not in it."""
    now, found = clock.now(), {}
    for slug in slugs:
        runs: list[RunReport] = []
        for run in islice(run_reports(archive, slug, now), RUNS_SHOWN):
            runs.append(run)
            if run.is_conclusive and run.complete:
                break
        if any(run.is_conclusive for run in runs):
            found[slug] = current_problems(runs, now, missed_nights(slug, runs, now, nights))
    return found


def kinds_of(problems: Collection[Problem]) -> list[str]:
    """The kinds to report: those that make a site unhealthy, and those that a person must handle anyway.

    A single broken article is only in the run report.
    """
    return sorted({problem.kind for problem in problems if problem.is_failure or problem.kind in _ALSO_REPORTED})


def digest(known: Known, found: Mapping[str, Sequence[Problem]]) -> Message | None:
    """A message about the changes; None if nothing changed."""
    worse: list[tuple[str, Problem]] = []
    better: list[tuple[str, str]] = []
    for site, problems in sorted(found.items()):
        before, kinds = set(known.get(site, ())), kinds_of(problems)
        fresh = [problem for problem in problems if problem.kind in kinds and problem.kind not in before]
        worse.extend((site, problem) for problem in fresh)
        if before and not kinds:
            better.append((site, f"{named(site)} is healthy again (was: {', '.join(sorted(before))})"))
    if not worse and not better:
        return None
    parts = [
        f"problems with {_list(site for site, _ in worse)}" if worse else "",
        f"{_list(site for site, _ in better)} healthy again" if better else "",
    ]
    body = [
        f"{', '.join(map(named, sites))}\n  {problem.text}\n  -> {problem.remedy}" for sites, problem in together(worse)
    ]
    kind = SUCCESS if not worse else FAILURE if any(problem.is_failure for _, problem in worse) else WARNING
    title = f"danvan: {'; '.join(part for part in parts if part)}"
    return Message(title, "\n\n".join([*body, *(text for _, text in better)]), kind)


def named(site: str) -> str:
    """A site as messages name it; the archive itself has problems too."""
    return "the archive" if site == ARCHIVE else site


def _list(sites: Iterable[str]) -> str:
    """Sites in a title, which has to stay short."""
    names = list(dict.fromkeys(map(named, sites)))
    more = f" and {counted(len(names) - _NAMED, 'other')}" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
