"""Reading items back: filters, order, and one article with its history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from danvan_crawler.exceptions import UnknownItemError, UsageError
from danvan_crawler.store.database import open_for_reading
from danvan_crawler.store.queries import Filter, History, count, history, items
from danvan_crawler.store.writes import Store


@pytest.fixture
def filled(store: Store, desk: Any) -> Path:
    """Four articles: three dated, one without a date, one of another site, province, body and section."""
    desk.publish(store, "/1.html", "08:00", "một", published_at="2017-05-22T23:59:59+07:00", section="Tin tức")
    desk.publish(store, "/2.html", "08:01", "hai", published_at="2017-05-23T00:00:00+07:00", section="Văn bản")
    desk.publish(store, "/3.html", "08:02", "ba", published_at=None, section="Tin tức")
    other = {"site": "khac-kiemtra", "province": "VN-07", "body": "uy-ban-kiem-tra", "section": "Kiểm tra"}
    desk.publish(store, "/4.html", "08:03", "bốn", published_at="2017-05-24T23:59:59+07:00", **other)
    return store.path


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, {"một", "hai", "ba", "bốn"}),
        ({"site": "khac-kiemtra"}, {"bốn"}),
        ({"province": "VN-21"}, {"một", "hai", "ba"}),
        ({"body": "uy-ban-kiem-tra"}, {"bốn"}),
        ({"section": "Tin tức"}, {"một", "ba"}),
        ({"site": "vi-du-danvan", "section": "Kiểm tra"}, set()),
        ({"since": "2017-05-23"}, {"hai", "bốn"}),
        ({"until": "2017-05-23"}, {"một", "hai"}),
        ({"since": "2017-05-23", "until": "2017-05-23"}, {"hai"}),
        ({"until": "2017-05-24"}, {"một", "hai", "bốn"}),
        ({"since": "2018-01-01"}, set()),
        ({"site": "' OR 1=1 --"}, set()),
    ],
)
def test_a_filter_selects_its_items(criteria: dict[str, str], expected: set[str], filled: Path) -> None:
    with open_for_reading(filled).connect() as connection:
        assert {item["title"] for item in items(connection, Filter(**criteria))} == expected
        assert count(connection, Filter(**criteria)) == len(expected)


@pytest.fixture
def merged(store: Store, desk: Any) -> Path:
    """Five articles of provinces and bodies that were merged, before and after, and one of another kind."""
    for number, (title, province, body) in enumerate(
        [
            ("Hà Nam 2017", "VN-63", "ban-dan-van"),
            ("Nam Định 2017", "VN-67", "ban-tuyen-giao"),
            ("Ninh Bình 2017", "VN-18", "ban-dan-van"),
            ("Ninh Bình 2026", "VN-18", "ban-tuyen-giao-va-dan-van"),
            ("Thanh Hóa 2026", "VN-21", "ban-tuyen-giao-va-dan-van"),
            ("Huế 2017", "VN-26", "thanh-uy"),
        ]
    ):
        desk.publish(store, f"/{number}.html", "08:00", title, province=province, body=body)
    return store.path


OF_NINH_BINH = {"Hà Nam 2017", "Nam Định 2017", "Ninh Bình 2017", "Ninh Bình 2026"}
OF_MERGED_BODY = OF_NINH_BINH | {"Thanh Hóa 2026"}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"province": "VN-18"}, OF_NINH_BINH),
        ({"province": "Ninh Bình"}, OF_NINH_BINH),
        ({"province": "ninh binh"}, OF_NINH_BINH),
        ({"province": "ninhbinh"}, OF_NINH_BINH),
        ({"province": "Hà Nam"}, {"Hà Nam 2017"}),
        ({"province": "ha-nam"}, {"Hà Nam 2017"}),
        ({"province": "VN-63"}, {"Hà Nam 2017"}),
        ({"province": "tỉnh Thanh Hoá"}, {"Thanh Hóa 2026"}),
        ({"province": "Thừa Thiên Huế"}, {"Huế 2017"}),
        ({"province": "TP. HCM"}, set()),
        ({"body": "ban-tuyen-giao-va-dan-van"}, OF_MERGED_BODY),
        ({"body": "Ban Tuyên giáo và Dân vận"}, OF_MERGED_BODY),
        ({"body": "ban-dan-van"}, {"Hà Nam 2017", "Ninh Bình 2017"}),
        ({"body": "ban dan van tinh uy"}, {"Hà Nam 2017", "Ninh Bình 2017"}),
        ({"body": "thanh-uy"}, {"Huế 2017"}),
        ({"body": "ban-la"}, set()),
        ({"province": "Ninh Bình", "body": "Ban Dân vận"}, {"Hà Nam 2017", "Ninh Bình 2017"}),
    ],
)
def test_a_filter_by_place_includes_merged_places_under_any_name(
    criteria: dict[str, str], expected: set[str], merged: Path
) -> None:
    with open_for_reading(merged).connect() as connection:
        assert {item["title"] for item in items(connection, Filter(**criteria))} == expected
        assert count(connection, Filter(**criteria)) == len(expected)


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"province": "Ninh Bin"}, "no province has the code or name 'Ninh Bin'; did you mean Ninh Bình?"),
        (
            {"province": "Quảng"},
            "no province has the code or name 'Quảng'; did you mean Quảng Bình or Quảng Nam or Quảng Ngãi?",
        ),
        ({"province": "VN-99"}, "no province has the code or name 'VN-99'"),
        ({"province": "37"}, "no province has the code or name '37'"),
        ({"province": ""}, "no province has the code or name ''"),
        ({"body": "Ban Dân vậm"}, "no body has the slug or name 'Ban Dân vậm'; did you mean Ban Dân vận?"),
        ({"body": ""}, "no body has the slug or name ''"),
    ],
)
def test_an_unknown_place_is_wrong_usage_with_similar_names(criteria: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Filter(**criteria)
    assert str(caught.value) == message


def test_items_are_in_the_order_of_their_ids_over_chunks(store: Store, desk: Any, exported: Any) -> None:
    for number in range(60):
        desk.publish(store, f"/{number}.html", f"08:{number:02}", f"bài {number}")
    ids = [item["item_id"] for item in exported(store.path)]
    assert len(ids) == 60
    assert ids == sorted(ids)


def test_a_long_export_reads_the_database_as_it_was_at_its_start(store: Store, desk: Any) -> None:
    for number in range(3):
        desk.publish(store, f"/{number}.html", "08:00", f"bài {number}")
    with open_for_reading(store.path).connect() as connection:
        reading = items(connection, Filter())
        seen = [next(reading)["title"]]
        desk.publish(store, "/3.html", "09:00", "bài 3")
        desk.publish(store, "/0.html", "09:00", "bài 0, sửa")
        seen += [item["title"] for item in reading]
    assert sorted(seen) == ["bài 0", "bài 1", "bài 2"]


def found(store: Store, wanted: str) -> History:
    with open_for_reading(store.path).connect() as connection:
        return history(connection, wanted)


def test_a_history_has_every_revision_and_capture_in_order_of_time(store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "09:00", "mới")
    article = desk.publish(store, "/1.html", "08:00", "cũ")
    told = found(store, article.item_id)
    assert told.item["title"] == "mới"
    assert [(row["revision"], row["title"], row["captured_at"][11:16]) for row in told.revisions] == [
        (1, "cũ", "08:00"),
        (2, "mới", "09:00"),
    ]
    assert [row["warc_date"][11:16] for row in told.captures] == ["08:00", "09:00"]


@pytest.mark.parametrize(
    "address",
    [
        "http://danvan.example.vn/1.html",
        "https://www.danvan.example.vn/1.html?utm_source=zalo#top",
        "HTTP://DANVAN.example.vn:80/1.html?print=1",
    ],
)
def test_an_article_is_found_under_any_variant_of_its_address(address: str, store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00", "một")
    assert found(store, address).item["title"] == "một"


@pytest.mark.parametrize("path", ["/cu.html", "/moi.html", "/bai/1.html"], ids=["link", "address", "canonical"])
def test_an_article_is_found_under_the_addresses_that_redirect_to_it(path: str, store: Store, desk: Any) -> None:
    store.note_capture(desk.site, desk.capture("/cu.html", "07:59", status=301))
    host = "http://danvan.example.vn"
    desk.publish(store, "/moi.html", "08:00", "một", link="/cu.html", canonical_url=f"{host}/bai/1.html")
    assert found(store, host + path).item["title"] == "một"


def test_with_the_same_path_on_two_sites_the_host_decides(store: Store, desk: Any) -> None:
    desk.publish(store, "http://mot.example.vn/1.html", "08:00", "một", site="mot-danvan")
    desk.publish(store, "http://hai.example.vn/1.html", "08:00", "hai", site="hai-danvan")
    assert found(store, "http://mot.example.vn/1.html").item["title"] == "một"
    assert found(store, "https://hai.example.vn/1.html").item["title"] == "hai"
    with pytest.raises(UnknownItemError):
        found(store, "http://ba.example.vn/1.html")


@pytest.mark.parametrize("wanted", ["vi-du-danvan-0000000000000000", "http://[", "http://danvan.example.vn/2.html", ""])
def test_the_error_names_the_missing_article(wanted: str, store: Store, desk: Any) -> None:
    desk.publish(store, "/1.html", "08:00")
    with pytest.raises(UnknownItemError) as caught:
        found(store, wanted)
    assert repr(wanted) in str(caught.value)
