"""Tables on a terminal: whole at 80 columns and at 40."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from danvan_crawler.cli.table import print_table

NAMES = ("site", "last run", "outcome", "7 days", "30 days", "newest article", "problems")
SHORT = [("ha-nam-danvan", "2026-11-30", "good", "1", "2", "-", "-")]
LONG = [
    ("thanhhoa-ban-tuyen-giao-va-dan-van", "2026-11-30 01:30", "unhealthy", "12", "40", "2026-11-28", "quiet, layout"),
    ("quangninh-uy-ban-kiem-tra", "2026-11-30 01:31", "never run", "0", "0", "-", "overdue, certificate, coverage"),
]


@pytest.mark.parametrize("rows", [SHORT, LONG, []], ids=["short", "long", "none"])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_is_cut(
    rows: Sequence[Sequence[str]], width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(NAMES, rows)
    out = capsys.readouterr().out
    assert max((len(line.rstrip()) for line in out.splitlines()), default=0) <= width
    assert "…" not in out
    words = " ".join(out.replace("│", " ").split())
    assert [cell for row in rows for cell in row if cell not in words] == []
    assert (out == "") is (not rows)


def test_a_table_that_fits_has_its_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    print_table(NAMES, SHORT)
    assert "newest article" in capsys.readouterr().out.splitlines()[1]


def test_a_row_that_does_not_is_a_paragraph(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table(NAMES, LONG)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "thanhhoa-ban-tuyen-giao-va-dan-van"
    assert lines[1].startswith("  last run: 2026-11-30 01:30; outcome: unhealthy; 7 days: 12;")
