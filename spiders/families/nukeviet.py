"""nukeviet: NukeViet, the Vietnamese open-source CMS on which many Party and state portals run; versions 3.4 to 4.5.

Maker: VINADES.,JSC. How to recognise it: `<meta name="generator" content="NukeViet v4.x">` (4.0.0 still says v3),
scripts that set `nv_base_siteurl`, files under `/uploads/<module>/YYYY_MM/`. Read from the default theme's templates:

    version       title                            lead           body                     date
    3.4           div.news_column h1               #hometext      div.bodytext             span.time
    4.0.00        h1                               #hometext h2   div.bodytext             div.time
    4.0.10-4.0.20 h1                               #hometext      div.bodytext             em.time
    4.0.29-4.2    h1.title                         div.hometext   #news-bodyhtml.bodytext  span.h5
    4.3-4.5       h1.title[itemprop=headline]      div.hometext   #news-bodyhtml.bodytext  span.h5

Preferred way to list articles: the category pages, `/<category>/` and `/<category>/page-N/`, newest first. The sitemap
of the news module holds the 1,000 newest at most, the feeds 30, and articles with `inhome` off are in neither.

Traps:
- The visible stamp ("Thứ hai - 22/05/2017 14:00") is the only right date: since 4.3 the hidden `datePublished` carries
  the time of the last edit, and `article:published_time` prints `2017-05-23+0708:05:00`: day, offset, time. That one
  serves for one thing: where 00:00 is displayed it tells a real midnight (00:00:01) from "no time of day known".
- The hidden `itemprop=author` names the account that typed the article in ("quantri"); the author is the one printed.
- An article in several categories answers under each with a redirect to its own; `<link rel=canonical>` is right.
- Print, save and mail forms (`/print/`, `/savefile/`, `/sendmail/`), tag pages (`/tag/`) and `?download=1&id=N` look
  like article addresses. "Những tin mới hơn" below an article has the same markup as a listing.
- In the grid view only the featured entry is in the news column, the others lie beside it.
- Pages of other modules (about, siteterms) print headline and text in the same classes, without a news column.

Selectors that a profile may override: `article_link`, `title`, `lead`, `body`, `published`, `section`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scrapy.http import TextResponse
from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.families import ArticleLink, Family, Listing
from danvan_crawler.items import Article, Attachment, Image, VisitCounters
from danvan_crawler.urls import canonical, host_of, path_key
from danvan_crawler.vietnamese import timestamps
from spiders import listings
from spiders.outline import absolute, base_url, outline, override, parse, squeeze
from spiders.reading import apply_overrides, chosen_links, declared_address

TITLE = 'h1[itemprop="headline"], h1.title, .news_column h1, h1'
BODY = "#news-bodyhtml, div.bodytext"
LEAD = "div.hometext, #hometext"
STAMP = ".news_column .h5, .news_column .time, span.h5, span.time, div.time, em.time"
ARTICLE = re.compile(r"-\d+(?:\.html|/)?$")
"""Ending of an article's path, or of the `op` of an unrewritten address."""
NO_ARTICLE = re.compile(
    r"/(?:tag|print|savefile|sendmail|rss|feeds|search|seek|users|admin|page)/|/page-\d+/?$", re.IGNORECASE
)
RELATED = ".related, .other-news, .detail-related, .list-items, .block_tophits"
_GARBLED = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[+-]\d\d(?P<time>\d\d:\d\d:\d\d)$")
"""`article:published_time` as NukeViet 4.3 to 4.5 prints it."""
AUTHOR = re.compile(r"(?i)^Tác giả(?: bài viết)?\s*:\s*(\S.*)$")
SOURCE = re.compile(r"(?i)^Nguồn(?: tin)?\s*:\s*(\S.*)$")


class NukeViet(Family):
    name = "nukeviet"
    version = 1

    def parse_section(self, response: TextResponse) -> Listing:
        tree = parse(response)
        base = base_url(response, tree)
        following = listings.next_page(tree, response.url, base)
        chosen = override(response, self._selectors(response), "article_link")
        links = tuple(chosen_links(chosen, base)) if chosen is not None else self._entries(tree, base)
        return Listing(links, following)

    def _entries(self, tree: LexborHTMLParser, base: str) -> tuple[ArticleLink, ...]:
        """Entries of a category page in any of its views; of the whole page where a theme has no news column."""
        # The column's parent, because the grid view puts most entries beside the column.
        columns = {
            node.parent.mem_id: node.parent.html or ""
            for node in tree.css(".news_column, #news, .viewcat")
            if node.parent is not None and not listings.in_chrome(node)
        }
        page = LexborHTMLParser("".join(columns.values())) if columns else tree
        for node in page.css(RELATED):  # older news below the page's own, with entries of another form
            node.decompose()
        return listings.article_links(page, base, self._is_no_article)

    def _is_no_article(self, url: str) -> bool:
        key = path_key(url)
        if host_of(url) not in self.site.hosts or NO_ARTICLE.search(key.split("?", 1)[0]):
            return True
        path, _, query = key.partition("?")
        return not ARTICLE.search(path) and not (ARTICLE.search(query) and "op=" in query)

    def parse_article(self, response: TextResponse) -> Iterable[Article | VisitCounters]:
        tree = parse(response)
        base = base_url(response, tree)
        body = tree.css_first(BODY)
        title = _title(tree)
        # Modules other than news have headline and text, too; only news has its column around them.
        if (
            body is None
            or title is None
            or tree.css_first(".news_column, #news_detail, [itemtype*=NewsArticle]") is None
        ):
            return
        lead = tree.css_first(LEAD)
        author, source = _credits(tree)
        article = Article(
            site=self.site.slug,
            url=response.url,
            canonical_url=declared_address(tree, base, response.url),
            title=title,
            lead=squeeze(lead.text()) if lead is not None else "",
            body_text="\n".join(line.text for line in outline(LexborHTMLParser(body.html or ""), base) if line.text),
            section=_section(tree, title),
            author=author,
            source=source,
            published_raw=_stamp(tree),
            tags=_tags(tree),
            images=_images(tree, body, base),
            attachments=_attachments(tree, base),
        )
        article.published_from = "visible" if article.published_raw else None
        if _is_real_midnight(tree, article.published_raw):
            article.published_precision = "minute"
        apply_overrides(article, response, self._selectors(response))
        yield article


