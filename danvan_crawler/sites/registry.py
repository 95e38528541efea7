"""The registry of sites: all profiles in the given folders.

Read from `spiders/sites/*.toml`, then `ARCHIVE/sites/*.toml`, then each folder given by `--sites` or `DANVAN_SITES`. A
later profile replaces an earlier one with the same slug.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from danvan_crawler import _layout
from danvan_crawler.archive.layout import profile_folder
from danvan_crawler.exceptions import ProfileError, UnknownSiteError
from danvan_crawler.sites.profile import SLUG, Site


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors write a byte order mark, which TOML does not allow
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is not UTF-8: byte {error.object[error.start]:#x} at {error.start}") from error


def _slug_in(text: str) -> str | None:
    """The slug of a profile that may be otherwise invalid; None if it cannot be read."""
    try:
        slug = str(tomllib.loads(text).get("slug")).strip()
    except tomllib.TOMLDecodeError:
        return None
    return slug if SLUG.match(slug) else None


class SiteRegistry:
    """The sites that can be crawled, by slug.

    `folders` are in order of increasing priority. Two profiles with one slug in the same folder are an error; in
    different folders, the later one is used. Errors are raised, or, if `lenient`, collected in `broken`, under the slug
    in the profile, else in the file's name, else the file's name. Such a site does not exist in the registry, even if
    an earlier folder has a valid profile.
    """

    def __init__(self, folders: Iterable[Path], *, lenient: bool = False) -> None:
        self.folders = tuple(folders)
        self.broken: dict[str, ProfileError] = {}
        self._lenient = lenient
        self._sites: dict[str, Site] = {}
        self._origins: dict[str, Path] = {}
        for folder in self.folders:
            here: dict[str, Path] = {}
            for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
                self._read(path, here)

    def _read(self, path: Path, here: dict[str, Path]) -> None:
        slug = path.stem if SLUG.match(path.stem) else path.name
        try:
            text = _text_of(path)
            slug = _slug_in(text) or slug
            site = Site.parse(text, origin=str(path))
            if slug in here:
                raise ProfileError(f"{path}: slug: {slug!r} is already the slug of {here[slug]}")
        except ProfileError as error:
            if not self._lenient:
                raise
            self.broken[slug] = error
            self._sites.pop(slug, None)
        else:
            self.broken.pop(slug, None)
            self._sites[slug], self._origins[slug] = site, path
        here.setdefault(slug, path)

    def __iter__(self) -> Iterator[Site]:
        return iter(sorted(self._sites.values(), key=lambda site: site.slug))

    def __len__(self) -> int:
        return len(self._sites)

    def __contains__(self, slug: object) -> bool:
        return slug in self._sites

    def get(self, slug: str) -> Site:
        """The site with this slug. Raises UnknownSiteError with similar slugs, or the ProfileError of a broken one."""
        if slug in self.broken:
            raise self.broken[slug]
        if slug not in self._sites:
            import difflib

            near = difflib.get_close_matches(slug, self._sites, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else "; `danvan sites` lists the sites"
            raise UnknownSiteError(f"no site has the slug {slug!r}{hint}")
        return self._sites[slug]

    def origin(self, slug: str) -> Path:
        """The file that the profile was read from."""
        return self._origins[self.get(slug).slug]

    def is_bundled(self, slug: str) -> bool:
        """Whether the profile came with this program and nobody has replaced it."""
        return self.origin(slug).parent == _bundled()


def _bundled() -> Path:
    return _layout.project_root() / "spiders" / "sites"


def site_folders(archive: Path, extra: Iterable[str | Path] = ()) -> list[Path]:
    """Folders of profiles in order of increasing priority: bundled, the archive's, then `--sites` and DANVAN_SITES."""
    return [_bundled(), profile_folder(archive), *(Path(folder) for folder in extra)]


def site_registry(archive: str | Path, extra: Iterable[str | Path] = (), *, lenient: bool = False) -> SiteRegistry:
    """The sites that can be crawled into this archive. Raises ProfileError, unless `lenient`."""
    _layout.activate()
    return SiteRegistry(site_folders(Path(archive), extra), lenient=lenient)
