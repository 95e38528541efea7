"""Signals that ask to stop, noted where they can do no harm: whoever waits in a loop looks whether one has come."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Context manager that keeps SIGINT, SIGTERM and SIGHUP from ending this process; to be entered in the main thread.

    `numbers` are those that came, in order. A terminal that was closed (SIGHUP) counts as SIGTERM.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.numbers.append(signal.SIGTERM if number == signal.SIGHUP else number)

    def __enter__(self) -> Self:
        for number in STOPPING:
            # Ignored on purpose, as by nohup: then it stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
