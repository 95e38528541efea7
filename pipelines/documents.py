"""Stage 400: the Party and State documents that an article cites, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from danvan_crawler.items import Article
from danvan_crawler.vietnamese.documents import Citation, find


class DocumentsPipeline:
    """Fills documents from title, lead, body, names of attachments and tags."""

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article):
            item.documents = [record(citation) for citation in merged(mentions(item))]
        return item


def mentions(article: Article) -> Iterator[Citation]:
    """Every citation of an article, in reading order."""
    names = (attachment.name for attachment in article.attachments)
    for text in (article.title, article.lead, article.body_text, *names, *article.tags):
        yield from find(text)


def merged(citations: Iterable[Citation]) -> list[Citation]:
    """One citation per document, in the order of first mentions: the richest mention of each, else the first.

    A document is identified by number and code, with any separators: the file 131-KH-TU.pdf is 131-KH/TU. Two dates are
    two documents, because numbers start again with each term (35-CT/TW of 2019 and of 2024). A mention without a code
    ("Nghị quyết 18") is dropped if the article cites a document of that type and number in full.
    """
    groups: dict[tuple[str | None, ...], dict[date | None, list[tuple[int, Citation]]]] = {}
    for place, citation in enumerate(citations):
        of_number = groups.setdefault(_key(citation), {})
        day = citation.date or next(iter(of_number), None)
        if day is not None and None in of_number:
            # The mentions so far had no date, so count them for this document.
            of_number[day] = of_number.pop(None)
        of_number.setdefault(day, []).append((place, citation))
    full: dict[tuple[str | None, str], set[date | None]] = {}
    for of_number in groups.values():
        for day, found in of_number.items():
            for _, citation in found:
                if citation.code is not None:
                    full.setdefault((citation.type, _plain(citation.number)), {None}).add(day)
    kept = [
        (found[0][0], max((citation for _, citation in found), key=_richness))
        for of_number in groups.values()
        for day, found in of_number.items()
        if found[0][1].code is not None or day not in full.get((found[0][1].type, _plain(found[0][1].number)), ())
    ]
    return [citation for _, citation in sorted(kept, key=lambda pair: pair[0])]


def record(citation: Citation) -> dict[str, str | None]:
    """A citation as stored in an item, with its date in ISO 8601."""
    return {
        "raw": citation.raw,
        "type": citation.type,
        "number": citation.number,
        "code": citation.code,
        "issuer": citation.issuer,
        "date": citation.date.isoformat() if citation.date else None,
    }


def _key(citation: Citation) -> tuple[str | None, ...]:
    if citation.code is None:
        return (None, citation.type, _plain(citation.number))
    letters = citation.code.replace("/", "-").replace(".", "-").upper()
    return (letters, citation.number)


def _plain(number: str) -> str:
    """A number without leading zeros: "Chỉ thị 5" is Chỉ thị 05."""
    return number.lstrip("0")


def _richness(citation: Citation) -> tuple[bool, bool, bool]:
    """Sort key for the information in a mention: date first, then type, then a printed name instead of a code only."""
    named = citation.type is not None and citation.raw[:1].isalpha() and not citation.raw.lower().startswith("số")
    return citation.date is not None, citation.type is not None, named
