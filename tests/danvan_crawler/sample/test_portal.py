"""The sample portal's pages, read by a parser that is independent of their markup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from danvan_crawler.sample import SampleArticle, articles
from danvan_crawler.sample._content import sections
from danvan_crawler.sample.portal import counters, render

Reader = Callable[[str | bytes], Any]
COUNTER_LABELS = ["Hôm nay", "Hôm qua", "Tuần này", "Tháng này", "Tất cả"]
BASE = "http://127.0.0.1:8000/"


def whole_listing(path: str, read_page: Reader, edition: int = 1) -> list[Any]:
    """The pages of a listing, following "Trang sau"."""
    pages = []
    address: str | None = path
    while address:
        page = render(address, edition=edition)
        assert page.status == 200
        reader = read_page(page.body)
        pages.append(reader)
        text = page.body.decode()
        address = text.split('">Trang sau')[0].rpartition('href="')[2] if "Trang sau" in text else None
    return pages


def article_blocks(article: SampleArticle, lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the print form and of the article, each from the title to the line before the next block."""
    first = lines.index(article.title)
    second = lines.index(article.title, first + 1)
    end = next(index for index, line in enumerate(lines) if line in ("Các tin khác", "Tin liên quan"))
    return lines[first:second], lines[second:end]


@pytest.mark.parametrize("edition", [1, 2])
def test_every_article_prints_its_text_twice_in_the_platforms_order(edition: int, read_page: Reader) -> None:
    for article in articles(edition):
        lines = read_page(render(article.path, edition=edition).body).lines
        printed, shown = article_blocks(article, lines)
        text = [article.lead, *article.body_text.split("\n")]
        stamp = [article.printed_stamp] if article.printed_stamp else []
        assert printed[: 1 + len(stamp) + len(text)] == [article.title, *stamp, *text]
        date = [article.published_raw] if article.published_raw else []
        assert shown[: 1 + len(date) + len(text)] == [article.title, *date, *text]


def test_author_source_tags_and_attachments_are_printed_with_their_labels(read_page: Reader) -> None:
    for article in articles(1):
        lines = read_page(render(article.path).body).lines
        assert (f"Tác giả: {article.author}" in lines) == (article.author is not None)
        assert (f"Nguồn: {article.source}" in lines) == (article.source is not None)
        assert (f"Từ khóa: {', '.join(article.tags)}" in lines) == bool(article.tags)
        assert ("Tệp đính kèm:" in lines) == bool(article.attachments)
        assert all(one.name in lines for one in article.attachments)


def test_seed_page_shows_the_counters_of_the_seed(read_page: Reader) -> None:
    lines = read_page(render(articles(1)[0].path).body).lines
    start = lines.index("Truy cập")
    box = lines[start + 1 : start + 11]
    assert box[::2] == COUNTER_LABELS
    assert box[1::2] == ["1", "0", "1", "0", "92232"]
    assert start < lines.index(articles(1)[0].title)


def test_every_kind_of_page_has_a_visit_box(read_page: Reader) -> None:
    for path in ("/", "/gioi-thieu/", "/tu-khoa/", sections()[0].path, articles(1)[5].path, "/khong-co/"):
        lines = read_page(render(path).body).lines
        start = lines.index("Truy cập")
        assert lines[start + 1 : start + 11 : 2] == COUNTER_LABELS


def test_counters_rise_from_one_edition_to_the_next() -> None:
    for visitor in range(60):
        before, after = counters(1, visitor), counters(2, visitor)
        assert all(old <= new for old, new in zip(before, after, strict=True))
        assert before[-1] < after[-1]


def test_breadcrumb_names_the_section(read_page: Reader) -> None:
    for article in articles(1):
        for path in (article.path, *article.other_paths):
            assert f"Trang chủ » {article.section.name}" in read_page(render(path).body).lines


def test_titles_of_other_articles_follow_the_article_only(read_page: Reader) -> None:
    everything = {article.title for article in articles(1)}
    for article in articles(1):
        lines = read_page(render(article.path).body).lines
        printed, shown = article_blocks(article, lines)
        assert everything & set(printed[1:] + shown[1:]) == set()
        rest = lines[lines.index(shown[-1]) + 1 :]
        assert sum(any(line.startswith(title) for title in everything) for line in rest) == 5


def test_related_lists_print_dates() -> None:
    page = render(articles(1)[0].path).body.decode()
    assert "(14/03/2017)" in page.split("Các tin khác")[1]


