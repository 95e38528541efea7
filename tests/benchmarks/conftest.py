"""Lets tests import the benchmark's modules as these import one another: `make bench` runs them as scripts."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
