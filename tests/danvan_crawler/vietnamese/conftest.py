"""Lines of tests/fixtures/vietnamese/*.tsv as parameters: a test with a table's name as argument runs once per line."""

from __future__ import annotations

from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vietnamese"
TABLES = ("stamps", "no_stamps", "forms", "no_forms", "tone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for table in TABLES:
        if table in metafunc.fixturenames:
            lines = (FIXTURES / f"{table}.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
            cells = [[cell.replace("\\n", "\n") for cell in line.split("\t")] for line in lines]
            metafunc.parametrize(table, cells, ids=[f"line{number}" for number in range(2, len(cells) + 2)])
