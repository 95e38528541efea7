"""Packs a site as a BagIt bag (RFC 8493), a format in which archives exchange holdings (extra `bagit`).

The payload has the layout of an archive folder, so that a copy of `data/` is an archive:

    data/warc/<slug>/<year>/<name>.warc.gz
    data/index/<name>.cdxj, <name>.sha256    written from the copies
    data/sites/<slug>.toml                   the profile
    data/items.jsonl                         the articles, as `danvan export` writes them

All files are copied, so that later changes of the archive do not change the bag. The library `bagit` writes the
manifests (SHA-256 and SHA-512) and bag-info.txt, in a temporary folder beside the target. The folder gets its name when
it is complete.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from danvan_crawler import __version__, clock
from danvan_crawler.archive.layout import database_path, profile_folder
from danvan_crawler.atomic import new_folder
from danvan_crawler.exceptions import UsageError, archive_error
from danvan_crawler.export.items import write_jsonl
from danvan_crawler.export.site import ArchivedSite
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, items
from danvan_crawler.warc.index import write_index_and_manifest

CHECKSUMS = ("sha256", "sha512")


def pack_bag(archive: Path, site: ArchivedSite, output: Path, *, operator: str = "", contact: str = "") -> int:
    """Writes a site's bag and returns the number of articles in it.

    `operator` and `contact` are DANVAN_OPERATOR and DANVAN_CONTACT. Raises UsageError if `bagit` is missing or `output`
    exists, ArchiveDamagedError for a damaged WARC file, StoreError, and ArchiveError if something cannot be read or
    written (DiskFullError if the disk is full).
    """
    try:
        import bagit
    except ImportError as error:
        raise UsageError("bags need the library bagit: pip install 'danvan-crawler[bagit]'") from error
    output = output.absolute()
    if os.path.lexists(output):
        raise UsageError(f"{output} exists already; a bag needs a new folder")
    engine = open_for_reading(database_path(archive))
    try:
        with new_folder(output) as bag:
            for path in site.warc_files:
                copy = bag / path.relative_to(archive)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                shutil.copystat(path, copy)
                write_index_and_manifest(bag, copy)
            if site.profile is not None:
                profile = profile_folder(bag) / f"{site.slug}.toml"
                profile.parent.mkdir()
                profile.write_text(site.profile.source_text, encoding="utf-8")
            with (bag / "items.jsonl").open("wb") as file, engine.connect() as connection:
                written = write_jsonl(items(connection, Filter(site=site.slug)), file)
            bagit.make_bag(str(bag), _bag_info(site, operator, contact), checksums=list(CHECKSUMS))
    except OSError as error:
        raise archive_error(error, f"write {output}") from error
    return written


def _bag_info(site: ArchivedSite, operator: str, contact: str) -> dict[str, str]:
    """bag-info.txt, except Payload-Oxum, which bagit adds."""
    import bagit

    about = site.description
    is_mail = "@" in contact and "/" not in contact
    fields = {
        "Source-Organization": operator,
        "Contact-Email" if is_mail else "Contact-Name": contact,
        "External-Identifier": site.slug,
        "External-Description": f"{about.title}. {about.description}".removesuffix(". "),
        "Rights": about.rights,
        "Bagging-Date": clock.now().date().isoformat(),
        "Bag-Software-Agent": f"danvan-crawler {__version__}, bagit.py {bagit.VERSION}",
    }
    return {name: value for name, value in fields.items() if value}
