"""danvan_portal: the platform of many Ban Dân vận (mass mobilisation boards) in the 2010s.

Maker unknown; the layout is known from the printed text of one article page of Thanh Hóa's Ban Dân vận. How to
recognise it: a visit box ("Truy cập", then Hôm nay, Hôm qua, Tuần này, Tháng này, Tất cả, each with a number), and
every article twice on its page:

    title                                              title
    Ngày 23/05/2017 00:00:00                           Đăng lúc: 23/05/2017 00:00:00 (GMT+7)
    lead                                               lead
    paragraphs, photo caption, paragraphs              paragraphs, photo caption, paragraphs

The first block is the print form of the second. This repetition is the best evidence of where an article begins and
ends: menus, boxes and related lists are printed once. So the page is read as lines (`spiders.extract.outline`), the two
blocks are aligned, and their common lines are the article. Class names are not used, because only the printed text of
the platform is known. A page with only one block (a skin without print form) is read from its date line.

Preferred way to list articles: the sections of the profile, page by page. No feed or sitemap is known.

A page without a readable date line gets the date of its metadata, else of its address (`spiders.extract.datelines`).

Traps: `00:00:00` means that no time of day is known. The visit box counts every request, so it must not get into the
text, where every visit would give a new revision. Open question: whether old skins print the lead in both blocks.

Selectors that a profile may override: `article_link`, `title`, `lead`, `body`, `published`, `section`.
"""

from __future__ import annotations

from collections.abc import Iterable

from danvan_crawler.families import Family, Listing
from danvan_crawler.items import Article, Attachment, Image, VisitCounters
from danvan_crawler.pages.page import Page
from danvan_crawler.urls import file_name, host_of, path_key
from spiders.extract import datelines, listings
from spiders.extract.outline import outline, override
from spiders.extract.overrides import apply_overrides, chosen_links, declared_address
from spiders.families import _danvan_blocks as blocks


class DanvanPortal(Family):
    name = "danvan_portal"
    version = 2

    def parse_section(self, page: Page) -> Listing:
        base = page.base_url
        following = listings.next_page(page.tree, page.url, base)
        chosen = override(page, self._selectors(page), "article_link")
        if chosen is not None:
            links = tuple(chosen_links(chosen, base))
        else:
            links = listings.article_links(page.tree, base, self._is_no_article)
        return Listing(links, following)

    def parse_article(self, page: Page) -> Iterable[Article | VisitCounters]:
        base = page.base_url
        dates = datelines.collect(page.tree)
        headline = blocks.headline(page.tree) if datelines.is_declared(dates) else ""
        lines = outline(page.own_tree(), base)
        counters = blocks.visit_counters(lines)
        if counters is not None:
            yield VisitCounters(self.site.slug, page.captured_at, *counters)
        story = blocks.find_story(lines, headline)
        if story is not None:
            declared = declared_address(page.tree, base, page.url)
            article = self._article(story, page.url, declared, blocks.breadcrumb(page.tree))
            article.tags = blocks.tags_of(story.tags_line, blocks.tag_links(page.tree))
            apply_overrides(article, page, self._selectors(page))
            datelines.apply_dates(article, dates, self.site, page.captured_at)
            yield article

    def _article(self, story: blocks.Story, url: str, declared: str, breadcrumb: str) -> Article:
        return Article(
            site=self.site.slug,
            url=url,
            canonical_url=declared,
            title=story.title,
            lead=story.lead,
            body_text="\n".join(story.paragraphs),
            section="" if breadcrumb == story.title else breadcrumb,
            author=story.author,
            source=story.source,
            published_raw=story.published_raw,
            published_from="visible" if story.published_raw else None,
            images=[Image(picture.url, picture.caption) for picture in story.pictures],
            attachments=[Attachment(file.url, file_name(file.url) or file.text) for file in story.files],
        )

    def _is_no_article(self, url: str) -> bool:
        """True for other hosts, home, and the sections with their further pages."""
        if host_of(url) not in self.site.hosts:
            return True
        key = path_key(url)
        known = {path_key(self.site.home), *(path_key(section.url) for section in self.site.sections)}
        if key in known:
            return True
        return any(listings.is_page_of(prefix, key) for prefix in known)
