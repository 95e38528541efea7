"""Crawls in processes of their own: what goes wrong in one stays there, and a signal to us reaches them all."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from danvan_crawler.exceptions import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ChildCrawls:
    """Runs `danvan` commands as child processes; a context manager, entered in the main thread.

    SIGINT and SIGTERM go on to the children that run, which stop cleanly (a second one: at once), and no further child
    is started. Children have a session of their own, so that Ctrl-C in a terminal reaches them once, through us.
    """

    def __init__(self) -> None:
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._before: dict[signal.Signals, Any] = {}

    def run(self, arguments: Sequence[str]) -> ExitCode:
        """Runs `danvan ARGUMENTS` to its end, or nothing (code 7) after a signal. Several threads may call it."""
        with self._lock:
            if self._stopped:
                return ExitCode.INTERRUPTED
            child = subprocess.Popen([sys.executable, "-m", "danvan_crawler", *arguments], start_new_session=True)
            self._children.add(child)
        code = child.wait()
        with self._lock:
            self._children.discard(child)
        if code in {-number for number in _SIGNALS}:  # it came before the child could catch it
            return ExitCode.INTERRUPTED
        return ExitCode(code) if code in set(ExitCode) else ExitCode.ERROR

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        # A thread of its own: the signal may have come while this one holds the lock.
        threading.Thread(target=self._signal_all, args=(number,)).start()

    def _signal_all(self, number: int) -> None:
        with self._lock:
            self._stopped = True
            for child in self._children:
                child.send_signal(number)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._pass_on) for number in _SIGNALS}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
