"""nukeviet: NukeViet, the Vietnamese open-source CMS on which many Party and state portals run; versions 3.4 to 4.5.

Maker: VINADES.,JSC. How to recognise it: `<meta name="generator" content="NukeViet v4.x">` (4.0.00 still says v3),
scripts that set `nv_base_siteurl`, files under `/uploads/<module>/YYYY_MM/`. Read from the default theme's templates:

    version       title                            lead           body                     date
    3.4           div.news_column h1               #hometext      div.bodytext             span.time
    3.4 "modern"  div.title h1                     #hometext h2   #bodytext                span.small
    4.0.00        h1                               #hometext h2   div.bodytext             div.time
    4.0.10-4.0.20 h1                               #hometext      div.bodytext             em.time
    4.0.29-4.2    h1.title                         div.hometext   #news-bodyhtml.bodytext  span.h5
    4.3-4.5, eGov h1.title[itemprop=headline]      div.hometext   #news-bodyhtml.bodytext  span.h5

Preferred way to list articles: the category pages, `/<category>/` and `/<category>/page-N/`. They come in views:

    viewcat_page_new  one featured entry (h2), entries (h3) in the news column, older titles below it: newest first
    viewcat_page_old  the same, oldest first: new articles are on the last page
    viewcat_list      numbered titles without dates
    viewcat_grid      pictures with titles; only the featured entry is in the news column, the others are beside it
    viewcat_main_*    the newest entry, nine titles, a block for each child category; from page 2 on oldest first and
                      without the ten oldest, which only the child categories show
    viewcat_two_column  the newest entry and a block for each child category; no further pages

So feeds and the sitemap are read too, unless a section is already known to its end: a category's feed
(`/rss/<category>/`, 30 newest) and the news module's part of `/sitemap.xml` (1,000 newest). The sitemap has everything
that a portal publishes; only addresses under a section of the profile are used. If the sitemap proves to contain all
new articles, it is read instead of the category pages (`danvan_crawler.walk.feed_trust`).

Traps:
- The visible stamp ("Thứ hai - 22/05/2017 14:00") is the only correct date: since 4.3 the hidden `datePublished` has
  the time of the last edit, and `article:published_time` prints `2017-05-23+0708:05:00`: day, offset, time. The latter
  is used in two cases: if 00:00 is displayed, it distinguishes a real midnight (00:00:01) from "no time of day known";
  if no stamp is displayed, it is used instead. `datePublished` is never read, nor JSON-LD, which has the same time.
- `pubDate` in feeds has the month instead of the minutes: 23:00 on 31 December is "16:12:00 GMT".
- The hidden `itemprop=author` is the account that entered the article ("quantri"); the author is the printed one.
- The address of an article under another of its categories redirects to the main one; `<link rel=canonical>` is right.
- An address that does not exist redirects to the front page, including feeds and pages after the last one.
- Print, save and mail forms (`/print/`, `/savefile/`, `/sendmail/`), tag pages (`/tag/`) and `?download=1&id=N` look
  like article addresses. "Những tin mới hơn" below an article has the same markup as a listing.
- Pages of other modules (about, siteterms) print headline and text in the same classes, without a news column.

Selectors that a profile may override: `article_link`, `title`, `lead`, `body`, `published`, `section`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from danvan_crawler.families import FEED, Family, Listing, SectionRequest
from danvan_crawler.items import Article, ArticleLink, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.urls import host_of, path_key
from danvan_crawler.vietnamese import timestamps
from danvan_crawler.vietnamese.dating import Source
from spiders.extract import datelines, listings
from spiders.extract.feeds import Feed, read_feed
from spiders.extract.outline import outline, override, squeeze
from spiders.extract.overrides import apply_overrides, chosen_links, declared_address, drop
from spiders.families import _nukeviet_article as parts

COLUMNS = ".news_column, .listz-news, .t-news, .cat-news, .news_grid, .table-list-news"
"""Containers of entries: `news_column` in the default themes, the others in the theme "modern" (3.4, 4.0)."""
BOXES = "#hot-news, #topnews, .block_tophits, .other_blocknews, .listnews, .lastest-news, .featured-products"
"""Boxes that a theme puts around every listing: news of the whole site, most read."""
OTHER_NEWS = ".related, .other-news, .list-items"
"""Lists of bare titles: within a column they are entries, below it they are titles of the next page."""
ARTICLE = re.compile(r"-\d+(?:\.html|/)?$")
"""End of an article's path, or of the `op` in an address without rewriting."""
NO_ARTICLE = re.compile(
    r"/(?:tag|topic|groups|author|print|savefile|sendmail|rss|feeds|search|seek|users|admin|page|content)/"
    r"|/page-\d+/?$",
    re.IGNORECASE,
)
TRUST: tuple[Source, ...] = ("visible", "opengraph", "url")
"""Sources of the date; the others have the time of the last edit."""
_SITEMAP = re.compile(r"/sitemap-(?P<language>[a-z]{2})\.(?P<module>[^/]+)\.xml(?:\.gz)?$")
_LANGUAGE = re.compile(r"[a-z]{2}")
_OP = re.compile(r"(?:^|&)op=([^&]*)")


