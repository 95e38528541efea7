"""Where the time of a crawl goes: a cProfile run, summed by room of the library and by package below it.

A function's own time counts for the room whose file it is in. What is written in C has no file: waiting, SQLite,
parsing, compression and hashes are rooms of their own, the rest counts for whoever called it.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import ROOT

Function = tuple[str, int, str]
"""File, line and name, as pstats has them; the file of what is written in C is `~`."""
Callers = Mapping[Function, tuple[int, int, float, float]]
Entry = tuple[int, int, float, float, Callers]

_NATIVE = (
    ("select.epoll", "waiting for the network"),
    ("selectolax", "selectolax"),
    ("Lexbor", "selectolax"),
    ("sqlite3.", "SQLite"),
    ("isal", "compression"),
    ("zlib", "compression"),
    ("igzip", "compression"),
    ("_hashlib", "hashes"),
    ("_sha", "hashes"),
    ("posix.fsync", "fsync"),
)
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()


@dataclass(frozen=True, slots=True)
class Share:
    """A room's part of the profile."""

    room: str
    seconds: float
    calls: int


def room_of(file: str) -> str:
    """The room of a source file: `danvan_crawler.store`, `spiders`, the package of a library.

    >>> room_of("/usr/lib/python3/site-packages/twisted/internet/defer.py")
    'twisted'
    """
    path = Path(file)
    for marker in ("site-packages", "dist-packages"):
        if marker in path.parts:
            return path.parts[path.parts.index(marker) + 1].removesuffix(".py")
    if path.is_relative_to(ROOT):
        parts = path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:2]) if parts[0] == "danvan_crawler" else parts[0]
    if file.startswith("<frozen"):
        return "Python: importlib" if "importlib" in file else "Python"
    if path.is_relative_to(_STANDARD):
        return f"Python: {path.relative_to(_STANDARD).with_suffix('').parts[0]}"
    if not path.is_absolute() and path.parts and path.suffix in (".pyx", ".pxd", ".pxi"):
        return path.parts[0]
    return "other"


def _native_room(name: str) -> str | None:
    return next((room for mark, room in _NATIVE if mark in name), None)


def shares(entries: Mapping[Function, Entry]) -> list[Share]:
    """Own time by room, the largest first."""
    seconds: defaultdict[str, float] = defaultdict(float)
    calls: defaultdict[str, int] = defaultdict(int)
    for (file, _line, name), (_primitive, count, own, _with_callees, callers) in entries.items():
        if file != "~":
            charged: Iterable[tuple[str, float, int]] = [(room_of(file), own, count)]
        elif (room := _native_room(name)) is not None or not callers:
            charged = [(room or "other", own, count)]
        else:
            charged = [
                (room_of(caller[0]) if caller[0] != "~" else "other", part[2], part[0])
                for caller, part in callers.items()
            ]
        for room, own_part, count_part in charged:
            seconds[room] += own_part
            calls[room] += count_part
    return sorted((Share(room, seconds[room], calls[room]) for room in seconds), key=lambda one: -one.seconds)


def entries_of(path: Path) -> dict[Function, Entry]:
    """What a profile file holds."""
    return pstats.Stats(str(path)).stats  # type: ignore[attr-defined, no-any-return]


def report(entries: Mapping[Function, Entry], pages: int, functions: int = 30) -> str:
    """Rooms with their share, then the functions with the most time of their own and with what they call, as text."""
    found = shares(entries)
    total = sum(one.seconds for one in found)
    lines = [f"{'room':34} {'share':>6} {'ms a page':>10} {'calls a page':>13}"]
    lines += [
        f"{one.room:34} {one.seconds / total:6.1%} {1000 * one.seconds / pages:10.3f} {one.calls / pages:13.1f}"
        for one in found
        if one.seconds > total / 500
    ]
    for heading, column in (("own time", 2), ("time with what it calls", 3)):
        lines += ["", f"{heading:72} {'ms a page':>10} {'calls a page':>13}"]
        top = sorted(entries.items(), key=lambda item: -float(item[1][column]))  # type: ignore[arg-type]
        shown = [item for item in top if column == 2 or room_of(item[0][0]) in _OURS or "danvan" in item[0][0]]
        for (file, line, name), entry in shown[:functions]:
            place = name if file == "~" else f"{_short(file)}:{line} {name}"
            lines.append(f"{place[-72:]:72} {1000 * float(entry[column]) / pages:10.3f} {entry[1] / pages:13.1f}")  # type: ignore[arg-type]
    return "\n".join(lines)


_OURS = frozenset({"spiders", "pipelines"})


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])


def profiled(output: Path, command: Sequence[str]) -> list[str]:
    """The command line that runs `danvan` with these arguments under cProfile."""
    return [sys.executable, str(Path(__file__)), str(output), *command]


def _main() -> None:
    output, *sys.argv[1:] = sys.argv[1:]
    sys.path.pop(0)  # the folder of this file: its modules are no business of the crawl
    profile = cProfile.Profile()
    try:
        from danvan_crawler.cli import main

        profile.runcall(main)
    finally:
        profile.dump_stats(output)


if __name__ == "__main__":
    _main()
