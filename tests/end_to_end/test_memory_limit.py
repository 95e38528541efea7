"""The memory limit counts only the crawl's own memory, with any parent process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STARTER = """
import subprocess, sys
held = bytearray(b"x") * (700 << 20)  # every page of it written to
sys.exit(subprocess.run([sys.executable, "-m", "danvan_crawler", *sys.argv[1:]], close_fds=False).returncode)
"""


def test_a_crawl_started_by_a_large_program_is_within_its_limit(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.environment["DANVAN_MEMORY_LIMIT"] = "400"
    done = desk.run("-c", STARTER, "crawl", "mau-danvan")
    assert done.returncode == 0, done.stderr
    assert len(desk.export()) > 5


def test_a_crawl_that_uses_too_much_memory_stops_and_reports_it(
    new_portal: Callable[..., Any], new_desk: Callable[..., Any]
) -> None:
    desk = new_desk(new_portal(), only="dan-van-kheo")
    desk.environment["DANVAN_MEMORY_LIMIT"] = "20"
    assert "memory limit reached (DANVAN_MEMORY_LIMIT)" in desk.crawl(code=7).stderr
