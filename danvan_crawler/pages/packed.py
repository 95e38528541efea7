"""Feeds and sitemaps that a server sends as a gzip file (`sitemap.xml.gz`), without Content-Encoding."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from isal import igzip, isal_zlib

from danvan_crawler.exceptions import UndecodableBodyError
from danvan_crawler.pages.page import Page

MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes of an unpacked sitemap. The sitemap protocol allows 50 MiB (sitemaps.org, protocol, "Sitemap file
requirements")."""
_MAGIC = b"\x1f\x8b\x08"


def unpacked(page: Page) -> Page:
    """The page in a gzip file; any other page is returned unchanged.

    Raises UndecodableBodyError if the file is damaged, or larger than MAX_UNPACKED.
    """
    if not page.body.startswith(_MAGIC):
        return page
    try:
        with igzip.IGzipFile(fileobj=BytesIO(page.body)) as file:  # type: ignore[no-untyped-call]
            body = file.read(MAX_UNPACKED + 1)
    except (EOFError, OSError, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub calls it an instance
        raise UndecodableBodyError(f"the gzip file is damaged: {error}") from error
    if len(body) > MAX_UNPACKED:
        raise UndecodableBodyError(f"the gzip file is larger than {MAX_UNPACKED} bytes when unpacked")
    return replace(page, body=body, is_text=True, is_html=False)