class NukeViet(Family):
    """NukeViet's news module in the layouts of its major versions."""

    name = "nukeviet"
    version = 3

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._sections = frozenset(path_key(section.url) for section in site.sections)

    def section_requests(self) -> Iterator[SectionRequest]:
        yield from super().section_requests()
        for feed in dict.fromkeys(feed_address(section.url) for section in self.site.sections):
            yield SectionRequest(feed, FEED)
        yield SectionRequest(sitemap_address(self.site.home), FEED, is_site_wide=True)

    def parse_section(self, page: Page) -> Listing:
        feed = read_feed(page)
        if feed is not None:
            return self._named(feed, path_key(page.url))
        base = page.base_url
        following = listings.next_page(page.tree, page.url, base)
        chosen = override(page, self._selectors(page), "article_link")
        links = tuple(chosen_links(chosen, base)) if chosen is not None else self._entries(page, base)
        return Listing(links, following)

    def _named(self, feed: Feed, key: str) -> Listing:
        """Articles in a feed: all of a section's own feed; of other feeds those under a section's address."""
        own = {path_key(feed_address(section.url)) for section in self.site.sections}
        links = (link for link in feed.links if not self._is_no_article(link.url))
        if key not in own | self._sections:
            links = (link for link in links if self._is_under_a_section(path_key(link.url)))
        return Listing(tuple(links), self._news_sitemap(feed.sitemaps), is_feed=True)

    def _is_under_a_section(self, key: str) -> bool:
        return any(key.startswith(section if section.endswith("/") else f"{section}/") for section in self._sections)

    def _news_sitemap(self, sitemaps: Iterable[str]) -> str | None:
        """The sitemap of the sections' module: one that their addresses name, else `news`."""
        steps = {step for section in self._sections for step in section.strip("/").split("/")}
        found: dict[tuple[bool, bool], str] = {}
        for url in sitemaps:
            match = _SITEMAP.search(urlsplit(url).path)
            if match is None or host_of(url) not in self.site.hosts:
                continue
            named, language = match["module"] in steps, match["language"]
            if named or match["module"] == "news":
                found.setdefault((not named, language not in steps and language != "vi"), url)
        return found[min(found)] if found else None

    def _entries(self, page: Page, base: str) -> tuple[ArticleLink, ...]:
        """Entries of a category page in any view; from the whole page if the theme renames the columns."""
        column = _column(page.tree)
        links: tuple[ArticleLink, ...] = ()
        if column is not None:
            links = listings.article_links(column, base, self._is_no_article, minimum_words=1)
        if not links:
            tree = page.own_tree()
            _drop_other_news(tree)
            links = listings.article_links(tree, base, self._is_no_article)
        # A category may end in a number like an article: /dai-hoi-dang-bo-nhiem-ky-2020-2025/. Articles are under it.
        categories = {path_key(link.url).rstrip("/").rpartition("/")[0] for link in links}
        return tuple(link for link in links if path_key(link.url).rstrip("/") not in categories)

    def _is_no_article(self, url: str) -> bool:
        key = path_key(url)
        path, _, query = key.partition("?")
        if op := _OP.search(query):  # index.php?language=vi&nv=news&op=<category>/<alias>-<ID>
            path = f"/{op[1]}"
        if host_of(url) not in self.site.hosts or NO_ARTICLE.search(path) or not ARTICLE.search(path):
            return True
        return key in self._sections

    def parse_article(self, page: Page) -> Iterable[Article | VisitCounters]:
        tree, selectors = page.tree, self._selectors(page)
        body = tree.css_first(parts.BODY)
        is_story = body is not None and parts.is_news(tree, body)
        if body is not None and is_story:
            article, in_header = self._article(tree, body, page.base_url, page.url)
        else:  # the profile's selectors may still find the text
            article, in_header = Article(self.site.slug, page.url, parts.declared_title(tree), ""), False
        apply_overrides(article, page, selectors)
        if article.title and (is_story or article.body_text):
            in_header = in_header and "published" not in selectors
            dates = datelines.collect(tree)
            datelines.apply_dates(article, dates, self.site, page.captured_at, trust=TRUST, in_header=in_header)
            yield article

    def _article(self, tree: LexborHTMLParser, body: LexborNode, base: str, url: str) -> tuple[Article, bool]:
        """The article, and whether its stamp was read in markup that may include the page's header."""
        heading = parts.find_title(tree, body)
        title = squeeze(heading.text()) if heading is not None else parts.declared_title(tree)
        head, foot = parts.above(body, heading), parts.below(body, heading)
        lead = parts.lead_of(head, base)
        author, source = parts.credits_of(foot, base)
        is_open = heading is None and not parts.has_column(body)
        published_raw = parts.stamp_of(head, base, nearest=is_open)
        lines = outline(LexborHTMLParser(body.html or ""), base)
        article = Article(
            site=self.site.slug,
            url=url,
            canonical_url=declared_address(tree, base, url),
            title=title,
            lead=lead,
            body_text=parts.text_of(lines, lead),
            section=parts.section_of(tree, title),
            author=author,
            source=source,
            published_raw=published_raw,
            published_from="visible" if published_raw else None,
            published_precision="minute" if parts.is_real_midnight(tree, published_raw) else None,
            tags=parts.tags_of(tree),
            images=parts.images_of(head, lines, base),
            attachments=parts.attachments_of(tree, body, base),
        )
        return article, is_open


