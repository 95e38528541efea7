"""One site of very many small pages: what a crawl holds in memory does not grow with them.

FLEET_PAGES says how many; 50,000 in `make soak`. Few pages show nothing, so other runs leave it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet import ROOT
from fleet_portal import LivePortal
from lives import OLD, Life
from stories import Danvan, Story, moment

from danvan_crawler.memory import resident_bytes

PAGES = int(os.environ.get("FLEET_PAGES", "1500"))
pytestmark = pytest.mark.soak
SLACK = 24 * 2**20
"""Bytes that a crawl may still come to need after a fifth of its pages: caches of addresses that are not yet full.

Keys of what a run has asked for, some 200 bytes an article, are 8 MB for 40,000 of them.
"""


@pytest.fixture
def portal() -> Iterator[LivePortal]:
    stories = [Story(10_000 + number, OLD - number // 5) for number in range(PAGES)]
    served = LivePortal(Life("day", Danvan(), stories, a_page=100))
    yield served
    served.close()


def test_memory_is_flat_over_many_pages(portal: LivePortal, tmp_path: Path) -> None:
    (slug, profile), *_ = portal.profiles(0).items()
    (tmp_path / f"{slug}.toml").write_text(profile, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DANVAN_CLOCK": f"{moment(0).isoformat()} +"}
    command = [sys.executable, "-m", "danvan_crawler", "crawl", slug, "--archive", str(tmp_path / "archive")]
    log = tmp_path / "said.txt"
    held: list[tuple[int, int]] = []  # pages served, resident bytes
    with log.open("w") as said:
        crawl = subprocess.Popen([*command, "--sites", str(tmp_path)], env=environment, stderr=said, cwd=tmp_path)
        while crawl.poll() is None:
            if size := resident_bytes(crawl.pid):
                held.append((len(portal.log), size))
            time.sleep(0.02)
    assert crawl.returncode == 0, log.read_text("utf-8")
    assert sum(one.kind == "story" for one in portal.log) == PAGES
    asked = len(portal.log)
    early = max(size for pages, size in held if pages <= 0.2 * asked)
    late = max(size for pages, size in held if pages > 0.2 * asked)
    print(f"\n{PAGES} pages: {early / 2**20:.0f} MiB after a fifth, {late / 2**20:.0f} MiB at most after that")
    assert late - early < SLACK
