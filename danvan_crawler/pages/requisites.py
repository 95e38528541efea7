"""Page requisites: pictures and files, styles, scripts, fonts, frames that replaying a page needs.

They are archived but not parsed for articles. In the frontier they are rows without a section. So if a run is stopped
between an article and its pictures, the next run fetches them, and each is requested once, however many pages show it.

Requisites have requisites: a stylesheet imports another, which names a font; a frame is a page. `of_requisite` finds
those, down to `MAX_DEPTH`. Only files on the hosts of the site, or on the static hosts in its profile, are fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from w3lib.encoding import http_content_type_encoding
from w3lib.url import safe_url_string

from danvan_crawler.items import Article
from danvan_crawler.pages._css_references import sheet_refs, sheet_text
from danvan_crawler.pages._html_references import page_refs
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.urls import file_name, host_of, join, path_key

NO_SECTION = ""
"""Section of a requisite in the frontier; sections of a profile always have a name."""
FINAL_STATUSES = frozenset({404, 410})
"""Statuses of a file that does not exist; the next run does not request it again."""
MAX_DEPTH = 4
"""Maximum distance of a requisite from its page. A file that the page names has 1, a font of an imported sheet 3."""
MAX_REFS = 5000
"""Maximum number of references per page; a real page has a few hundred at most."""
_MAX_ADDRESS = 2000
"""Maximum characters of an address; longer ones are embedded pictures, or mistakes."""
_UNFILLED = ("{{", "${", "<%", "' +", "'+", '" +', '"+')
"""Signs of an unfilled template instead of an address."""
_MEDIA = frozenset(
    {
        *("3gp", "aac", "asf", "avi", "flac", "flv", "m4a", "m4v", "mkv", "mov", "mp3", "mp4", "mpeg", "mpg"),
        *("oga", "ogg", "ogv", "ts", "wav", "webm", "wma", "wmv"),
    }
)
"""File extensions of video and audio."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Decides which addresses are a site's requisites, and the key of each in the frontier."""

    hosts: frozenset[str]
    static_hosts: frozenset[str] = frozenset()
    fronts: frozenset[str] = frozenset()
    """Keys of the front page and the sections, which a crawl requests in any case."""

    @classmethod
    def of(cls, site: Site) -> Scope:
        fronts = frozenset(path_key(url) for url in (site.home, *(section.url for section in site.sections)))
        hosts = frozenset(site.hosts)
        return cls(hosts, frozenset(site.static_hosts) - hosts, fronts)

    def key_of(self, url: str) -> str:
        """The path key. For a static host it begins with the host, which may have other files under the same paths."""
        host = host_of(url) if self.static_hosts else ""
        return f"//{host}{path_key(url)}" if host in self.static_hosts else path_key(url)

    def keyed(self, urls: Iterable[str]) -> dict[str, str]:
        """The addresses that are requisites of the site, by key; the first address of each key."""
        found: dict[str, str] = {}
        for url in urls:
            host = host_of(url)
            if host in self.hosts or host in self.static_hosts:
                found.setdefault(self.key_of(url), url)
        for key in self.fronts & found.keys():
            del found[key]
        return found


def of_page(page: Page, article: Article | None = None) -> list[str]:
    """Absolute addresses of a page's requisites, on any host: first an article's images and attachments.

    If the page names no icon, /favicon.ico is included, as browsers request it.
    """
    refs, has_icon = page_refs(page.text)
    found = _located(page.base_url, refs)
    if article is not None:
        found = [*(image.url for image in article.images), *(file.url for file in article.attachments), *found]
    if not has_icon:
        found.append(join(page.url, "/favicon.ico"))
    return found


def of_requisite(page: Page) -> list[str]:
    """Absolute addresses of the requisites of a requisite, if it is a stylesheet or a page in a frame."""
    if not page.is_text:
        return []
    content_type = page.content_type.lower()
    if content_type.startswith("text/css") or (
        page.url.partition("?")[0].lower().endswith(".css") and not page.is_html
    ):
        text = sheet_text(page.body, http_content_type_encoding(content_type))
        return _located(page.url, dict.fromkeys(sheet_refs(text)))
    return of_page(page) if page.is_html else []


def is_media(url: str) -> bool:
    """Whether an address names a video or audio file.

    >>> is_media("http://example.vn/phim/hoi-nghi.MP4?v=2"), is_media("http://example.vn/xem.aspx?file=a.wmv")
    (True, True)
    """
    return file_name(url).rpartition(".")[2].lower() in _MEDIA


def _located(base: str, refs: Iterable[str]) -> list[str]:
    # An address from the root is the same on every page, and menus repeat it; this base allows cache hits.
    front = join(base, "/")
    urls = (
        _absolute(front if ref.startswith("/") else base, ref)
        for ref in islice(refs, MAX_REFS)
        if len(ref) <= _MAX_ADDRESS
    )
    return [url for url in urls if url is not None]


@lru_cache(maxsize=2048)
def _absolute(base: str, ref: str) -> str | None:
    """The address as browsers form it; None for an empty or invalid address, a fragment or an unfilled template."""
    ref = ref.strip().replace("\n", "").replace("\r", "").replace("\t", "")
    path, mark, query = ref.partition("?")
    ref = path.replace("\\", "/") + mark + query
    if not ref.partition("#")[0] or any(part in ref for part in _UNFILLED):
        return None
    try:
        url: str = safe_url_string(join(base, ref)).split("#", 1)[0]
        host_of(url)
    except ValueError:  # "http://[" and the like
        return None
    return url if url.lower().startswith(("http://", "https://")) else None