def feed_address(section_url: str) -> str:
    """The address of a category's feed: `rss` is inserted before the category's name, or after the module's.

    >>> feed_address("https://example.vn/vi/news/dan-van-kheo/")
    'https://example.vn/vi/news/rss/dan-van-kheo/'
    """
    parts = urlsplit(section_url)
    if "nv=" in parts.query:
        query = _OP.sub(r"&op=rss/\1", parts.query).lstrip("&")
        return urlunsplit(parts._replace(query=query if "op=" in query else f"{query}&op=rss"))
    steps = [step for step in parts.path.split("/") if step]
    is_module = not steps or steps[-1] == "news" or _LANGUAGE.fullmatch(steps[-1]) is not None
    steps.insert(len(steps) if is_module else -1, "rss")
    return urlunsplit(parts._replace(path=f"/{'/'.join(steps)}/", query="", fragment=""))


def sitemap_address(home: str) -> str:
    """The address of the sitemap index: beside the front page, not under a language.

    >>> sitemap_address("https://example.vn/vi/")
    'https://example.vn/sitemap.xml'
    """
    return urljoin(re.sub(r"/[a-z]{2}/$", "/", home.split("?", 1)[0]), "sitemap.xml")


def _column(tree: LexborHTMLParser) -> LexborHTMLParser | None:
    """A page's main column as a separate tree; None if the page has no known one."""
    boxed = {node.mem_id for box in tree.css(BOXES) for node in box.css(COLUMNS)}
    # The columns' parents, because views put entries beside the columns.
    holders = [node.parent for node in tree.css(COLUMNS) if node.mem_id not in boxed and not listings.in_chrome(node)]
    holders += [node.parent for node in tree.css("a.show.h4") if _is_list_group(node.parent)]
    found = {holder.mem_id: holder for holder in holders if holder is not None}
    if not found:
        return None
    column = LexborHTMLParser("".join(holder.html or "" for holder in found.values()))
    drop(column.css(f"{BOXES}, .label"))  # the numbers of viewcat_list change with every new article
    _drop_other_news(column)
    return column


def _is_list_group(node: LexborNode | None) -> bool:
    return node is not None and "list-group" in (node.attributes.get("class") or "").split()


def _drop_other_news(tree: LexborHTMLParser) -> None:
    """Drop the titles of the next page below a column. Titles within a column are entries; drop their short dates.

    On its own page the same entry has day and time, so its date would differ between the two pages.
    """
    lists = tree.css(OTHER_NEWS)
    inside = {node.mem_id for column in tree.css(COLUMNS) for node in column.css(OTHER_NEWS)}
    entries = [node for node in lists if node.mem_id in inside]
    stamps = [stamp for node in entries for stamp in node.css("em, span")]
    drop(stamp for stamp in stamps if timestamps.parse(squeeze(stamp.text())) is not None)
    for node in entries:
        node.attrs["class"] = ""  # `related` is a class of chrome elsewhere
    drop(node for node in lists if node.mem_id not in inside)
