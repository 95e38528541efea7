"""Memory of this process and of others, and Python's garbage collector, which need not look through all of it.

Scrapy's tasks make cycles by the thousand, so the collector has to run. But each full collection also walked all
imported modules, a sixth of a crawl's time (measured: 7.0 s against 5.8 s for 1,000 pages).
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

_YOUNG = 10_000
"""New objects after which the collector looks at them; Python's default of 700 is half a page's worth."""


def spare_the_collector() -> None:
    """Sets aside what lives as long as the process. To be called once everything is imported, before the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)


def resident_bytes(process: int) -> int:
    """Memory that a process holds; 0 where the kernel does not tell (no /proc) and for one that has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
