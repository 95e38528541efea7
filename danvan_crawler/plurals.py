"""Numbers with their nouns, for texts that people read: "1 section", "2 sections"."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun. `plural` is needed only if it is not the noun with an s.

    >>> counted(1, "site"), counted(0, "site"), counted(2, "entry", "entries")
    ('1 site', '0 sites', '2 entries')
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
