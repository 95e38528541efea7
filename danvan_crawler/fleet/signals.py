"""Signals that ask to stop are only recorded; a waiting loop checks whether one came."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Context manager that keeps SIGINT, SIGTERM and SIGHUP from ending this process. Enter it in the main thread.

    `numbers` are the received signals, in order. SIGHUP (closed terminal) counts as SIGTERM.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.numbers.append(signal.SIGTERM if number == signal.SIGHUP else number)

    def __enter__(self) -> Self:
        for number in STOPPING:
            # If a signal was ignored before (nohup), it stays ignored.
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
    """SIGTERM and SIGHUP act like Ctrl-C, for code that may be interrupted at any time and cleans up by itself.

    Enter it in the main thread.
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
