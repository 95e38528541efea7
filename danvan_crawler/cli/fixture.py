"""`danvan fixture`: records a page as a test fixture."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

import click

from danvan_crawler import _layout
from danvan_crawler.archive.layout import database_path
from danvan_crawler.cli.common import (
    archive_option,
    errors,
    known_capture,
    known_place,
    registry,
    sites_option,
    write_out,
)
from danvan_crawler.derive import page_fixture, page_source
from danvan_crawler.derive.page_fixture import Fixture, FixtureReader, Reading, RecordedPage
from danvan_crawler.exceptions import UsageError
from danvan_crawler.plurals import counted
from danvan_crawler.sites.profile import Site
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.warc.revisits import full_id

_RECORD_ID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:(?!uuid:).+")


@click.command("fixture")
@click.argument("source", metavar="URL|FILE|ID")
@click.option("--url", metavar="URL", help="Address of the page in FILE; required for a file.")
@click.option("--site", "slug", metavar="SLUG", help="The site; without it, the site with the host of the page.")
@click.option("--family", metavar="NAME", help="Read with this family, for a site without a profile.")
@click.option(
    "--as",
    "read_as",
    type=click.Choice(page_fixture.ROLES),
    help="Read as article or as listing; without it, chosen by address and content.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the fixture; without it, tests/fixtures/pages/FAMILY/NAME in a checkout, else ./NAME.",
)
@click.option("--name", metavar="NAME", help="Name of the folder; without it, made from the address.")
@click.option("--accept", is_flag=True, help="Replace an expectation that differs.")
@archive_option
@sites_option
def command(
    source: str,
    url: str | None,
    slug: str | None,
    family: str | None,
    read_as: str | None,
    output: Path | None,
    name: str | None,
    accept: bool,
    archive: Path,
    site_folders: tuple[Path, ...],
) -> None:
    """Record a page as a test fixture: its response, profile and facts, and expected.json with the result of reading.

    The page is the newest complete capture of URL in the archive, a record of the archive with this ID, an HTML file,
    or a page in a WARC file. Read expected.json and correct what is wrong. If FILE is the folder of a fixture, its page
    is read again.

    An existing expected.json is not replaced. If the result is different now, the differences are printed and the exit
    code is 2.

    \b
    Example:
      danvan fixture https://example.vn/tin-tuc/hoi-nghi-57.html
      danvan fixture saved.html --url https://example.vn/tin-tuc/ --family nukeviet --as listing
      danvan fixture tests/fixtures/pages/nukeviet/hoi-nghi-57 --accept
    """
    from danvan_crawler.crawl.runner import project_settings

    if slug is not None and family is not None:
        raise UsageError("--site and --family cannot be given together")
    if output is not None and name is not None:
        raise UsageError("-o and --name cannot be given together")
    path = None if "://" in source else Path(source)  # an address may be longer than a name can be
    if url is not None and (path is None or not path.is_file()):
        raise UsageError(f"--url is for files, and there is no file {source}")
    _layout.activate()
    known = page_fixture.load(path) if path is not None and path.is_dir() else None
    page = known.page if known is not None else _page(source, url, archive)
    if known is not None and slug is None and family is None:
        site = known.site
    elif family is not None:
        site = page_source.stub_of(family, page.url, read_as)
    else:
        site = page_source.site_of(registry(archive, site_folders), page.url, slug)
    reader = FixtureReader(site, project_settings({"DANVAN_ARCHIVE": str(archive)}))
    role = read_as or (known.read_as if known is not None else reader.role_of(page))
    folder = output or (path if known is not None and name is None else None) or _folder(site, page, name)
    _settle(folder, Fixture(page, site, role), reader.read(page, role), accept)


def _page(source: str, url: str | None, archive: Path) -> RecordedPage:
    place_of = partial(known_place, archive)
    if "://" in source:
        with open_for_reading(database_path(archive)).connect() as connection:
            record_id = page_source.newest_capture(connection, page_source.address(source))
    elif Path(source).exists():
        if url is None:
            raise UsageError(f"{source}: give the address of the page with --url")
        return page_source.page_in_file(Path(source), url, archive, place_of)
    elif _RECORD_ID.fullmatch(full_id(source)):
        record_id = source
        if (row := known_capture(archive, record_id)) is not None:
            with open_for_reading(database_path(archive)).connect() as connection:
                page_source.refuse_suppressed(connection, row["url"], row["suppressed"])
    else:
        raise UsageError(f"{source!r} is not an address, a record id or an existing file")
    return page_source.page_of_record(archive, record_id, place_of)


def _folder(site: Site, page: RecordedPage, name: str | None) -> Path:
    """The default folder: beside the other fixtures if the working folder is in the checkout, else below it."""
    name = page_source.name_of(page.url) if name is None else name
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"--name must be the name of a folder, got {name!r}")
    here, root = Path.cwd(), _layout.project_root()
    if (root / "tests" / "fixtures").is_dir() and here.is_relative_to(root):
        return root / "tests" / "fixtures" / "pages" / site.family / name
    return here / name


def _settle(folder: Path, fixture: Fixture, reading: Reading, accept: bool) -> None:
    """Writes a new fixture, or reports the differences from an existing one."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # as in `common`: symbolic links are not resolved
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    is_same = page_fixture.is_same_page(folder, fixture)
    expected = page_fixture.expectation(folder)
    if expected is None:
        page_fixture.save(folder, fixture, reading)
        errors().print(f"{shown}: recorded, {_described(reading)}", markup=False)
        errors().print(f"Now read {shown / page_fixture.EXPECTED} and correct what is wrong.", markup=False)
        return
    found = list(page_fixture.differences(expected, reading))
    for difference in found:
        write_out(difference)
    if found and not accept:
        raise UsageError(
            f"{shown / page_fixture.EXPECTED} does not match the page (fields that differ: {len(found)}); "
            "nothing was written, --accept replaces it"
        )
    if accept and (found or not is_same):
        page_fixture.save(folder, fixture, reading)
        errors().print(f"{shown}: replaced, {_described(reading)}", markup=False)
        return
    kept = "" if is_same else "; the recorded page or profile is older and was not replaced, --accept replaces it"
    errors().print(f"{shown}: reads as expected, {_described(reading)}{kept}", markup=False)


def _described(reading: Reading) -> str:
    """A short description of the result."""
    if "article" in reading:
        article = reading["article"]
        return f"article {article['title']!r}, published {article['published_at'] or 'on an unknown day'}"
    if "listing" in reading:
        listing = reading["listing"]
        count = len(listing["links"])
        return f"listing, {counted(count, 'entry', 'entries')}, next page {listing['next_url'] or 'not found'}"
    verdicts = ", ".join(f"{name}: {value}" for name, value in reading["verdicts"].items() if value)
    return f"no article on it{f' ({verdicts})' if verdicts else ''}"
