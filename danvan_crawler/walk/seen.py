"""Which keys a run has seen, in sixteen to thirty-two bytes each.

A run remembers what it has asked for until it ends. As strings in sets that was 0.4 KB an article, a third of a night's
memory on a portal of 100,000; here a key is its 64-bit hash. Python's hash is another one in each process, so of the
keys that one run takes for another (one chance in 3,700,000 among a million) the next run knows better: they stay
pending in the crawl state.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable

_MASK = 2**64 - 1
_EMPTY = 0
_FIRST_SIZE = 1024


class KeySet:
    """A set of keys of one type, to be asked and added to: an open-addressed table of hashes, at most half full."""

    def __init__(self, keys: Iterable[Hashable] = ()) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SIZE))
        self._count = 0
        self.update(keys)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: Hashable) -> bool:
        return self._slots[self._place(_hash(key))] != _EMPTY

    def add(self, key: Hashable) -> bool:
        """Adds a key. Returns whether it was not there."""
        number = _hash(key)
        place = self._place(number)
        if self._slots[place] != _EMPTY:
            return False
        self._slots[place] = number
        self._count += 1
        if 2 * self._count > len(self._slots):
            self._grow()
        return True

    def update(self, keys: Iterable[Hashable]) -> None:
        for key in keys:
            self.add(key)

    def _place(self, number: int) -> int:
        """Where a hash stands, or would."""
        slots, last = self._slots, len(self._slots) - 1
        place = number & last
        while slots[place] != number and slots[place] != _EMPTY:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        before, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for number in before:
            if number != _EMPTY:
                self._slots[self._place(number)] = number


def _hash(key: Hashable) -> int:
    return (hash(key) & _MASK) or 1
