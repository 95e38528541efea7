"""Get the page for a test fixture from a record of the archive, an HTML file, or a WARC file of any tool.

A revisit is replaced by the complete response. Records that a crawl would not read are refused: truncated ones, and
responses without a page.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from danvan_crawler.captures import RecordPlace
from danvan_crawler.clock import warc_date
from danvan_crawler.derive.page_fixture import LISTING, RecordedPage
from danvan_crawler.exceptions import ArchiveDamagedError, UnknownItemError, UsageError, archive_error
from danvan_crawler.plurals import counted
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.store import suppression
from danvan_crawler.store.captures import CaptureRow, by_key
from danvan_crawler.store.schema import captures
from danvan_crawler.urls import bare_host, endpoint, host_of, path_key, without_credentials
from danvan_crawler.vietnamese.text import fold
from danvan_crawler.warc.containers import Part, parts_of
from danvan_crawler.warc.message import status_of
from danvan_crawler.warc.reader import WarcRecord
from danvan_crawler.warc.revisits import (
    find_original,
    find_record,
    is_not_modified,
    reference_of,
    whole_response,
)
from danvan_crawler.warc.sources import is_archive, source_records

Known = Callable[[str], RecordPlace | None]
"""Looks up the place of a record by id in the archive's database."""

_GZIP_MAGIC = b"\x1f\x8b"
_BEGINNING = 8192
"""Bytes at the beginning of a file in which a page is recognized."""
_MARKUP = re.compile(
    rb"<(?:!doctype|html|head|title|body|meta|table|div|p|a|h[1-6]|\?xml|rss|feed|urlset|sitemapindex)\b", re.IGNORECASE
)
_XML = re.compile(rb"\s*<\?xml(?!.*<html)|\s*<(?:rss|feed|urlset|sitemapindex)\b", re.IGNORECASE | re.DOTALL)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LONGEST_NAME = 80


def address(url: str) -> str:
    """The address without user name and password, if it is absolute http(s). Raises UsageError."""
    plain = without_credentials(url)
    if not re.match(r"(?i)https?://", plain) or not host_of(plain):
        raise UsageError(f"{plain!r} is not an absolute http:// or https:// address")
    return plain


def newest_capture(connection: Connection, url: str) -> str:
    """Record id of the newest complete page of an address in the archive.

    Raises UnknownItemError, and UsageError for a suppressed article.
    """
    refuse_suppressed(connection, url)
    rows = list(_captures(connection, url))
    complete = [row for row in rows if row["truncated"] is None and _is_page(row["status"], row["refers_to"])]
    own = [row for row in complete if row["url_key"] == path_key(url)]
    if not complete:
        kept = (
            f"has no complete page of {url}, only {counted(len(rows), 'other answer')}"
            if rows
            else f"does not have {url}"
        )
        raise UnknownItemError(
            f"the archive {kept}: crawl its site with `danvan crawl SLUG`, or import a WARC file that has it with "
            "`danvan import-warc FILE`"
        )
    newest = max(own or complete, key=lambda row: (row["warc_date"], row["warc_file"], row["warc_offset"]))
    refuse_suppressed(connection, newest["url"], newest["suppressed"])
    return str(newest["warc_record_id"])


def refuse_suppressed(connection: Connection, url: str, item: str | None = None) -> None:
    """Raises UsageError if an address shows a suppressed article, because a fixture would publish it.

    `item` is the suppressed item_id in the row of a capture.
    """
    takedown = suppression.find(connection, url) if item is None else None
    item = takedown.item_id if takedown is not None else item
    if item is not None:
        raise UsageError(f"{url} is suppressed; `danvan suppress {item} --undo` ends that")


def _captures(connection: Connection, url: str) -> Iterator[CaptureRow]:
    """Captures of an address or of its redirect target, from all sites that have its host."""
    key, host = path_key(url), bare_host(url)
    for site in connection.execute(select(captures.c.site).distinct()).scalars().all():
        rows = by_key(connection, site, [key])[key]
        if any(bare_host(row["url"]) == host for row in rows):
            yield from rows


def _is_page(status: int | None, refers_to: str | None) -> bool:
    return status is not None and (200 <= status < 300 or (status == 304 and refers_to is not None))


def page_of_record(archive: Path, record_id: str, known: Known) -> RecordedPage:
    """The page in a record of the archive.

    Raises UnknownItemError, UsageError if it has no page, LostPayloadError, ArchiveError.
    """
    record = find_record(archive, record_id, hint=known(record_id))
    reference = reference_of(_with_page(record))
    if reference is None:
        return _page(record, None, {})
    hint = known(reference.record_id) if reference.record_id is not None else None
    return _page(record, find_original(archive, record, hint), {})


def _with_page(record: WarcRecord) -> WarcRecord:
    """The record, if it can have a page. Raises UsageError."""
    if record.type not in ("response", "revisit"):
        raise UsageError(f"{record.id} is a {record.type} record: only response and revisit records have a page")
    if record.type == "response" and record.truncated is not None:
        raise UsageError(f"{record.id} is truncated ({record.truncated}): a crawl does not read such a page")
    if record.block and not is_not_modified(record):
        _refuse_other(record, record.block)
    return record


def _refuse_other(record: WarcRecord, message: bytes) -> None:
    """Raises UsageError if a crawl would not read the response as a page."""
    status = status_of(message)
    if status is None or not 200 <= status < 300:
        raise UsageError(f"{record.id} has the HTTP status {status or '(missing)'}: a crawl does not read it as a page")


