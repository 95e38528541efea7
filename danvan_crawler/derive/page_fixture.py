"""A page as a test fixture: a folder with the page, everything that its result depends on, and the expected result.

    response.http   the response message as the server sent it: head, transfer framing and content coding
    profile.toml    the profile of the site
    meta.json       address, capture time, headers, source of the page, its role
    expected.json   the result, for a person to check

The whole message is kept, because charset, content coding and kind of page depend on its head. So a fixture is read by
the same code as a record of the archive, and needs neither the archive nor the current profile.

An article is parsed by its family and passes all stages of the pipelines except the one that stores it, so dates and
cited documents can be checked as well. Fields that do not come from the page (the site, the place of the capture) are
omitted.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scrapy.settings import Settings

from danvan_crawler.atomic import new_folder, replacing
from danvan_crawler.capture.playback import Playback
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.derive.idle import idle_crawler
from danvan_crawler.exceptions import UsageError, archive_error
from danvan_crawler.families import Listing, extract, load_family
from danvan_crawler.items import DERIVED_BY_STORE, OF_THE_SITE, Article, VisitCounters
from danvan_crawler.pages.kind import is_blank, page_kind, says_not_found
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.stages import stages_of
from danvan_crawler.urls import canonical, path_key
from danvan_crawler.walk.context import RejectedItemError
from danvan_crawler.warc.message import parse_head, split_head, status_of

ARTICLE = "article"
LISTING = "listing"
ROLES = (ARTICLE, LISTING)
"""How a page can be read. In a crawl, the reason for the request decides this."""
NO_ARTICLE = "no article"

EXPECTED = "expected.json"
_RESPONSE, _PROFILE, _META = "response.http", "profile.toml", "meta.json"

_HEADERS = (b"Content-Type", b"Content-Encoding", b"Content-Disposition", b"Last-Modified")
"""Response fields repeated in meta.json: they are used for decoding, or help to check the date of the page."""
_NOT_OF_THE_PAGE = (
    {"item_id", "site", "province", "body", "url", "content_hash", "extractor"}
    | {"captured_at", "warc_file", "warc_offset", "warc_record_id", "payload_digest"}
    | DERIVED_BY_STORE
    | OF_THE_SITE
)

Reading = dict[str, Any]
"""Content of expected.json: `reads` with ARTICLE, LISTING or NO_ARTICLE, and the result."""


@dataclass(frozen=True, slots=True)
class RecordedPage:
    """A page as a server sent it."""

    url: str
    message: bytes
    """The whole response message."""
    captured_at: str
    """WARC-Date of the capture."""
    source: Mapping[str, str]
    """Its source, for meta.json."""

    def __post_init__(self) -> None:
        try:
            is_moment = datetime.fromisoformat(self.captured_at).tzinfo is not None
        except ValueError:
            is_moment = False
        if not is_moment:
            raise UsageError(f"{self.url}: the time of its capture, {self.captured_at!r}, is not a time with zone")


@dataclass(frozen=True, slots=True)
class Fixture:
    """A page with everything that its result depends on."""

    page: RecordedPage
    site: Site
    read_as: str
    """ARTICLE or LISTING."""


class FixtureReader:
    """Reads recorded pages of one site as a crawl with these settings does. Needs `_layout.activate()`."""

    def __init__(self, site: Site, settings: Settings) -> None:
        crawler = idle_crawler(site.slug, site, settings, None)
        self._family = load_family(site)
        self._playback = Playback(crawler)
        self._stages = stages_of(crawler, storing=False)

    def role_of(self, recorded: RecordedPage) -> str:
        """The role of a page if it is not given.

        The page of a section or feed is a listing. Another page is an article if it contains one, else a listing if it
        links articles and does not look like a notice.
        """
        if path_key(recorded.url) in {path_key(request.url) for request in self._family.section_requests()}:
            return LISTING
        if self.read(recorded, ARTICLE)["reads"] == ARTICLE:
            return ARTICLE
        page = self._page(recorded)
        has_links = bool(self._family.parse_section(page).links)
        return LISTING if has_links and not any(_verdicts(page).values()) else ARTICLE

    def read(self, recorded: RecordedPage, role: str) -> Reading:
        """The result for a page. Raises UsageError if it is not text, UndecodableBodyError."""
        page = self._page(recorded)
        if role == LISTING:
            return _of_listing(self._family.parse_section(page), page)
        found: Reading = {"reads": NO_ARTICLE}
        for item in extract(self._family, page, _capture_of(recorded)):
            if isinstance(item, VisitCounters):
                found["visit_counters"] = _without(asdict(item), {"site", "captured_at"})
            elif found["reads"] == NO_ARTICLE:
                found |= self._of_article(item)
        if found["reads"] == NO_ARTICLE:
            found["verdicts"] = _verdicts(page)
        return found

    def _page(self, recorded: RecordedPage) -> Page:
        page = self._playback.page(recorded.message, _capture_of(recorded))
        if not page.is_text:
            raise UsageError(f"{recorded.url} is not a page but a file of type {page.content_type or 'unknown'}")
        return page

    def _of_article(self, article: Article) -> Reading:
        try:
            article = self._stages(article)
        except RejectedItemError as dropped:
            return {"dropped": str(dropped)}
        fields = _without(asdict(article), _NOT_OF_THE_PAGE)
        for linked in (*fields["images"], *fields["attachments"]):
            del linked["media_type"], linked["capture"]  # known from other captures
        return {"reads": ARTICLE, "article": fields}


def _of_listing(listing: Listing, page: Page) -> Reading:
    found: Reading = {
        "reads": LISTING,
        "listing": {
            "links": [asdict(link) for link in listing.links],
            "next_url": listing.next_url,
            "is_feed": listing.is_feed,
        },
    }
    return found if listing.links else {**found, "verdicts": _verdicts(page)}


def _verdicts(page: Page) -> dict[str, str | bool | None]:
    """The checks of a crawl for a page without an article, by name of the function in `pages.kind`."""
    return {"page_kind": page_kind(page), "says_not_found": says_not_found(page), "is_blank": is_blank(page)}


def _capture_of(recorded: RecordedPage) -> CaptureRecord:
    """The capture of a page outside of an archive."""
    return CaptureRecord(
        url=recorded.url,
        date=recorded.captured_at,
        warc_file="",
        warc_offset=0,
        warc_record_id="",
        payload_digest=None,
        status=status_of(recorded.message),
        truncated=None,
        media_type=None,
    )


def _without(fields: dict[str, Any], names: set[str] | frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def differences(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """Differences between the expected and the actual result, field by field.

    Each difference is the field's name, then lines that begin with `-` (expected) and `+` (actual). A missing field
    equals an empty one, so that an old expectation stays valid if items get a new field.
    """
    if expected == found or (_is_empty(expected) and _is_empty(found)):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(name), found.get(name), f"{where}.{name}" if where else name)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (before, now) in enumerate(zip(expected, found, strict=True)):
            yield from differences(before, now, f"{where}[{number}]")
    else:
        yield "\n".join([where or EXPECTED, *_changed_lines(_lines(expected), _lines(found))])


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _lines(value: Any) -> list[str]:
    """A value as lines of JSON, which escapes control characters for terminals."""
    parts = value if isinstance(value, list) else value.split("\n") if isinstance(value, str) else [value]
    return [json.dumps(part, ensure_ascii=False, sort_keys=True) for part in parts]


def _changed_lines(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, now, False).get_opcodes():
        if tag != "equal":
            yield from (f"  - {line}" for line in before[start:end])
            yield from (f"  + {line}" for line in now[new_start:new_end])


def load(folder: Path) -> Fixture:
    """The fixture in a folder. Raises UsageError if a file is missing or cannot be read, ProfileError."""
    meta = _json_in(folder / _META)
    profile = _bytes_of(folder / _PROFILE).decode("utf-8", "replace")
    missing = [key for key in ("url", "captured_at", "source", "read_as") if key not in meta]
    if missing or meta["read_as"] not in ROLES:
        raise UsageError(f"{folder / _META} is not from `danvan fixture`: it has no valid {(*missing, 'read_as')[0]}")
    page = RecordedPage(meta["url"], _bytes_of(folder / _RESPONSE), meta["captured_at"], meta["source"])
    return Fixture(page, Site.parse(profile, origin=str(folder / _PROFILE)), meta["read_as"])


def expectation(folder: Path) -> Any:
    """The expected result in a folder; None if there is none yet. Raises UsageError."""
    return _json_in(folder / EXPECTED) if (folder / EXPECTED).exists() else None


def is_same_page(folder: Path, fixture: Fixture) -> bool:
    """Whether the folder already has this page, profile and role. Raises UsageError if it has another address."""
    if not (folder / _META).exists():
        return False
    url = _json_in(folder / _META).get("url")
    if not isinstance(url, str) or canonical(url) != canonical(fixture.page.url):
        raise UsageError(f"{folder} holds another page, {url}; choose another folder with --name or -o")
    return all(path.exists() and _bytes_of(path) == data for path, data in _files(folder, fixture).items())


def save(folder: Path, fixture: Fixture, reading: Reading) -> None:
    """Writes a fixture, replacing an existing one. Raises ArchiveError."""
    expected = _json_of(reading)
    try:
        if folder.is_dir():
            for path, data in {**_files(folder, fixture), folder / EXPECTED: expected}.items():
                with replacing(path) as file:
                    file.write(data)
            return
        with new_folder(folder) as draft:
            for path, data in {**_files(draft, fixture), draft / EXPECTED: expected}.items():
                path.write_bytes(data)
    except OSError as error:
        raise archive_error(error, f"write {folder}") from error


def _files(folder: Path, fixture: Fixture) -> dict[Path, bytes]:
    """All files of a fixture except the expected result."""
    page, head = fixture.page, parse_head(split_head(fixture.page.message)[0])
    meta = {
        "url": page.url,
        "status": status_of(page.message),
        "headers": {
            name.decode(): value.decode("latin-1") for name in _HEADERS if (value := head.get(name)) is not None
        },
        "captured_at": page.captured_at,
        "source": dict(page.source),
        "site": fixture.site.slug,
        "family": fixture.site.family,
        "read_as": fixture.read_as,
    }
    return {
        folder / _RESPONSE: page.message,
        folder / _PROFILE: fixture.site.source_text.encode(),
        folder / _META: _json_of(meta),
    }


def _json_of(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _json_in(path: Path) -> Any:
    try:
        found = json.loads(_bytes_of(path))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} is not a JSON object")
    return found


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
