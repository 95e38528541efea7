"""`make bench`: how fast the crawler is, beside wget and Scrapy on the same pages and in the same run.

Tools take turns, round after round, because a machine has faster and slower minutes; ratios are taken within a round.
Everything is fetched from nginx on loopback. What is made on the way (pages, databases, archives) lies in .build/bench.
Nothing here passes or fails by a time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import rooms
import searching
import table
import words
from crawls import Crawl, danvan, tools, write_profiles
from measure import ROOT, BenchmarkError, run
from portal import Portal
from server import Nginx
from table import Figure

FULL = {"pages": 5000, "listings": 40, "rounds": 3, "items": 300_000}
"""The sizes whose figures the documentation shows."""
ONE_SITE, TWO_SITES = "`danvan crawl`", "`danvan crawl`, two sites in two processes"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    work: Path = options.work.absolute()
    try:
        portal = Portal(options.pages, options.listings)
        root = _pages(portal, work)
        if options.profile:
            _profile(portal, root, work)
        else:
            _measure(options, portal, root, work)
    except (BenchmarkError, ValueError) as error:
        sys.exit(f"benchmark: {error}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure danvan-crawler beside wget and Scrapy.")
    for name, meaning in (
        ("pages", "article pages of the portal"),
        ("listings", "listing pages, a multiple of 4"),
        ("rounds", "how often every tool crawls it"),
        ("items", "size of the large database for search and export"),
    ):
        parser.add_argument(f"--{name}", type=int, default=FULL[name], help=f"{meaning} (default {FULL[name]})")
    parser.add_argument("--profile", action="store_true", help="crawl once under cProfile and print where time goes")
    parser.add_argument("--work", type=Path, default=ROOT / ".build" / "bench", help="folder for what is made")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.items < 1:
        parser.error("rounds and items must be at least 1")
    return options


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _pages(portal: Portal, work: Path) -> Path:
    """The folder with the portal's files; written now unless it is there already."""
    made_with = hashlib.sha256()
    for name in ("portal.py", "words.py"):
        made_with.update(Path(__file__).with_name(name).read_bytes())
    folder = work / f"www-{portal.pages}-{portal.listings}-{made_with.hexdigest()[:12]}"
    if not folder.exists():
        tell(f"writing {portal.pages} articles and {portal.listings} listings")
        unfinished = work / f"{folder.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        portal.write(unfinished)
        unfinished.rename(folder)
    return folder


def _measure(options: argparse.Namespace, portal: Portal, root: Path, work: Path) -> None:
    compared = tools(portal, work, tell)
    rounds: dict[str, list[Crawl]] = {tool.name: [] for tool in compared}
    folders = {tool.name: work / "runs" / str(number) for number, tool in enumerate(compared)}
    with Nginx(work / "nginx", root, 2) as server:
        for number in range(1, options.rounds + 1):
            for tool in compared:
                shutil.rmtree(folders[tool.name], ignore_errors=True)
                crawl = tool.crawl(folders[tool.name], server.ports[: tool.sites])
                rounds[tool.name].append(crawl)
                tell(
                    f"round {number}: {tool.name}: {crawl.pages_a_second:.0f} pages/s, "
                    f"{crawl.cpu_a_thousand:.2f} CPU s per 1,000, {crawl.cost.peak_bytes / 1e6:.0f} MB"
                )
        figures = [*_compared(rounds), _flatness(rounds, portal, server, work)]
        conditions = _conditions(options, portal, server)
    archive = folders[ONE_SITE] / "archive"
    figures += _rebuild(archive, portal, options.rounds)
    figures += _reading(archive, portal.pages)
    figures += _reading(searching.archive_of(options.items, work, tell), options.items)
    figures.append(_startup(work))
    benchmark = table.text(conditions, rounds, figures)
    raw = {name: [asdict(crawl) for crawl in crawls] for name, crawls in rounds.items()}
    (work / "rounds.json").write_text(json.dumps(raw, indent=2), encoding="utf-8")
    print(benchmark)
    if all(getattr(options, name) == size for name, size in FULL.items()):
        table.place(ROOT, benchmark)
        tell(f"the table in {table.PAGE} is this one now")
    else:
        tell(f"{table.PAGE} is left as it is: it shows the figures of the full size")


