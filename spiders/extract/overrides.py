"""Common functions of all families: a page's declared address, selectors of a profile, nodes of a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.items import Article, ArticleLink
from danvan_crawler.pages.page import Page
from danvan_crawler.urls import canonical, host_of, path_key
from spiders.extract.outline import absolute, outline, override, squeeze


def declared_address(tree: LexborHTMLParser, base: str, url: str) -> str:
    """<link rel=canonical> if it names another page of the same host, else the address as fetched.

    A link to the front page is ignored, because it is an error in the template.
    """
    node = tree.css_first('link[rel="canonical"][href]')
    declared = absolute(base, node.attributes.get("href") or "") if node is not None else None
    if declared is None or host_of(declared) != host_of(url) or path_key(declared) in ("/", path_key(url)):
        return url
    return declared


def drop(nodes: Iterable[LexborNode]) -> None:
    """Remove nodes from their tree. Of nested nodes, only the outermost is removed, because it frees the inner ones."""
    found = list(nodes)
    ids = {node.mem_id for node in found}
    for node in [node for node in found if not any(box.mem_id in ids for box in ancestors(node))]:
        node.decompose()


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """The elements around a node, from the nearest to <html>."""
    box = node.parent
    while box is not None:
        yield box
        box = box.parent


def chosen_links(chosen: Iterable[LexborNode], base: str) -> Iterator[ArticleLink]:
    """Entries of a listing from the nodes that match a profile's `article_link`, each address once."""
    seen: set[str] = set()
    for body in chosen:
        for anchor in body.css("a[href]"):
            url = absolute(base, anchor.attributes.get("href") or "")
            title = squeeze(anchor.text())
            if url and title and path_key(url) not in seen:
                seen.add(path_key(url))
                yield ArticleLink(canonical(url), title)


def apply_overrides(article: Article, page: Page, selectors: Mapping[str, str]) -> None:
    """Replace the fields that the family read by the text that a profile's selectors find, if they find any."""
    for key in ("title", "lead", "section", "published"):
        nodes = override(page, selectors, key)
        if nodes:
            text = squeeze(nodes[0].text())
            if key == "published":
                article.published_raw, article.published_from = text, "visible"
            else:
                setattr(article, key, text)
    bodies = override(page, selectors, "body")
    if bodies:
        lines = (line for body in bodies for line in outline(LexborHTMLParser(body.html or ""), page.url))
        article.body_text = "\n".join(line.text for line in lines if line.text)
