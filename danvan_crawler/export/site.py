"""A site to export: its WARC files and their description."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from danvan_crawler.archive.layout import warc_folder
from danvan_crawler.exceptions import ArchiveError, UsageError
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.warc.files import warc_files


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a package; empty values are left out."""

    title: str
    description: str = ""
    rights: str = ""
    """The rights note of the site's profile."""


@dataclass(frozen=True, slots=True)
class ArchivedSite:
    """A site with finished WARC files in the archive."""

    slug: str
    profile: Site | None
    """None if the profile no longer exists, or for a spider without one."""
    warc_files: tuple[Path, ...]
    """Finished files only; files that a run is writing are left out."""

    @property
    def description(self) -> Description:
        """Title, origin and rights, from the profile."""
        if self.profile is None:
            return Description(self.slug)
        return Description(
            self.profile.name,
            f"Captures of {self.profile.home} ({self.slug}), province {self.profile.province}, made by danvan-crawler",
            rights_of(self.profile),
        )


def rights_of(profile: Site) -> str:
    """The rights note of a profile; empty without one."""
    return str(getattr(profile, "rights", None) or "")


def archived_site(archive: Path, slug: str, sites: SiteRegistry) -> ArchivedSite:
    """Raises UnknownSiteError for an unknown slug, UsageError if nothing of the site is archived."""
    try:
        paths = warc_files(archive, slug)
    except ArchiveError:  # the slug is not a valid folder name, so not a site
        paths = []
    profile = sites.get(slug) if slug in sites or not paths else None
    if not paths:
        raise UsageError(f"{slug}: {archive} has no finished WARC file of this site")
    return ArchivedSite(slug, profile, tuple(paths))


def archived_slugs(archive: Path) -> list[str]:
    """Every site with a finished WARC file."""
    return sorted({path.relative_to(warc_folder(archive)).parts[0] for path in warc_files(archive)})
