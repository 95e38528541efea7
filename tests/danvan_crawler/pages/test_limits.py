"""Pages that must be cut before they are parsed, and pages that must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.pages.limits import MAX_ATTRIBUTES, within_limits

FIXTURES = Path(__file__).parents[2] / "fixtures"
START = "<html><body><h1>Hội nghị</h1><p>Đoạn một.</p>"


@pytest.mark.parametrize("page", sorted(FIXTURES.rglob("*.html")), ids=lambda page: "/".join(page.parts[-3:-1]))
def test_a_real_page_is_not_cut(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert within_limits(html) is html


@pytest.mark.parametrize(
    "filling",
    [
        "<div><p>Đoạn <b>văn</b><br><img src=a.jpg></div>" * 50_000,
        "<p>Đoạn văn không có thẻ đóng" * 50_000,
        "<ul>" + "<li>mục" * 50_000 + "</ul>",
        "<table>" + "<tr><td>ô<td>ô" * 50_000 + "</table>",
        "<font color=red><p>đỏ</font>" * 50_000,
        "<svg>" + '<path d="M0 0"/>' * 50_000 + "</svg>",
        "<script>" + "document.write('<div>');" * 50_000 + "</script>",
        "<!--" + "<div>" * 50_000 + "-->",
        "<select>" + "<option>x" * 500 + "</select>",
        '<img src="data:image/png;base64,' + "A" * 3_000_000 + '">',
        "<div>" * 300 + "<p>x</p>" * 30_000,
        "<font size=2>" * 5 + "<p>x</p>" * 10_000,
    ],
    ids=lambda filling: filling[:20],
)
def test_a_long_ordinary_page_is_not_cut(filling: str) -> None:
    html = START + filling + "<p>Hết.</p>"
    assert within_limits(html) is html


HOSTILE = [
    "<div>" * 200_000,
    "<DIV>" * 200_000,
    "<div><p>x" * 100_000,
    "<ul><li>" * 100_000,
    "<table><tr><td>" * 60_000,
    "".join(f"<font size={n}><p>x" for n in range(20_000)),
    "".join(f"<a href={n}>x" for n in range(100_000)),
    "<select>" + "<option>x" * 100_000,
    "<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">",
    "</x><div>" * 100_000,
]


@pytest.mark.parametrize("filling", HOSTILE, ids=lambda filling: filling[:20])
def test_a_hostile_page_is_cut_at_the_limit_of_cost(filling: str) -> None:
    html = START + filling + "<p>Hết.</p>"
    kept = within_limits(html)
    assert kept.startswith(START)
    assert len(kept) < len(html)
    assert html.startswith(kept)


def test_a_page_is_cut_at_a_tag_with_too_many_attributes() -> None:
    many = "<p " + " ".join(f"a{n}" for n in range(MAX_ATTRIBUTES + 1)) + ">"
    assert within_limits(START + "x" * 100_000 + many + "<p>") == START + "x" * 100_000


@given(st.text(alphabet="<>/!-=\"' abdivpscript\n", min_size=1, max_size=30))
def test_the_beginning_of_the_page_is_kept(piece: str) -> None:
    html = piece * (120_000 // len(piece))
    assert html.startswith(within_limits(html))
