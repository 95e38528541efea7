"""Signals that ask to stop, noted where they can do no harm: whoever waits in a loop looks whether one has come."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def interrupting() -> Iterator[None]:
    """SIGTERM and SIGHUP act as Ctrl-C does, for what may be left at any moment and then cleans up as it is left.

    To be entered in the main thread.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    changed = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in changed:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)
