"""Counters beside a title."""

from __future__ import annotations

import pytest

from danvan_crawler.vietnamese.counters import without_counters


@pytest.mark.parametrize(
    "printed",
    [
        "Hội nghị sơ kết Lượt xem: 11",
        "Hội nghị sơ kết (12 lượt xem)",
        "Hội nghị sơ kết - Số lượt đọc 1.204",
        "Hội nghị sơ kết | Đã xem: 7 | 3 bình luận",
        "[1,024 views] Hội nghị sơ kết",
        "Hội nghị sơ kết – Bình luận (3)",
        "Hội nghị sơ kết lượt truy cập: 5",
    ],
)
def test_a_view_counter_is_not_part_of_the_title(printed: str) -> None:
    assert without_counters(printed) == "Hội nghị sơ kết"


@pytest.mark.parametrize(
    "title",
    [
        "Hội nghị sơ kết năm 2026",
        "Thông báo số 12-TB/BDV",
        "Trao 500 suất quà",
        "5 năm nhìn lại",
        "Lượt về giải bóng đá 2026",
        "Review 2026",
        "",
    ],
)
def test_other_numbers_are_kept(title: str) -> None:
    assert without_counters(title) == title


@pytest.mark.parametrize("title", ["-" * 1_000_000, "- " * 490 + "lượt xem", "1" * 900])
def test_a_title_of_symbols_is_kept(title: str) -> None:
    assert without_counters(title) == title.strip()
