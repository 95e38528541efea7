"""Which keys a run has seen.

A run remembers what it has asked for until it ends. As text that was 0.4 KB an article, a third of a night's memory on
a portal of 100,000; here a key is its 64-bit hash. Python's hash is another one in each process, so of the keys that
one run takes for another (one chance in 3,700,000 among a million) the next run knows better: they stay pending in the
crawl state.
"""

from __future__ import annotations

from collections.abc import Iterable


class KeySet:
    """A set of keys, to be asked and added to."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, key: str) -> bool:
        return hash(key) in self._hashes

    def add(self, key: str) -> bool:
        """Adds a key. Returns whether it was not there."""
        before = len(self._hashes)
        self._hashes.add(hash(key))
        return len(self._hashes) > before

    def update(self, keys: Iterable[str]) -> None:
        self._hashes.update(map(hash, keys))