def _title(tree: LexborHTMLParser) -> str | None:
    for selector in TITLE.split(", "):
        node = tree.css_first(selector)
        if node is not None and (text := squeeze(node.text())):
            return text
    return None


def _stamp(tree: LexborHTMLParser) -> str | None:
    """The first printed stamp around the article; dates of related news and of the rating box are not it."""
    for node in tree.css(STAMP):
        text = squeeze(node.text())
        if len(text) <= 80 and not listings.in_chrome(node) and timestamps.parse(text) is not None:
            return text
    return None


def _is_real_midnight(tree: LexborHTMLParser, published_raw: str | None) -> bool:
    """Whether a displayed 00:00 is a time of day: the page's metadata gives the same day with seconds behind it."""
    meta = tree.css_first('meta[property="article:published_time"]')
    match = _GARBLED.match(meta.attributes.get("content") or "") if meta is not None else None
    if match is None or published_raw is None or match["time"] == "00:00:00" or not match["time"].startswith("00:00:"):
        return False
    return f"{match['day']}/{match['month']}/{match['year']} 00:00" in published_raw


def _credits(tree: LexborHTMLParser) -> tuple[str | None, str | None]:
    """Author and source as printed below the text, one line each (4.x) or side by side (3.x)."""
    author = source = None
    for node in tree.css("p, div.h5, div.bodytext ~ div, div.text-right"):
        text = squeeze(node.text())
        if len(text) > 300:
            continue
        for part in re.split(r"(?=Nguồn(?: tin)?\s*:)|(?=Tác giả(?: bài viết)?\s*:)", text):
            if match := AUTHOR.match(part.strip()):
                author = author or match[1]
            elif match := SOURCE.match(part.strip()):
                source = source or match[1]
    return author, source


def _section(tree: LexborHTMLParser, title: str) -> str:
    """The last step of the breadcrumb that is not the article; the page's metadata where a theme prints none."""
    steps = [
        squeeze(node.text()) for node in tree.css('[class*="breadcrumb"] [itemprop="name"], [class*="breadcrumb"] a')
    ]
    steps = [step for step in dict.fromkeys(steps) if step and step != title]
    if len(steps) > 1:
        return steps[-1]
    meta = tree.css_first('meta[property="article:section"]')
    return squeeze(meta.attributes.get("content") or "") if meta is not None else ""


def _tags(tree: LexborHTMLParser) -> list[str]:
    """Texts of the article's own tag links: those in a line that begins with a label, not those of a tag cloud."""
    found: list[str] = []
    for anchor in tree.css('a[href*="/tag/"], a[href*="op=tag"]'):
        line = anchor.parent
        if line is not None and re.match(r"(?i)\s*(?:tags?|từ khóa|từ khoá)\s*:", squeeze(line.text())):
            found.append(squeeze(anchor.text()))
    return list(dict.fromkeys(tag for tag in found if tag))


def _images(tree: LexborHTMLParser, body: LexborNode, base: str) -> list[Image]:
    """The picture beside the lead and those in the text, each once."""
    found: dict[str, Image] = {}
    for node in (tree.css_first("figure.article, #imghome, .imghome, .newscontent figure"), body):
        fragment = LexborHTMLParser(node.html or "") if node is not None else None
        for line in outline(fragment, base) if fragment is not None else ():
            for picture in line.pictures:
                found.setdefault(picture.url, Image(picture.url, picture.caption))
    return list(found.values())


def _attachments(tree: LexborHTMLParser, base: str) -> list[Attachment]:
    """Files of the article's own list ("File đính kèm"). The link names a number, the list prints the file's name."""
    found: dict[str, Attachment] = {}
    for anchor in tree.css('a[href*="download=1"], .news-download-file a[download]'):
        url = absolute(base, anchor.attributes.get("href") or "")
        if url is None:
            continue
        strong = anchor.css_first("strong")
        printed = squeeze(strong.text() if strong is not None else anchor.text())
        name = re.sub(r"(?i)^(?:tập tin|file|tệp)\s*:?\s*", "", printed)
        if name:
            found.setdefault(path_key(url), Attachment(canonical(url), name))
    return list(found.values())
