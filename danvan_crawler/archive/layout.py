"""The archive folder: every path in it, once.

What each of them is for is in archive/README.md, the contract with data users. Names of WARC files are made in
`warc.files`, those of their indexes and checksums in `warc.index`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_WARC = "warc"


def warc_folder(archive: Path, slug: str | None = None) -> Path:
    """The folder of all WARC files, or of those of a site."""
    return archive / _WARC / (slug or "")


def warc_prefix(slug: str) -> str:
    """With what the names of a site's WARC files begin, relative to the archive."""
    return f"{_WARC}/{slug}/"


def index_folder(archive: Path) -> Path:
    """Index and checksum of each WARC file (`warc.index`)."""
    return archive / "index"


def database_path(archive: Path) -> Path:
    """The item database."""
    return archive / "danvan.sqlite"


def takedowns_path(archive: Path) -> Path:
    """Which articles are hidden (`store.suppressed_file`)."""
    return archive / "suppressed.toml"


def profile_folder(archive: Path) -> Path:
    """The user's own profiles."""
    return archive / "sites"


def report_folder(archive: Path) -> Path:
    """One report per run."""
    return archive / "runs"


def report_paths(archive: Path, run_id: str = "") -> Iterator[Path]:
    """The reports that there are, of all runs or of one; sorted by name, they are in the order of their runs."""
    return report_folder(archive).glob(f"*-{run_id}.json" if run_id else "*.json")


def notified_path(archive: Path) -> Path:
    """The problems that notifications have reported."""
    return archive / "health.json"


def log_path(archive: Path, slug: str) -> Path:
    """What the crawls of a site reported; older ones have .1 to .5 behind the name (`archive.site_log`)."""
    return archive / "logs" / f"{slug}.log"


def log_paths(archive: Path) -> Iterator[Path]:
    """The logs of all sites, with the older ones that were put aside."""
    return (archive / "logs").glob("*.log*")


def env_path(archive: Path) -> Path:
    """The settings of the nightly crawl."""
    return archive / "schedule.env"


def site_lock_path(archive: Path, slug: str) -> Path:
    """Locked while a site is crawled."""
    return archive / "locks" / f"{slug}.lock"


def host_lock_path(archive: Path, host: str) -> Path:
    """Locked while a host is asked. No site or spider can have a name that begins with a dot."""
    return archive / "locks" / f".host-{host.replace(':', '_')}.lock"


def database_lock_path(archive: Path) -> Path:
    """Locked by whoever writes to the item database or replaces it. No site has this name, as above."""
    return archive / "locks" / ".database.lock"


def beat_path(archive: Path, slug: str) -> Path:
    """The sign of life of a site's last run."""
    return archive / "locks" / f"{slug}.beat"
