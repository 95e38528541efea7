"""The content of the sample portal equals tests/fixtures/sample/expected.jsonl.

The fixture was checked by hand. After a change of the content run with REFRESH_FIXTURES=1: it is written again and the
test fails once, so that a person reads the difference.
"""

from __future__ import annotations

import doctest
import json
import os
import unicodedata
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.sample import SampleArticle, _content, articles, portal, server

SEED_TITLE = (
    "Ban Dân vận Tỉnh ủy tổ chức Hội nghị giao ban công tác Dân vận các huyện miền núi 6 tháng đầu năm."  # as printed
)


def expected_row(article: SampleArticle, edition: int) -> dict[str, Any]:
    return {
        "edition": edition,
        "number": article.number,
        "path": article.path,
        "other_paths": list(article.other_paths),
        "section": article.section.name,
        "title": article.title,
        "lead": article.lead,
        "body_text": article.body_text,
        "author": article.author,
        "source": article.source,
        "tags": list(article.tags),
        "published_raw": article.published_raw,
        "published_at": article.published_at,
        "published_precision": article.published_precision,
        "attachments": [one.name for one in article.attachments],
        "images": len(article.images),
    }


def changed_in_second_edition() -> list[SampleArticle]:
    first = {article.number: article for article in articles(1)}
    return [article for article in articles(2) if first.get(article.number) != article]


def test_content_equals_the_fixture(fixtures: Path) -> None:
    rows = [expected_row(article, 1) for article in articles(1)]
    rows += [expected_row(article, 2) for article in changed_in_second_edition()]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path = fixtures / "sample" / "expected.jsonl"
    if os.environ.get("REFRESH_FIXTURES"):
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} is written anew: read the difference, then run without REFRESH_FIXTURES")
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == rows


def test_seed_article_is_published() -> None:
    seed = articles(1)[0]
    assert (seed.title, seed.published_raw, seed.published_at, seed.published_precision) == (
        SEED_TITLE,
        "Đăng lúc: 23/05/2017 00:00:00 (GMT+7)",
        "2017-05-23T00:00:00+07:00",
        "day",
    )


def test_there_are_at_least_45_articles_in_three_sections() -> None:
    found = articles(1)
    assert len(found) >= 45
    assert len({article.section.slug for article in found}) == 3


def test_two_articles_share_a_title_and_no_others_do() -> None:
    counts = Counter(article.title for article in articles(1))
    assert [count for count in counts.values() if count > 1] == [2]


def test_no_paragraph_occurs_twice() -> None:
    lines = Counter(line for article in articles(1) for line in [article.lead, *article.body_text.split("\n")])
    assert [line for line, count in lines.items() if count > 1] == []


def test_every_article_has_three_to_six_paragraphs() -> None:
    for article in articles(2):
        paragraphs = [block for block in article.blocks if isinstance(block, str)]
        assert 3 <= len(paragraphs) + 1 <= 6, article.title


def test_all_text_is_in_composed_form_with_plain_spaces() -> None:
    for article in articles(2):
        for text in (article.title, article.lead, article.body_text):
            assert unicodedata.is_normalized("NFC", text)
            assert "  " not in text
            assert text == text.strip()


def test_all_date_forms_are_used_and_that_of_the_platform_most_often() -> None:
    rows = _content._source()["articles"]
    forms = Counter(row.get("form", "dang-luc") for row in rows if "published" in row)
    assert set(forms) == set(_content.DATE_FORMS)
    assert forms.most_common(1)[0][0] == "dang-luc"


def test_one_article_has_no_date() -> None:
    undated = [article for article in articles(1) if article.published_raw is None]
    assert len(undated) == 1
    assert undated[0].published_at is None
    assert undated[0].published_precision is None


def test_a_printed_midnight_is_a_day() -> None:
    line, at, precision = _content.reading(datetime(2018, 9, 5), "dang-luc")
    assert (line, at, precision) == ("Đăng lúc: 05/09/2018 00:00:00 (GMT+7)", "2018-09-05T00:00:00+07:00", "day")


def test_moments_are_in_the_zone_of_viet_nam() -> None:
    moments = [datetime.fromisoformat(article.published_at) for article in articles(2) if article.published_at]
    assert {moment.utcoffset() for moment in moments} == {timedelta(hours=7)}


def test_weekdays_are_those_of_the_calendar() -> None:
    assert _content.reading(datetime(2019, 4, 23, 17, 16), "thu-phay")[0] == "Thứ ba, 23/04/2019 17:16"
    assert _content.reading(datetime(2023, 5, 21, 9, 5), "thu-gach")[0] == "Chủ nhật - 21/05/2023 09:05"


def test_three_articles_attach_the_same_document() -> None:
    offers = Counter(one.name for article in articles(1) for one in article.attachments)
    assert offers["Kế hoạch 131-KH/TU.pdf"] == 3


def test_the_address_of_an_attachment_keeps_the_encoded_slash_of_its_name() -> None:
    plan = next(one for article in articles(1) for one in article.attachments)
    assert plan.path == "/tai-lieu/K%E1%BA%BF%20ho%E1%BA%A1ch%20131-KH%2FTU.pdf"


def test_one_article_is_listed_twice_under_one_address_and_one_under_two() -> None:
    twice = [article for article in articles(1) if len(article.listed_in) == 2]
    assert sorted(len(article.other_paths) for article in twice) == [0, 1]


def test_second_edition_edits_one_article_and_adds_one() -> None:
    edited, new = changed_in_second_edition()
    before = next(article for article in articles(1) if article.number == edited.number)
    assert edited.path == before.path
    assert edited.title != before.title
    assert edited.body_text != before.body_text
    assert edited.published_at == before.published_at
    assert new.number not in {article.number for article in articles(1)}


def test_addresses_are_unique_and_plain() -> None:
    paths = [path for article in articles(2) for path in (article.path, *article.other_paths)]
    assert len(set(paths)) == len(paths)
    assert all(path.isascii() and path == path.lower() for path in paths)


def test_an_unknown_edition_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 1 or 2, got 3"):
        articles(3)


@pytest.mark.parametrize("module", [_content, portal, server], ids=lambda module: module.__name__)
def test_the_docstring_examples_are_correct(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
