"""Stage 500: identity of the article and of its content: canonical address, item id, content hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from danvan_crawler.items import Article
from danvan_crawler.urls import canonical, item_id, without_session
from danvan_crawler.vietnamese.text import forms


class IdentityPipeline:
    """Fills canonical_url, item_id and content_hash."""

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Article):
            item.canonical_url = canonical(item.canonical_url or item.url)
            item.item_id = item_id(item.site, item.canonical_url)
            item.content_hash = content_hash(item)
        return item


def content_hash(article: Article) -> str:
    """SHA-256 (hex) of the canonical JSON of all fields whose change makes a new revision.

    Title, lead and body in canonical spelling, so that other tone placement is not a new revision; author, source and
    published_at unchanged; attachment addresses without session ids. Keys sorted, no spaces, UTF-8.
    """
    content = {
        "title": forms(article.title)[0],
        "lead": forms(article.lead)[0],
        "body_text": forms(article.body_text)[0],
        "author": article.author,
        "source": article.source,
        "published_at": article.published_at,
        "attachments": [without_session(attachment.url) for attachment in article.attachments],
    }
    encoded = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode()).hexdigest()
