"""The archive folder: where things are.

ARCHIVE/warc/<slug>/<year>/…    WARC files
ARCHIVE/runs/                   one report per run
ARCHIVE/sites/                  the user's own profiles
ARCHIVE/locks/                  lock files of sites and hosts, signs of life of runs
ARCHIVE/logs/                   a log per site, bounded in size and number
ARCHIVE/danvan.sqlite           the item database
"""

from __future__ import annotations