def test_listings_hold_every_article_of_their_section_ten_a_page(read_page: Reader) -> None:
    for section in sections():
        pages = whole_listing(section.path, read_page)
        wanted = [article for article in articles(1) if section in article.listed_in]
        assert len(pages) == -(-len(wanted) // 10) > 1
        linked = [{urlsplit(link).path for link in page.links} for page in pages]
        for article in wanted:
            own = [path for path in (article.path, *article.other_paths) if path.startswith(section.path)]
            address = own[0] if own else article.path
            assert sum(address in links for links in linked) == 1
        entries = [sum(article.title in page.lines for article in wanted) for page in pages]
        assert entries[0] == 10


def test_listings_show_date_and_beginning_of_the_lead(read_page: Reader) -> None:
    article = next(one for one in articles(1) if one.number == 22)
    lines = read_page(render(article.section.path).body).lines
    at = lines.index(article.title)
    assert lines[at + 1] == article.published_on == "30/03/2023"
    assert article.lead.startswith(lines[at + 2].removesuffix("..."))


def test_listings_run_from_the_newest_to_the_oldest() -> None:
    for section in sections():
        orders = [article.order for article in articles(1) if section in article.listed_in]
        text = "".join(
            render(f"{section.path}trang-{number}/" if number > 1 else section.path).body.decode()
            for number in (1, 2, 3)
        )
        shown = [article for article in articles(1) if section in article.listed_in]
        shown.sort(key=lambda one: text.index(f"-{one.number}.html"))
        assert [one.order for one in shown] == sorted(orders, reverse=True)


def test_listings_also_link_tracking_and_print_variants(read_page: Reader) -> None:
    links = read_page(render(sections()[0].path).body).links
    assert any("utm_source=" in link for link in links)
    assert any(link.endswith("?print=1") for link in links)


def test_tracking_parameters_do_not_change_the_page() -> None:
    path = articles(1)[3].path
    assert render(path, "utm_source=cong-mau&utm_medium=danh-sach") == render(path)


def test_print_variant_has_the_same_text_and_shows_the_print_form(read_page: Reader) -> None:
    path = articles(1)[3].path
    plain, printing = render(path), render(path, "print=1")
    assert read_page(printing.body).lines == read_page(plain.body).lines
    assert b'<body class="in-an">' in printing.body
    assert b"in-an" not in plain.body


def test_both_addresses_of_an_article_name_the_canonical_one(read_page: Reader) -> None:
    article = next(one for one in articles(1) if one.other_paths)
    for path in (article.path, *article.other_paths):
        reader = read_page(render(path, base_url=BASE).body)
        assert reader.canonical == urljoin(BASE, article.path)
        assert reader.lines.count(article.title) == 2


def test_second_edition_shows_the_new_title_and_the_new_article_in_listings(read_page: Reader) -> None:
    first = {article.number: article.title for article in articles(1)}
    changed = [article for article in articles(2) if first.get(article.number) != article.title]
    for article in changed:
        lines = read_page(render(article.section.path, edition=2).body).lines
        assert article.title in lines
        assert first.get(article.number, "") not in lines


def test_new_article_is_unknown_to_the_first_edition() -> None:
    new = articles(2)[-1]
    assert render(new.path, edition=1).status == 404
    assert render(new.path, edition=2).status == 200


def test_same_address_gives_the_same_bytes() -> None:
    for path in ("/", sections()[1].path, articles(1)[9].path):
        assert render(path) == render(path)


def test_every_link_and_file_of_the_portal_exists(read_page: Reader) -> None:
    """Follows links from the home page like a crawler that ignores robots.txt."""
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        target = urlsplit(address)
        page = render(target.path, target.query)
        assert page.status == 200, address
        if page.media_type.startswith("text/html"):
            reader = read_page(page.body)
            waiting += [urljoin(address, link) for link in (*reader.links, *reader.pictures)]
    articles_seen = {path for path in seen if path.endswith(".html")}
    assert articles_seen == {path for article in articles(1) for path in (article.path, *article.other_paths)}


def test_robots_txt_forbids_administration_only() -> None:
    assert render("/robots.txt").body.decode() == "User-agent: *\nDisallow: /quan-tri/\n"


@pytest.mark.parametrize(
    "path",
    ["/khong-co/", "/tin-tuc/khac/", "/tin-tuc/dan-van-kheo/trang-9/", "/hinh-anh/tin-1-2.png", "/tai-lieu/khac.pdf"],
)
def test_unknown_addresses_get_a_vietnamese_404_page(path: str, read_page: Reader) -> None:
    page = render(path)
    assert page.status == 404
    assert "Không tìm thấy trang" in read_page(page.body).lines


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/tin-tuc/dan-van-kheo/trang-1/", "/tin-tuc/dan-van-kheo/"),
        ("/tin-tuc/dan-van-kheo/trang-2", "/tin-tuc/dan-van-kheo/trang-2/"),
        ("/gioi-thieu", "/gioi-thieu/"),
    ],
)
def test_other_spellings_of_an_address_are_redirected(path: str, target: str) -> None:
    page = render(path)
    assert (page.status, page.headers) == (301, (("Location", target),))


def test_footer_holds_a_year_that_is_no_date_of_an_article(read_page: Reader) -> None:
    lines = read_page(render(articles(1)[16].path).body).lines
    assert any(line.startswith("© 2012") for line in lines)
    assert any(line.startswith("Địa chỉ:") for line in lines)
