"""Stage 100: clean printed text (NFC, no invisible characters, single spaces); tone placement stays as printed."""

from __future__ import annotations

from typing import Any

from itemadapter import ItemAdapter

from danvan_crawler.items import Article
from danvan_crawler.vietnamese.text import clean

_LINES = ("title", "section", "author", "source")
_TEXTS = ("lead", "body_text")


class TextPipeline:
    def process_item(self, item: Any) -> Any:
        if not isinstance(item, Article):
            return item
        fields = ItemAdapter(item)
        for name in _TEXTS:
            fields[name] = clean(fields[name])
        for name in _LINES:
            fields[name] = _line(fields[name])
        fields["author"], fields["source"] = fields["author"] or None, fields["source"] or None
        fields["tags"] = list(dict.fromkeys(tag for tag in map(_line, fields["tags"]) if tag))
        for image in item.images:
            image.caption = _line(image.caption) or None
        for attachment in item.attachments:
            attachment.name = _line(attachment.name) or ""
        return item


def _line(text: str | None) -> str | None:
    return " ".join(clean(text).split()) if text is not None else None
