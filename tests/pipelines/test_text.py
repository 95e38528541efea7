"""Stage 100: normalisation of printed text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from danvan_crawler.items import Article, Attachment, Image
from pipelines.text import TextPipeline

MakeArticle = Callable[..., Article]


def tidied(article: Article) -> Article:
    passed = TextPipeline().process_item(article)
    assert passed is article
    return article


@pytest.mark.parametrize("field", ["title", "section", "author", "source"])
def test_a_field_of_one_line_gets_single_spaces(make_article: MakeArticle, field: str) -> None:
    article = tidied(make_article(**{field: " Hội\u00a0nghị \r\n\t công\u200b tác  "}))
    assert getattr(article, field) == "Hội nghị công tác"


@pytest.mark.parametrize("field", ["lead", "body_text"])
def test_paragraphs_stay_separate(make_article: MakeArticle, field: str) -> None:
    article = tidied(make_article(**{field: " Đoạn  một. \r\n\r\n\n Đoạn\u00a0hai. "}))
    assert getattr(article, field) == "Đoạn một.\nĐoạn hai."


def test_text_is_in_composed_form(make_article: MakeArticle) -> None:
    decomposed = unicodedata.normalize("NFD", "Đảng bộ Tỉnh ủy")
    article = tidied(make_article(title=decomposed, lead=decomposed, body_text=decomposed))
    assert article.title == article.lead == article.body_text == "Đảng bộ Tỉnh ủy"


def test_tone_marks_are_not_moved(make_article: MakeArticle) -> None:
    assert tidied(make_article(title="Tỉnh uỷ và Tỉnh ủy, Thanh Hoá và Thanh Hóa")).title == (
        "Tỉnh uỷ và Tỉnh ủy, Thanh Hoá và Thanh Hóa"
    )


@pytest.mark.parametrize("printed", [None, "", " \u00a0\u200b "])
def test_an_empty_author_or_source_is_none(make_article: MakeArticle, printed: str | None) -> None:
    article = tidied(make_article(author=printed, source=printed))
    assert (article.author, article.source) == (None, None)


def test_tags_are_normalised_without_duplicates_in_their_order(make_article: MakeArticle) -> None:
    article = tidied(make_article(tags=[" dân  vận", "", "cơ sở", "dân vận", "\u200b"]))
    assert article.tags == ["dân vận", "cơ sở"]


def test_captions_and_file_names_are_normalised(make_article: MakeArticle) -> None:
    article = tidied(
        make_article(
            images=[Image("http://a.vn/1.jpg", " Toàn cảnh \n hội nghị"), Image("http://a.vn/2.jpg", " ")],
            attachments=[Attachment("http://a.vn/k.pdf", "Kế\u00a0hoạch  131.pdf")],
        )
    )
    assert [image.caption for image in article.images] == ["Toàn cảnh hội nghị", None]
    assert article.attachments[0].name == "Kế hoạch 131.pdf"


def test_the_date_line_stays_exactly_as_displayed(make_article: MakeArticle) -> None:
    assert tidied(make_article(published_raw="Ngày\u00a0 23/05/2017")).published_raw == "Ngày\u00a0 23/05/2017"


def test_a_second_run_changes_nothing(make_article: MakeArticle) -> None:
    once = tidied(make_article(title=" Hội  nghị ", body_text="a\r\n\r\n b", tags=["x ", "x"]))
    assert tidied(once) == make_article(title="Hội nghị", body_text="a\nb", tags=["x"])


def test_items_of_other_spiders_are_not_changed() -> None:
    item = {"title": " as it is "}
    assert TextPipeline().process_item(item) is item
    assert item == {"title": " as it is "}
