"""The memory that a crawl holds now, in the place of the most that its process ever held.

Scrapy's MemoryUsage asks getrusage, whose `ru_maxrss` a process inherits over fork and exec (measured on Linux 6): a
crawl that a large program starts is then beyond its limit before it has done anything. And a page of 60 MB that is long
forgotten is no reason to end a night.
"""

from __future__ import annotations

import os

from scrapy.extensions.memusage import MemoryUsage

from danvan_crawler.memory import resident_bytes


class ResidentMemory(MemoryUsage):
    """Scrapy's extension, with the same settings and statistics; without /proc it is Scrapy's own."""

    def get_virtual_size(self) -> int:
        return resident_bytes(os.getpid()) or super().get_virtual_size()
