"""63 provinces, 34 since July 2025: which unit held on which day, and the meaning of names."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from danvan_crawler.vietnamese import provinces
from danvan_crawler.vietnamese.text import fold

LAST_OF_63 = date(2025, 6, 30)
FIRST_OF_34 = date(2025, 7, 1)
# Resolution 202/2025/QH15: the unit that kept its name, and those that were merged into it.
MERGERS = {
    "Tuyên Quang": "Hà Giang",
    "Lào Cai": "Yên Bái",
    "Thái Nguyên": "Bắc Kạn",
    "Phú Thọ": "Hòa Bình, Vĩnh Phúc",
    "Bắc Ninh": "Bắc Giang",
    "Hưng Yên": "Thái Bình",
    "Hải Phòng": "Hải Dương",
    "Ninh Bình": "Hà Nam, Nam Định",
    "Quảng Trị": "Quảng Bình",
    "Đà Nẵng": "Quảng Nam",
    "Quảng Ngãi": "Kon Tum",
    "Gia Lai": "Bình Định",
    "Khánh Hòa": "Ninh Thuận",
    "Lâm Đồng": "Bình Thuận, Đắk Nông",
    "Đắk Lắk": "Phú Yên",
    "Hồ Chí Minh": "Bình Dương, Bà Rịa - Vũng Tàu",
    "Đồng Nai": "Bình Phước",
    "Tây Ninh": "Long An",
    "Cần Thơ": "Sóc Trăng, Hậu Giang",
    "Vĩnh Long": "Bến Tre, Trà Vinh",
    "Đồng Tháp": "Tiền Giang",
    "Cà Mau": "Bạc Liêu",
    "An Giang": "Kiên Giang",
}
SUCCESSOR = {old: new for new, merged in MERGERS.items() for old in merged.split(", ")}
UNCHANGED = {
    "Hà Nội", "Huế", "Lai Châu", "Điện Biên", "Sơn La", "Lạng Sơn", "Quảng Ninh", "Thanh Hóa", "Nghệ An", "Hà Tĩnh",
    "Cao Bằng",
}  # fmt: skip
OF_63 = {province.name: province for province in provinces.existing(LAST_OF_63)}
# Of pycountry 26.2.16 and iso3166-2-db 2.3.11.
ISO_3166_2 = """\
VN-01 Lai Châu
VN-02 Lào Cai
VN-03 Hà Giang
VN-04 Cao Bằng
VN-05 Sơn La
VN-06 Yên Bái
VN-07 Tuyên Quang
VN-09 Lạng Sơn
VN-13 Quảng Ninh
VN-14 Hòa Bình
VN-18 Ninh Bình
VN-20 Thái Bình
VN-21 Thanh Hóa
VN-22 Nghệ An
VN-23 Hà Tĩnh
VN-24 Quảng Bình
VN-25 Quảng Trị
VN-26 Huế
VN-27 Quảng Nam
VN-28 Kon Tum
VN-29 Quảng Ngãi
VN-30 Gia Lai
VN-31 Bình Định
VN-32 Phú Yên
VN-33 Đắk Lắk
VN-34 Khánh Hòa
VN-35 Lâm Đồng
VN-36 Ninh Thuận
VN-37 Tây Ninh
VN-39 Đồng Nai
VN-40 Bình Thuận
VN-41 Long An
VN-43 Bà Rịa - Vũng Tàu
VN-44 An Giang
VN-45 Đồng Tháp
VN-46 Tiền Giang
VN-47 Kiên Giang
VN-49 Vĩnh Long
VN-50 Bến Tre
VN-51 Trà Vinh
VN-52 Sóc Trăng
VN-53 Bắc Kạn
VN-54 Bắc Giang
VN-55 Bạc Liêu
VN-56 Bắc Ninh
VN-57 Bình Dương
VN-58 Bình Phước
VN-59 Cà Mau
VN-61 Hải Dương
VN-63 Hà Nam
VN-66 Hưng Yên
VN-67 Nam Định
VN-68 Phú Thọ
VN-69 Thái Nguyên
VN-70 Vĩnh Phúc
VN-71 Điện Biên
VN-72 Đắk Nông
VN-73 Hậu Giang
VN-CT Cần Thơ
VN-DN Đà Nẵng
VN-HN Hà Nội
VN-HP Hải Phòng
VN-SG Hồ Chí Minh
"""
CODES = [line.split()[0] for line in ISO_3166_2.splitlines()]


def test_the_codes_are_those_of_iso_3166() -> None:
    found = [f"{province.code} {province.name}" for province in OF_63.values()]
    assert sorted(found) == ISO_3166_2.splitlines()


def test_of_63_provinces_52_became_23_and_11_stayed() -> None:
    assert len(OF_63) == 63
    assert len(provinces.existing(FIRST_OF_34)) == 34
    assert {province.name for province in provinces.existing(FIRST_OF_34)} == {*MERGERS, *UNCHANGED}
    assert {*MERGERS, *SUCCESSOR, *UNCHANGED} == set(OF_63)
    assert (len(MERGERS), len(MERGERS) + len(SUCCESSOR), len(UNCHANGED)) == (23, 52, 11)


@pytest.mark.parametrize("name", sorted(OF_63))
def test_a_province_is_unchanged_until_june_2025_and_the_merged_unit_since(name: str) -> None:
    code, new = OF_63[name].code, SUCCESSOR.get(name, name)
    assert provinces.lookup(code, on=LAST_OF_63).name == name
    since = provinces.lookup(code, on=FIRST_OF_34)
    assert (since.name, since.code) == (new, OF_63[new].code)
    assert provinces.lookup(code, on=date(2026, 11, 23)).name == new


@pytest.mark.parametrize("name", sorted({*MERGERS, *SUCCESSOR}))
def test_an_old_unit_is_valid_until_the_day_on_which_the_merged_one_begins(name: str) -> None:
    before = OF_63[name]
    after = provinces.lookup(before.code, on=FIRST_OF_34)
    assert (before.valid_until, before.successor) == (FIRST_OF_34, after.code)
    assert after.valid_from == FIRST_OF_34


@pytest.mark.parametrize("name", sorted(UNCHANGED))
def test_a_province_without_a_merger_is_unchanged(name: str) -> None:
    province = OF_63[name]
    assert provinces.lookup(province.code, on=FIRST_OF_34) == province
    assert (province.valid_until, province.successor) == (None, None)


@pytest.mark.parametrize(
    ("day", "name"), [(date(2024, 12, 31), "tỉnh Thừa Thiên Huế"), (date(2025, 1, 1), "thành phố Huế")]
)
def test_hue_is_a_city_since_2025(day: date, name: str) -> None:
    assert provinces.lookup("VN-26", on=day).full_name == name


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("VN-39", date(2026, 4, 29), "tỉnh Đồng Nai"),
        ("VN-39", date(2026, 4, 30), "thành phố Đồng Nai"),
        ("VN-58", date(2026, 4, 30), "thành phố Đồng Nai"),
    ],
)
def test_dong_nai_is_a_city_since_april_2026(code: str, day: date, name: str) -> None:
    assert provinces.lookup(code, on=day).full_name == name


def test_periods_of_a_province_follow_each_other_without_a_gap() -> None:
    for code in CODES:
        held = [provinces.lookup(code, on=date(2024, 1, 1))]
        while held[-1].valid_until is not None:
            held.append(provinces.lookup(code, on=held[-1].valid_until))
            assert held[-1].valid_from == held[-2].valid_until
            assert held[-1].code == held[-2].successor
        assert held[-1].successor is None


def test_a_datetime_counts_as_its_local_day() -> None:
    assert provinces.lookup("VN-63", on=datetime(2025, 6, 30, 23, 59, tzinfo=UTC)).name == "Hà Nam"


@pytest.mark.parametrize("code", ["VN-99", "VN-15", "vn-21", "21", "", "Thanh Hóa"])
def test_an_unknown_code_is_a_key_error_that_names_it(code: str) -> None:
    with pytest.raises(KeyError, match=f"no province has the code {code!r}"):
        provinces.lookup(code, on=FIRST_OF_34)


@pytest.mark.parametrize("number", range(1, 100))
def test_a_code_of_the_statistics_office_gives_none(number: int) -> None:
    assert provinces.find(f"{number:02}") is None
    with pytest.raises(KeyError):
        provinces.lookup(f"{number:02}", on=FIRST_OF_34)


@pytest.mark.parametrize("name", sorted({*OF_63, "Thừa Thiên Huế"}))
def test_a_name_is_found_in_any_spelling(name: str) -> None:
    code = OF_63["Huế" if name == "Thừa Thiên Huế" else name].code
    slug = fold(name).replace(" - ", " ").replace(" ", "-")
    spellings = [
        name, name.upper(), unicodedata.normalize("NFD", name), fold(name), slug, slug.replace("-", ""), f" {name} ",
        f"tỉnh {name}", f"Thành phố {name}", f"TP. {name}", f"TP{name}", f"Tỉnh uỷ {name}", code, code.lower(),
    ]  # fmt: skip
    assert {spelling: provinces.find(spelling) for spelling in spellings} == dict.fromkeys(spellings, code)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Hoà Bình", "Hòa Bình"),
        ("TP. HCM", "Hồ Chí Minh"),
        ("tphcm", "Hồ Chí Minh"),
        ("Ho Chi Minh City", "Hồ Chí Minh"),
        ("Sài Gòn", "Hồ Chí Minh"),
        ("brvt", "Bà Rịa - Vũng Tàu"),
        ("BR-VT", "Bà Rịa - Vũng Tàu"),
        ("Bà Rịa – Vũng Tàu", "Bà Rịa - Vũng Tàu"),
        ("Thừa Thiên-Huế", "Huế"),
        ("TT-Huế", "Huế"),
        ("Đăk Lăk", "Đắk Lắk"),
        ("Đắc Lắc", "Đắk Lắk"),
        ("Đắc Nông", "Đắk Nông"),
        ("Bắc Cạn", "Bắc Kạn"),
        ("Con Tum", "Kon Tum"),
        ("Kontum", "Kon Tum"),
        ("Kiến Giang", "Kiên Giang"),
    ],
)
def test_other_names_of_a_province_are_found(spelling: str, name: str) -> None:
    assert provinces.find(spelling) == OF_63[name].code


@pytest.mark.parametrize("text", ["", " ", "tỉnh", "TP.", "Hà", "Quảng", "Hà Nội mới", "VN-99", "VN"])
def test_a_text_that_is_not_a_province_gives_none(text: str) -> None:
    assert provinces.find(text) is None


def test_no_spelling_stands_for_two_provinces() -> None:
    names = Counter(fold(name) for name in {*OF_63, "Thừa Thiên Huế"})
    assert set(names.values()) == {1}
    assert len({province.slug for province in OF_63.values()}) == 63
    assert {province.slug: provinces.find(province.slug) for province in OF_63.values()} == {
        province.slug: province.code for province in OF_63.values()
    }


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("Ninh Bin", ["Ninh Bình"]),
        ("Thừa Thiên", ["Thừa Thiên Huế"]),
        ("quảng", ["Quảng Bình", "Quảng Nam", "Quảng Ngãi"]),
        ("", []),
        ("xyz", []),
    ],
)
def test_similar_names_are_suggested(typed: str, names: list[str]) -> None:
    assert provinces.near(typed) == names


@pytest.mark.parametrize("name", sorted(MERGERS))
def test_a_new_province_covers_its_predecessors(name: str) -> None:
    expected = {OF_63[old].code for old in (name, *MERGERS[name].split(", "))}
    assert provinces.covered(OF_63[name].code) == expected


@pytest.mark.parametrize("name", sorted({*SUCCESSOR, *UNCHANGED}))
def test_a_province_that_nothing_was_merged_into_covers_itself(name: str) -> None:
    assert provinces.covered(OF_63[name].code) == {OF_63[name].code}


def test_an_unknown_code_covers_itself() -> None:
    assert provinces.covered("VN-99") == {"VN-99"}
