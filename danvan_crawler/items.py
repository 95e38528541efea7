"""The items of a crawl: the schema of articles and their parts.

`Article` is the item. A family sets the fields that come from the page, the pipelines derive others, and the store adds
those that depend on several captures (`DERIVED_BY_STORE`). Exports have exactly these fields in this order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Capture:
    """The place of one exchange in the archive."""

    warc_file: str
    """Path of the WARC file relative to the archive folder, its final name."""
    warc_offset: int
    """Byte offset of the response record's gzip member in that file."""
    warc_record_id: str
    """`urn:uuid:…` without angle brackets."""
    payload_digest: str | None
    """`sha1:…` of the entity body, transfer framing removed and content coding kept (WARC/1.1 §5.9)."""


@dataclass(slots=True)
class Image:
    """A picture in an article."""

    url: str
    caption: str | None = None
    media_type: str | None = None
    capture: Capture | None = None


@dataclass(slots=True)
class Attachment:
    """A document that an article offers for download."""

    url: str
    """The download link."""
    name: str
    """The file's name, percent-decoded."""
    media_type: str | None = None
    capture: Capture | None = None


@dataclass(slots=True)
class Article:
    """One article of one site, as one capture shows it."""

    site: str
    url: str
    """Address as fetched."""
    title: str
    body_text: str
    item_id: str = ""
    province: str = ""
    """ISO 3166-2:VN code of the site's province."""
    body: str = ""
    """Kind of Party body, e.g. `ban-dan-van`."""
    section: str = ""
    """The article's breadcrumb, else the earliest listing that links it."""
    canonical_url: str = ""
    """Address without tracking, session and print variants."""
    lead: str = ""
    author: str | None = None
    source: str | None = None
    published_raw: str | None = None
    """The date line exactly as displayed."""
    published_at: str | None = None
    """ISO 8601 with offset; None when unknown. Never guessed, never "now"."""
    published_precision: str | None = None
    """`second`, `minute` or `day`."""
    published_from: str | None = None
    """`visible`, `metadata` or `url`."""
    updated_at: str | None = None
    images: list[Image] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    documents: list[dict[str, str | None]] = field(default_factory=list)
    """Cited Party and State documents: raw, type, number, code, issuer, date."""
    tags: list[str] = field(default_factory=list)
    revision: int = 0
    content_hash: str = ""
    first_seen: str = ""
    """WARC-Date of the article's first capture."""
    last_seen: str = ""
    gone_at: str | None = None
    captured_at: str = ""
    """WARC-Date of the first capture of this revision; the next four fields are its place."""
    warc_file: str = ""
    warc_offset: int = 0
    warc_record_id: str = ""
    payload_digest: str | None = None
    extractor: str = ""
    """Family and its version, e.g. `danvan_portal/1`."""
    warnings: list[str] = field(default_factory=list)
    rights: str | None = None
    """The profile's note on rights in the site's content."""


@dataclass(frozen=True, slots=True)
class VisitCounters:
    """The numbers of a portal's visit box at one time. None if the box does not show a number."""

    site: str
    captured_at: str
    """WARC-Date of the page that shows them."""
    today: int | None
    yesterday: int | None
    this_week: int | None
    this_month: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """One entry of a listing."""

    url: str
    title: str
    published_raw: str | None = None
    """The date line beside the entry, None if there is none."""


EXPORT_FIELDS: tuple[str, ...] = (
    "item_id", "site", "province", "body", "section", "url", "canonical_url",
    "title", "lead", "body_text", "author", "source",
    "published_raw", "published_at", "published_precision", "published_from", "updated_at",
    "images", "attachments", "documents", "tags",
    "revision", "content_hash", "first_seen", "last_seen", "gone_at",
    "captured_at", "warc_file", "warc_offset", "warc_record_id", "payload_digest",
    "extractor", "warnings", "rights",
)  # fmt: skip
"""Order of the fields in exports and of the columns of table `articles`."""

LIST_FIELDS: frozenset[str] = frozenset({"images", "attachments", "documents", "tags", "warnings"})
"""List fields: JSON in the database and in CSV."""

DERIVED_BY_STORE: frozenset[str] = frozenset({"revision", "first_seen", "last_seen", "gone_at"})
"""Fields that depend on all captures of an article."""

OF_THE_SITE: frozenset[str] = frozenset({"rights"})
"""Fields that come from the profile: they are the same in all articles and revisions of a site."""

if set(EXPORT_FIELDS) != {f.name for f in fields(Article)}:  # both lists must have the same fields
    raise AssertionError("EXPORT_FIELDS and Article differ")
