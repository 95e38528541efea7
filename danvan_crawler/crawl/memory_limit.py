"""Limit the memory that a crawl uses now, not the maximum that its process ever used.

Scrapy's MemoryUsage uses `ru_maxrss` of getrusage, which a process inherits over fork and exec (measured on Linux 6).
So a crawl started by a large program would exceed its limit before it did anything. A maximum from one large page (60
MB) that is long freed should not end a run either.
"""

from __future__ import annotations

import os

from scrapy.extensions.memusage import MemoryUsage

from danvan_crawler.memory import resident_bytes


class ResidentMemory(MemoryUsage):
    """Scrapy's extension, with the same settings and statistics; without /proc it uses Scrapy's value."""

    def get_virtual_size(self) -> int:
        return resident_bytes(os.getpid()) or super().get_virtual_size()
