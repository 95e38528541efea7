"""Kinds of Party bodies: which kind held on which day, and the meaning of names."""

from __future__ import annotations

from datetime import date

import pytest

from danvan_crawler.vietnamese import bodies

MERGED = "ban-tuyen-giao-va-dan-van"


@pytest.mark.parametrize("slug", ["ban-dan-van", "ban-tuyen-giao"])
@pytest.mark.parametrize(
    ("province", "first"),
    [
        (None, date(2025, 2, 3)),
        ("VN-SG", date(2025, 2, 3)),
        ("VN-99", date(2025, 2, 3)),
        ("VN-46", date(2025, 2, 6)),
        ("VN-21", date(2025, 2, 11)),
        ("VN-54", date(2025, 3, 1)),
    ],
)
def test_propaganda_and_mobilisation_are_one_department_since_2025(
    slug: str, province: str | None, first: date
) -> None:
    before = bodies.lookup(slug, on=date.fromordinal(first.toordinal() - 1), province=province)
    since = bodies.lookup(slug, on=first, province=province)
    assert (before.slug, before.valid_until, before.successor) == (slug, first, MERGED)
    assert (since.slug, since.name, since.valid_from) == (MERGED, "Ban Tuyên giáo và Dân vận", first)
    assert (since.valid_until, since.successor) == (None, None)


def test_a_body_is_unchanged_before_its_first_day() -> None:
    assert bodies.lookup(MERGED, on=date(2017, 5, 23)).slug == MERGED


@pytest.mark.parametrize(
    "slug",
    ["tinh-uy", "van-phong", "ban-to-chuc", "ban-noi-chinh", "uy-ban-kiem-tra", "mat-tran", "truong-chinh-tri"],
)
def test_other_bodies_are_unchanged(slug: str) -> None:
    before, since = (bodies.lookup(slug, on=day) for day in (date(2017, 5, 23), date(2026, 11, 23)))
    assert before == since
    assert since.slug == slug


def test_a_body_that_ended_without_a_single_successor_is_unchanged() -> None:
    body = bodies.lookup("dang-uy-khoi", on=date(2026, 11, 23))
    assert (body.slug, body.successor) == ("dang-uy-khoi", None)
    assert body.valid_until is not None


@pytest.mark.parametrize("slug", ["", "ban-la", "Ban Dân vận", "danvan"])
def test_an_unknown_slug_is_a_key_error_that_names_it(slug: str) -> None:
    with pytest.raises(KeyError, match=f"no kind of body has the slug {slug!r}"):
        bodies.lookup(slug, on=date(2017, 5, 23))


@pytest.mark.parametrize(
    ("spelling", "slug"),
    [
        ("ban-dan-van", "ban-dan-van"),
        ("Ban Dân vận", "ban-dan-van"),
        ("BAN DÂN VẬN TỈNH ỦY", "ban-dan-van"),
        ("Ban Dân vận Tỉnh uỷ Thanh Hoá", "ban-dan-van"),
        ("ban dan van thanh uy", "ban-dan-van"),
        ("bandanvan", "ban-dan-van"),
        ("danvan", "ban-dan-van"),
        ("Ban Tuyên giáo Trung ương", "ban-tuyen-giao"),
        ("tuyengiao", "ban-tuyen-giao"),
        ("Ban Tuyên giáo và Dân vận Tỉnh ủy", MERGED),
        ("Tuyên giáo - Dân vận", MERGED),
        ("Ủy ban Kiểm tra Tỉnh ủy", "uy-ban-kiem-tra"),
        ("Uỷ ban kiểm tra", "uy-ban-kiem-tra"),
        ("UBKT", "uy-ban-kiem-tra"),
        ("Văn phòng Tỉnh ủy Nghệ An", "van-phong"),
        ("Tỉnh ủy", "tinh-uy"),
        ("Thành ủy", "tinh-uy"),
        ("Đảng ủy Khối các cơ quan và doanh nghiệp", "dang-uy-khoi"),
    ],
)
def test_a_body_is_found_by_its_names(spelling: str, slug: str) -> None:
    assert bodies.find(spelling) == slug


@pytest.mark.parametrize("text", ["", " ", "Ban", "Ban La", "bí thư", "Sở Nội vụ"])
def test_a_text_that_is_not_a_body_gives_none(text: str) -> None:
    assert bodies.find(text) is None


def test_similar_names_are_suggested() -> None:
    assert bodies.near("Ủy ban Kiểm") == ["Ủy ban Kiểm tra"]


def test_the_merged_department_covers_its_predecessors() -> None:
    assert bodies.covered(MERGED) == {MERGED, "ban-dan-van", "ban-tuyen-giao"}


@pytest.mark.parametrize("slug", ["ban-dan-van", "ban-to-chuc", "ban-la"])
def test_other_kinds_cover_themselves(slug: str) -> None:
    assert bodies.covered(slug) == {slug}
