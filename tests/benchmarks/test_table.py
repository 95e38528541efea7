"""What is made of the measurements: ratios within a round, medians over rounds, a table between markers."""

from __future__ import annotations

from pathlib import Path

import pytest
import table
from crawls import Crawl
from measure import BenchmarkError, Cost
from table import BEGIN, END, Figure

ROOT = Path(__file__).resolve().parents[2]


def _crawl(seconds: float, *, cpu: float = 1.0, peak: int = 50_000_000, warc: int = 0, other: int = 0) -> Crawl:
    return Crawl(1000, Cost(seconds, cpu, peak), warc, other)


def test_a_ratio_compares_within_each_round() -> None:
    # The second round met a machine half as fast: that says nothing of either tool.
    assert table.ratio([_crawl(1), _crawl(2), _crawl(1)], [_crawl(2), _crawl(4), _crawl(2)]) == 2.0


def test_the_first_tool_is_what_others_are_compared_with() -> None:
    rounds = {
        "`wget -r`": [_crawl(4, warc=12_340_000)],
        "`danvan crawl`": [_crawl(2, cpu=2.5, warc=11_000_000, other=9_900_000)],
    }
    assert table.crawls_table(rounds).splitlines() == [
        "| crawl | speed, wget = 1 | pages/s | CPU s per 1,000 pages | peak memory, MB | WARC, KB a page "
        "| database, KB a page |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| `wget -r` | 1.00 | 250 | 1.00 | 50 | 12.3 | none |",
        "| `danvan crawl` | 2.00 | 500 | 2.50 | 50 | 11.0 | 9.9 |",
    ]


def test_figures_are_medians_over_rounds() -> None:
    rounds = {"`wget -r`": [_crawl(1), _crawl(10), _crawl(2)]}
    assert "| `wget -r` | 1.00 | 500 | 1.00 |" in table.crawls_table(rounds)


def test_other_figures_have_a_line_each() -> None:
    assert table.figures_table([Figure("rebuild", "1,000 pages/s")]).splitlines()[-1] == "| rebuild | 1,000 pages/s |"


def test_the_text_between_the_markers_is_replaced_and_nothing_else() -> None:
    page = f"# Title\n\n## Speed\n\n{BEGIN}\nold\n{END}\n\n## After\n"
    assert table.placed(page, "| new |") == f"# Title\n\n## Speed\n\n{BEGIN}\n| new |\n{END}\n\n## After\n"


@pytest.mark.parametrize(
    "page",
    ["nothing", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{BEGIN}\n{END}"],
    ids=["no markers", "no end", "end first", "twice"],
)
def test_a_page_without_one_pair_of_markers_is_refused(page: str) -> None:
    with pytest.raises(BenchmarkError, match="fidelity-and-performance"):
        table.placed(page, "new")


@pytest.mark.parametrize("mark", ["benchmark", "fidelity"])
def test_the_documentation_has_a_place_for_each_table(mark: str, tmp_path: Path) -> None:
    page = tmp_path / table.PAGE
    page.parent.mkdir()
    page.write_bytes((ROOT / table.PAGE).read_bytes())
    table.place(tmp_path, "| new |", mark)
    assert f"<!-- {mark} -->\n| new |\n<!-- /{mark} -->" in page.read_text(encoding="utf-8")
