"""Runs one command and tells what it took: `child.py RESULT COMMAND…`.

A program of its own, and small: Linux counts the memory of a process that starts another into the peak of the one that
is started, so a benchmark that had imported half of this project could not see what wget needs.
"""

from __future__ import annotations

import os
import sys
import time

result, *command = sys.argv[1:]
began = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - began
with open(result, "w", encoding="ascii") as file:  # noqa: PTH123  pathlib would double what this needs
    print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=file)