def _compared(rounds: table.Rounds) -> list[Figure]:
    two = table.ratio(rounds[TWO_SITES], rounds[ONE_SITE])
    found = [Figure("two sites in two processes, times the speed of one", f"{two:.2f}")]
    for name, crawls in rounds.items():
        if "scrapy-webarchive" in name:
            found.append(Figure(f"one site, times the speed of {name}", f"{table.ratio(rounds[ONE_SITE], crawls):.1f}"))
    return found


def _flatness(rounds: table.Rounds, portal: Portal, server: Nginx, work: Path) -> Figure:
    """Peak memory of a crawl of a fifth of the pages beside that of the whole: a flat one hardly differs."""
    folder = work / "runs" / "fifth"
    shutil.rmtree(folder, ignore_errors=True)
    (slug,) = write_profiles(folder / "archive", server.ports[:1])
    pages = str(max(1, portal.pages // 5))
    cost, _ = run(danvan("crawl", slug, "--max-pages", pages, "--archive", f"{folder}/archive"), folder=folder)
    whole = statistics.median(crawl.cost.peak_bytes for crawl in rounds[ONE_SITE])
    return Figure(
        "peak memory after a fifth of the pages, after all", f"{cost.peak_bytes / 1e6:.0f} MB, {whole / 1e6:.0f} MB"
    )


def _rebuild(archive: Path, portal: Portal, rounds: int) -> list[Figure]:
    costs = [run(danvan("rebuild", "--archive", str(archive)), folder=archive.parent)[0] for _ in range(rounds)]
    pages = portal.pages + portal.listings
    speed = pages / statistics.median(cost.seconds for cost in costs)
    peak = statistics.median(cost.peak_bytes for cost in costs)
    tell(f"rebuild: {speed:.0f} pages/s")
    return [Figure("`danvan rebuild`, one process", f"{speed:.0f} pages/s, {peak / 1e6:.0f} MB")]


def _reading(archive: Path, items: int) -> list[Figure]:
    """Export and search of a database."""
    output = archive.parent / "export.jsonl"
    costs = []
    for _ in range(3):
        costs.append(run(danvan("export", "-o", str(output), "--archive", str(archive)), folder=archive.parent)[0])
        with output.open("rb") as file:
            rows = sum(1 for _line in file)
        if rows != items:
            raise BenchmarkError(f"{archive}: exports {rows} rows and not {items}")
    output.unlink()
    speed = items / statistics.median(cost.seconds for cost in costs)
    found = searching.search_times(archive, words.queries())
    tell(f"{items} items: export {speed:.0f} rows/s; search {found}")
    return [
        Figure(f"`danvan export` of {items:,} items", f"{speed:,.0f} rows/s"),
        Figure(
            f"search in {items:,} items, 40 queries, p50 and p95",
            f"{1000 * found.median:.1f} ms, {1000 * found.percentile_95:.1f} ms",
        ),
    ]


def _startup(work: Path) -> Figure:
    costs = [run(danvan("--help"), folder=work / "runs" / "help")[0] for _ in range(10)]
    return Figure("`danvan --help`", f"{1000 * statistics.median(cost.seconds for cost in costs):.0f} ms")


def _profile(portal: Portal, root: Path, work: Path) -> None:
    folder = work / "runs" / "profile"
    shutil.rmtree(folder, ignore_errors=True)
    output = folder / "crawl.profile"
    with Nginx(work / "nginx", root, 1) as server:
        slugs = write_profiles(folder / "archive", server.ports)
        run(rooms.profiled(output, ["crawl", *slugs, "--archive", f"{folder}/archive"]), folder=folder)
    print(rooms.report(rooms.entries_of(output), portal.pages + portal.listings))
    tell(f"{output} holds the whole profile, for pstats or snakeviz")


def _conditions(options: argparse.Namespace, portal: Portal, server: Nginx) -> str:
    versions = [f"Python {platform.python_version()}", f"Scrapy {_scrapy()}", server.version()]
    if shutil.which("wget"):
        told = subprocess.run(["wget", "--version"], capture_output=True, text=True, check=False).stdout
        versions.insert(0, " ".join(told.split()[:3]))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {', '.join(versions)}. "
        f"{portal.pages:,} articles of 30 to 60 KB in {portal.listings} listings, from nginx on loopback with gzip on; "
        f"delay 0, 16 connections (wget: one, and without gzip); medians of {options.rounds} rounds in which the tools "
        "take turns. Start and end of each program are counted; what needs less than 9 MB is shown with 9."
    )


def _scrapy() -> str:
    from importlib.metadata import version

    return version("scrapy")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
