"""What was measured as Markdown, and its place in the documentation."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawls import Crawl
from measure import BenchmarkError

BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"
PAGE = "docs/fidelity-and-performance.md"
"""The page that shows the tables, from the top of the checkout."""
Rounds = Mapping[str, Sequence[Crawl]]
"""The crawls of each tool by its name, one a round, in order; the first tool is what others are compared with."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the second table."""

    what: str
    value: str


def ratio(ours: Sequence[Crawl], theirs: Sequence[Crawl]) -> float:
    """How many times as fast: the median over rounds, each compared within itself, since a machine's pace changes."""
    return statistics.median(one.pages_a_second / other.pages_a_second for one, other in zip(ours, theirs, strict=True))


def crawls_table(rounds: Rounds) -> str:
    """One line a tool, ratios first."""
    reference = next(iter(rounds))
    lines = [
        f"| crawl | speed, {reference.strip('`').split()[0]} = 1 | pages/s | CPU s per 1,000 pages | peak memory, MB "
        "| WARC, KB a page | database, KB a page |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, crawls in rounds.items():
        cells = (
            f"{ratio(crawls, rounds[reference]):.2f}",
            f"{_median(crawls, lambda one: one.pages_a_second):.0f}",
            f"{_median(crawls, lambda one: one.cpu_a_thousand):.2f}",
            f"{_median(crawls, lambda one: one.cost.peak_bytes) / 1e6:.0f}",
            _stored(_median(crawls, lambda one: one.warc_bytes / one.pages)),
            _stored(_median(crawls, lambda one: one.other_bytes / one.pages)),
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _median(crawls: Sequence[Crawl], measure: Callable[[Crawl], float]) -> float:
    return statistics.median(measure(one) for one in crawls)


def _stored(bytes_a_page: float) -> str:
    return f"{bytes_a_page / 1000:.1f}" if bytes_a_page else "none"


def figures_table(figures: Sequence[Figure]) -> str:
    return "\n".join(["| besides | |", "| --- | ---: |", *(f"| {one.what} | {one.value} |" for one in figures)])


def text(conditions: str, rounds: Rounds, figures: Sequence[Figure]) -> str:
    """All of it, as it stands between the markers."""
    return f"{crawls_table(rounds)}\n\n{figures_table(figures)}\n\n{conditions}"


def placed(page: str, benchmark: str, mark: str = "benchmark") -> str:
    """A page with a new text between its markers. Raises BenchmarkError unless it has them once, in order."""
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, begin, rest = page.partition(opening)
    old, end, after = rest.partition(closing)
    if not begin or not end or opening in old + after or closing in before + after:
        raise BenchmarkError(f"{PAGE}: needs one {opening} and after it one {closing}")
    return f"{before}{opening}\n{benchmark}\n{closing}{after}"


def place(root: Path, benchmark: str, mark: str = "benchmark") -> None:
    """Writes a new text between the markers of the page in this checkout. Raises BenchmarkError as `placed`."""
    page = root / PAGE
    page.write_text(placed(page.read_text(encoding="utf-8"), benchmark, mark), encoding="utf-8")
