"""The archive folder: where things are, and which sites it knows.

ARCHIVE/warc/<slug>/<year>/…    WARC files
ARCHIVE/runs/                   one report per run
ARCHIVE/sites/                  the user's own profiles
ARCHIVE/locks/                  lock files of sites and hosts, signs of life of runs
ARCHIVE/logs/                   a log per site, bounded in size and number
ARCHIVE/danvan.sqlite           the item database
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from danvan_crawler import _layout
from danvan_crawler.sites import SiteRegistry


def site_folders(archive: Path, extra: Iterable[str | Path] = ()) -> list[Path]:
    """Folders of profiles in order of increasing rank: bundled ones, the archive's own, `--sites` and DANVAN_SITES."""
    return [_layout.project_root() / "spiders" / "sites", archive / "sites", *(Path(folder) for folder in extra)]


def site_registry(archive: str | Path, extra: Iterable[str | Path] = (), *, lenient: bool = False) -> SiteRegistry:
    """The sites that can be crawled into this archive. Raises ProfileError, unless a `lenient` one is to keep it."""
    _layout.activate()
    return SiteRegistry(site_folders(Path(archive), extra), lenient=lenient)
