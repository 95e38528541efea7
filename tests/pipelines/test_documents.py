"""Stage 400: the documents that an article cites."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from danvan_crawler.items import Article, Attachment
from pipelines.documents import DocumentsPipeline

MakeArticle = Callable[..., Article]


def cited(article: Article) -> list[tuple[str | None, ...]]:
    passed = DocumentsPipeline().process_item(article)
    assert passed is article
    return [(d["type"], d["number"], d["code"], d["date"]) for d in article.documents]


def test_a_document_is_stored_with_all_its_parts(make_article: MakeArticle) -> None:
    article = make_article(body_text="Thực hiện Nghị quyết số 09-NQ/TU ngày 15/7/2021 của Tỉnh ủy.")
    cited(article)
    assert article.documents == [
        {
            "raw": "Nghị quyết số 09-NQ/TU ngày 15/7/2021",
            "type": "nghị quyết",
            "number": "09",
            "code": "NQ/TU",
            "issuer": "TU",
            "date": "2021-07-15",
        }
    ]


def test_every_part_of_an_article_is_read_in_its_order(make_article: MakeArticle) -> None:
    article = make_article(
        title="Triển khai Chỉ thị 05-CT/TW",
        lead="Theo Kế hoạch số 131-KH/TU.",
        body_text="Căn cứ Nghị định số 100/2019/NĐ-CP.",
        attachments=[Attachment("http://a.vn/1.pdf", "464-QD-TU.pdf")],
        tags=["nghi quyet 35-NQ/TW"],
    )
    assert [number for _, number, _, _ in cited(article)] == ["05", "131", "100/2019", "464", "35"]


def test_a_document_is_stored_once_with_its_most_complete_mention(make_article: MakeArticle) -> None:
    article = make_article(
        title="Hội nghị quán triệt 09-NQ/TU và 35-CT/TW",
        body_text="Nghị quyết số 09-NQ/TU. Nghị quyết số 09-NQ/TU, ngày 15/7/2021. Nghị quyết 09-NQ/TU ngày 15/7/2021.",
    )
    assert cited(article) == [("nghị quyết", "09", "NQ/TU", "2021-07-15"), ("chỉ thị", "35", "CT/TW", None)]
    assert article.documents[0]["raw"] == "Nghị quyết số 09-NQ/TU, ngày 15/7/2021"


def test_a_type_that_the_code_lacks_comes_from_another_mention(make_article: MakeArticle) -> None:
    article = make_article(title="Quán triệt 37-QĐ/TW", body_text="Quy định số 37-QĐ/TW của Ban Chấp hành Trung ương.")
    assert cited(article) == [("quy định", "37", "QĐ/TW", None)]


def test_a_mention_in_a_file_name_is_the_same_document(make_article: MakeArticle) -> None:
    attachment = Attachment("http://a.vn/1.pdf", "131-KH-TU.pdf")
    assert cited(make_article(body_text="Kế hoạch số 131-KH/TU", attachments=[attachment])) == [
        ("kế hoạch", "131", "KH/TU", None)
    ]


def test_one_number_with_two_dates_is_two_documents(make_article: MakeArticle) -> None:
    body = "Chỉ thị số 35-CT/TW, Chỉ thị số 35-CT/TW ngày 30/5/2019 và Chỉ thị số 35-CT/TW ngày 14/6/2024"
    assert [day for *_, day in cited(make_article(body_text=body))] == ["2019-05-30", "2024-06-14"]


@pytest.mark.parametrize("short", ["Nghị quyết 18", "Nghị quyết số 18 ngày 25/10/2017"])
def test_a_short_mention_belongs_to_the_document_cited_in_full(make_article: MakeArticle, short: str) -> None:
    body = f"{short}. Nghị quyết số 18-NQ/TW ngày 25/10/2017"
    assert cited(make_article(body_text=body)) == [("nghị quyết", "18", "NQ/TW", "2017-10-25")]


def test_a_short_mention_of_another_document_stays(make_article: MakeArticle) -> None:
    body = "Nghị quyết 35 của Bộ Chính trị. Nghị quyết số 18-NQ/TW. Kết luận số 18 ngày 1/2/2019."
    assert cited(make_article(body_text=body)) == [
        ("nghị quyết", "35", None, None),
        ("nghị quyết", "18", "NQ/TW", None),
        ("kết luận", "18", None, "2019-02-01"),
    ]


def test_an_article_without_citations_has_no_documents(make_article: MakeArticle) -> None:
    assert cited(make_article()) == []


def test_a_second_run_changes_nothing(make_article: MakeArticle) -> None:
    article = make_article(title="Chỉ thị 05-CT/TW")
    assert cited(article) == cited(article)
    assert len(article.documents) == 1


def test_items_of_other_spiders_are_not_changed() -> None:
    item = {"title": "Chỉ thị 05-CT/TW"}
    assert DocumentsPipeline().process_item(item) is item
    assert item == {"title": "Chỉ thị 05-CT/TW"}
