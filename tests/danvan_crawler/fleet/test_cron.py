"""A crontab with our line: every other line stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from danvan_crawler.fleet.cron import crontab_line, line_in, with_line
from danvan_crawler.fleet.nightly import Nightly

ARCHIVE = Path("/srv/kho 100%")
OURS = crontab_line(Nightly(ARCHIVE, 1, 30, ("danvan", "crawl", "--all")))
OTHERS = [
    "0  5\t* * *   /usr/bin/backup --all  # nightly",
    'MAILTO = "a@example.vn, b@example.vn"',
    "A='x y'",
    "#0 5 * * * switched off",
    "@daily  x",
    "@every_minute unknown",
    "-0 5 * * * nolog",
    "00 05 * * 7 date +\\%F%input line",
    "*/15 0-23/2 * * * x",
    "  0-59 * * * * x  ",
    "0 5 * * * echo '#1' # two",
    "# \udcff",
    "",
    f"# {OURS}",
    OURS.replace("/srv", "/srv/khac"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_another_line_is_not_changed(other: str) -> None:
    crontab = f"{other}\nSHELL=/bin/bash\n{other}\n"
    added = with_line(crontab, ARCHIVE, OURS)
    assert added == f"{crontab}{OURS}\n"
    assert line_in(added, ARCHIVE) == OURS
    changed = OURS.replace("30 1", "15 2")
    assert with_line(f"{other}\n{OURS}\n{crontab}", ARCHIVE, changed) == f"{other}\n{changed}\n{crontab}"
    assert with_line(added, ARCHIVE, None) == crontab
