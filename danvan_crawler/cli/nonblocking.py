"""Non-blocking stderr.

A terminal stopped with Ctrl-S, a pager that is not scrolled, a broken pipe or a full disk behind `2>` must not block a
supervisor: its sites would then run without limits and signals. Output that cannot be written is dropped; the log of
each site has everything.
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
"""Bytes that are buffered for a slow reader; further bytes are dropped."""
_PATIENCE = 5.0
"""Seconds to wait at the end for a reader that does not read."""


class NonBlockingStream:
    """A text stream to a descriptor. Its `write` never blocks and never fails. A context manager.

    A separate thread writes. If it fails, or has not finished `patience` seconds after the end, the descriptor is
    replaced by /dev/null, so that later writes do not block either.
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
        # A daemon thread: if it waits forever, the process can still end.
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
        """Does nothing, because it would have to wait."""

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
                # os.write holds no Python lock that the end of the process would wait for.
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
    """stderr of this process as a NonBlockingStream."""
    sys.stderr.flush()
    return NonBlockingStream(sys.stderr.fileno(), sys.stderr.encoding)


def console(stream: NonBlockingStream) -> Console:
    """Like `common.errors`, but non-blocking."""
    return Console(file=cast(Any, stream), highlight=False, soft_wrap=True)