def _page(record: WarcRecord, original: WarcRecord | None, source: dict[str, str]) -> RecordedPage:
    message = record.block if original is None else whole_response(record, original)
    _refuse_other(record, message)
    source = {**source, "warc_record_id": record.id}
    if original is not None:
        source["refers_to"] = original.id
    return RecordedPage(address(record.url or ""), message, record.date, source)


def page_in_file(path: Path, url: str, archive: Path, known: Known) -> RecordedPage:
    """The page in an HTML file, which may be gzipped, or the newest complete page of an address in a file that
    `danvan import-warc` reads.

    The record that a revisit refers to may also be in the archive. Raises UsageError if there is no page,
    ArchiveDamagedError, LostPayloadError, ArchiveError.
    """
    address(url)
    try:
        if path.stat().st_size == 0 or is_archive(path):
            return _page_in_warc(path, url, archive, known)
        data, saved_at = path.read_bytes(), path.stat().st_mtime
        is_gzipped = data.startswith(_GZIP_MAGIC)
        beginning = (gzip.decompress(data) if is_gzipped else data)[:_BEGINNING].replace(b"\0", b"")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArchiveDamagedError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise archive_error(error, f"read {path}") from error
    if not _MARKUP.search(beginning):
        raise UsageError(f"{path} is neither a page nor a WARC file")
    for mark in _BYTE_ORDER_MARKS:
        beginning = beginning.removeprefix(mark)
    coding = b"Content-Encoding: gzip\r\n" if is_gzipped else b""
    media_type = b"application/xml" if _XML.match(beginning) else b"text/html"
    # No charset: the server's header is unknown.
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n" % (media_type, coding, len(data))
    captured_at = warc_date(datetime.fromtimestamp(saved_at, UTC))
    return RecordedPage(url, head + data, captured_at, {"file": path.name})


def _page_in_warc(path: Path, url: str, archive: Path, known: Known) -> RecordedPage:
    key, host = path_key(url), bare_host(url)

    def is_wanted(record: WarcRecord) -> bool:
        here = record.url or ""
        return record.type in ("response", "revisit") and (path_key(here), bare_host(here)) == (key, host)

    pages: list[WarcRecord] = []
    refusal: UsageError | None = None
    for record in _records(path, is_wanted):
        try:
            pages.append(_with_page(record))
        except UsageError as error:
            refusal = error
    if not pages:
        raise refusal or UsageError(f"{path} holds no page of {url}")
    newest = max(pages, key=lambda record: record.date)
    original = None
    if (reference := reference_of(newest)) is not None:
        original = next(iter(_records(path, reference.matches)), None)
        if original is None:
            hint = known(reference.record_id) if reference.record_id is not None else None
            original = find_original(archive, newest, hint)
    return _page(newest, original, {"file": path.name})


def _records(path: Path, is_wanted: Callable[[WarcRecord], bool]) -> Sequence[WarcRecord]:
    """The wanted records of a file. Raises ArchiveDamagedError if any of its records is damaged."""
    return [record for part in parts_of(path) for record in _of_part(part, is_wanted)]


def _of_part(part: Part, is_wanted: Callable[[WarcRecord], bool]) -> Iterator[WarcRecord]:
    with closing(source_records(part)) as records:
        for record in records:
            seen = WarcRecord(record.headers["WARC-Type"].lower(), record.headers, record.offset, b"")
            if is_wanted(seen):
                seen.block = b"".join(record.block())
                yield seen


def site_of(registry: SiteRegistry, url: str, slug: str | None) -> Site:
    """The site with this slug, else the site with the host of an address. Raises UsageError, UnknownSiteError."""
    if slug is not None:
        site = registry.get(slug)
        if host_of(url) not in site.hosts:
            raise UsageError(
                f"{url} is not on a host of {slug} ({', '.join(site.hosts)}): add its host to the aliases of the "
                f"profile, or read it with --family {site.family}"
            )
        return site
    owners = [site for site in registry if _has(site, url)]
    if len(owners) != 1:
        found = "several sites, " + " and ".join(site.slug for site in owners) if owners else "no site"
        raise UsageError(f"{url} is on a host of {found}: name the site with --site, or a family with --family")
    return owners[0]


def _has(site: Site, url: str) -> bool:
    return host_of(url) in site.hosts and (not site.private_network or endpoint(url) in site.private_endpoints())


def stub_of(family: str, url: str, read_as: str | None) -> Site:
    """A minimal profile with a family, for a page of a site without a profile. Raises ProfileError."""
    home = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/"
    facts: dict[str, Any] = {
        "slug": f"mau-{family.strip('_').replace('_', '-').lower()}",
        "name": f"A site of the family {family}",
        "family": family,
        "home": home,
        "province": "VN-21",
        "body": "ban-dan-van",
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items()]
    section = json.dumps(url if read_as == LISTING else home, ensure_ascii=False)
    return Site.parse("".join([*lines, f'\n[[sections]]\nname = "Tin tức"\nurl = {section}\n']), origin="--family")


def name_of(url: str) -> str:
    """Folder name for a page, from path and query of its address."""
    path = re.sub(r"(?i)\.(?:html?|aspx?|php|jsp)(?=$|\?)", "", path_key(url))
    return re.sub(r"[^a-z0-9]+", "-", fold(path)).strip("-")[:_LONGEST_NAME].strip("-") or "home"
