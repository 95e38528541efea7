"""The paths in the archive folder.

Their purpose is described in archive/README.md, the contract with data users. Names of WARC files are made in
`warc.files`, names of their indexes and checksums in `warc.index`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_WARC = "warc"


def warc_folder(archive: Path, slug: str | None = None) -> Path:
    """The folder of all WARC files, or of those of one site."""
    return archive / _WARC / (slug or "")


def warc_prefix(slug: str) -> str:
    """Prefix of the paths of a site's WARC files, relative to the archive."""
    return f"{_WARC}/{slug}/"


def index_folder(archive: Path) -> Path:
    """Indexes and checksums of the WARC files (`warc.index`)."""
    return archive / "index"


def database_path(archive: Path) -> Path:
    """The item database."""
    return archive / "danvan.sqlite"


def takedowns_path(archive: Path) -> Path:
    """The list of hidden articles (`store.suppressed_file`)."""
    return archive / "suppressed.toml"


def profile_folder(archive: Path) -> Path:
    """The user's own profiles."""
    return archive / "sites"


def report_folder(archive: Path) -> Path:
    """One report per run."""
    return archive / "runs"


def report_paths(archive: Path, run_id: str = "") -> Iterator[Path]:
    """The existing reports of all runs, or of one. Sorted by name, they are in the order of the runs."""
    return report_folder(archive).glob(f"*-{run_id}.json" if run_id else "*.json")


def check_folder(archive: Path) -> Path:
    """One report per check of the archive (`archive.checks`)."""
    return archive / "checks"


def notified_path(archive: Path) -> Path:
    """The problems that notifications have reported."""
    return archive / "health.json"


def log_path(archive: Path, slug: str) -> Path:
    """The log of a site's crawls; older files have the suffixes .1 to .5 (`archive.site_log`)."""
    return archive / "logs" / f"{slug}.log"


def log_paths(archive: Path) -> Iterator[Path]:
    """The logs of all sites, including older files."""
    return (archive / "logs").glob("*.log*")


def env_path(archive: Path) -> Path:
    """The settings of the nightly crawl."""
    return archive / "schedule.env"


def schedule_path(archive: Path) -> Path:
    """What was scheduled, and since when (`archive.schedule`)."""
    return archive / "schedule.json"


def site_lock_path(archive: Path, slug: str) -> Path:
    """Locked while a site is crawled."""
    return archive / "locks" / f"{slug}.lock"


def host_lock_path(archive: Path, host: str) -> Path:
    """Locked while a run contacts the host. No site or spider can have a name that begins with a dot."""
    return archive / "locks" / f".host-{host.replace(':', '_')}.lock"


def database_lock_path(archive: Path) -> Path:
    """Locked while the item database is written or replaced. No site can have this name, as above."""
    return archive / "locks" / ".database.lock"


def fleet_lock_path(archive: Path) -> Path:
    """Locked while one command crawls several sites. No site can have this name, as above."""
    return archive / "locks" / ".fleet.lock"


def beat_path(archive: Path, slug: str) -> Path:
    """The heartbeat of a site's run."""
    return archive / "locks" / f"{slug}.beat"
