"""stderr for whoever has something better to do than to wait for its reader.

A terminal that was stopped with Ctrl-S, a pager that is not scrolled on, a pipe whose other end has gone or a full disk
behind `2>`: none of them may hold up a supervisor, whose sites would then run without limits and signals. What cannot
be written is dropped; a site's log has all of it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from types import TracebackType
from typing import Any, Self, cast

from rich.console import Console

_MOST = 4_000_000
"""Bytes that wait for a slow reader; what comes then is dropped."""
_PATIENCE = 5.0
"""Seconds that the end waits for a reader that takes nothing more."""


class NonBlockingStream:
    """A text stream onto a descriptor whose `write` never waits and never fails; a context manager.

    A thread of its own writes. When it fails, or has not come to its end some seconds after the last word, the
    descriptor is made /dev/null, so that nothing that follows has to wait either.
    """

    errors = "backslashreplace"

    def __init__(self, descriptor: int, encoding: str = "utf-8", *, patience: float = _PATIENCE) -> None:
        self.encoding = encoding
        self._descriptor = descriptor
        self._patience = patience
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._closed = self._failed = False
        self._news = threading.Condition()
        # A daemon: one that waits for a reader for ever does not keep the process.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        data = text.encode(self.encoding, self.errors)
        with self._news:
            if not self._failed and self._size + len(data) <= _MOST:
                self._waiting.append(data)
                self._size += len(data)
                self._news.notify()
        return len(text)

    def flush(self) -> None:
        """Nothing: that would be waiting."""

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                data = self._waiting.popleft()
            rest = data
            try:
                # os.write holds no lock of Python's that the end of the process would wait for.
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                with self._news:
                    self._failed = True
                    self._waiting.clear()
                    return
            with self._news:
                self._size -= len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join(self._patience)
        if self._failed or self._thread.is_alive():
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._descriptor)
            os.close(nowhere)


def nonblocking_stderr() -> NonBlockingStream:
    """stderr of this process."""
    sys.stderr.flush()
    return NonBlockingStream(sys.stderr.fileno(), sys.stderr.encoding)


def console(stream: NonBlockingStream) -> Console:
    """As `common.errors`, without waiting."""
    return Console(file=cast(Any, stream), highlight=False, soft_wrap=True)
