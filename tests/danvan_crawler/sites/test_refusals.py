"""Every error of a profile, and its message."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danvan_crawler.exceptions import ProfileError
from danvan_crawler.sites.profile import Site

Refusal = Callable[..., str]


@pytest.fixture
def refusal(profile: Callable[..., str]) -> Refusal:
    """The message with which the profile of these parts is refused."""

    def message(**parts: str) -> str:
        with pytest.raises(ProfileError) as caught:
            Site.parse(profile(**parts), origin="ARCHIVE/sites/x.toml")
        return str(caught.value)

    return message


@pytest.mark.parametrize("key", ["slug", "name", "family", "home", "province", "body"])
def test_a_missing_key_is_named(refusal: Refusal, key: str) -> None:
    assert refusal(without=key) == f"ARCHIVE/sites/x.toml: {key}: required key is missing"


def test_a_profile_without_sections_is_refused(refusal: Refusal) -> None:
    assert refusal(sections="") == "ARCHIVE/sites/x.toml: sections: required key is missing"


@pytest.mark.parametrize("key", ["name", "url"])
def test_a_missing_key_of_a_section_is_named_with_its_position(refusal: Refusal, key: str) -> None:
    other = {"name": 'url = "https://a.vn/"', "url": 'name = "Tin"'}[key]
    assert refusal(end=f"[[sections]]\n{other}\n") == f"ARCHIVE/sites/x.toml: sections.1.{key}: required key is missing"


def test_an_unknown_key_is_named(refusal: Refusal) -> None:
    assert refusal(colour='"red"') == "ARCHIVE/sites/x.toml: colour: unknown key"


def test_an_unknown_key_of_a_section_is_named(refusal: Refusal) -> None:
    message = refusal(end="pages = 3\n")
    assert message == "ARCHIVE/sites/x.toml: sections.0.pages: unknown key"


def test_an_unknown_key_of_a_layout_is_named(refusal: Refusal) -> None:
    layouts = "[[layouts]]\nuntil = 2019-06-01\nselectors = {}\nsince = 2018-01-01\n"
    assert refusal(end=layouts) == "ARCHIVE/sites/x.toml: layouts.0.since: unknown key"


def test_all_errors_of_a_profile_are_reported_at_once(refusal: Refusal) -> None:
    message = refusal(province='"21"', body='"Ban Dân vận"', colour='"red"')
    assert [key for key in ("province", "body", "colour") if f"{key}: " not in message] == []


ADDRESSES = [
    "/tin-tuc/",
    "tin-tuc/",
    "//danvan.example.vn/",
    "danvan.example.vn",
    "ftp://danvan.example.vn/",
    "javascript:alert(1)",
    "http://",
    "http:///tin-tuc/",
    "http://:80/",
    "http://[::1",
    "http://danvan.example.vn:99999/",
    "http://danvan.example.vn:0/",
    "http://danvan.example.vn:x/",
    "http://user:secret@danvan.example.vn/",
    "http://danvan.example.vn/tin tuc/",
    "http://danvan.example.vn/\\u0000",
    "",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_cannot_be_fetched_is_refused_as_home(refusal: Refusal, address: str) -> None:
    assert refusal(home=f'"{address}"').startswith("ARCHIVE/sites/x.toml: home: must ")


@pytest.mark.parametrize("rest", ["danvan.example.vn/", "danvan.example.vn:x/", "[::1", "", "danvan.example.vn/a b"])
def test_a_refusal_does_not_show_a_password(refusal: Refusal, rest: str) -> None:
    message = refusal(home=f'"http://bien-tap:secret@{rest}"')
    assert "home: must " in message
    assert "secret" not in message


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_cannot_be_fetched_is_refused_as_section(refusal: Refusal, address: str) -> None:
    sections = f'[[sections]]\nname = "Tin"\nurl = "{address}"\n'
    assert refusal(sections=sections).startswith("ARCHIVE/sites/x.toml: sections.0.url: must ")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("slug", '"thanhhoa"', "should match pattern"),
        ("slug", '"ThanhHoa-danvan"', "should match pattern"),
        ("slug", '"../../thanhhoa-danvan"', "should match pattern"),
        ("slug", f'"a-{"b" * 80}"', "at most 80"),
        ("slug", "21", "valid string"),
        ("name", '""', "must not be empty"),
        ("name", '"  "', "must not be empty"),
        ("name", '"Ban Dân vận\\nrobots: ignore"', "must be one line"),
        ("rights", '""', "must not be empty"),
        ("rights", '"a\\r\\nrobots: ignore"', "must be one line"),
        ("rights", "true", "valid string"),
        ("family", '"no_such_platform"', "unknown family 'no_such_platform'"),
        ("family", '"_danvan_blocks"', "unknown family"),
        ("family", '"danvan_portal.x"', "unknown family"),
        ("family", '""', "unknown family"),
        ("aliases", '"old.example.vn"', "must be a list"),
        ("aliases", '["http://old.example.vn/"]', "must be host names"),
        ("aliases", '["Old.example.vn"]', "must be host names"),
        ("aliases", '["old.example.vn:8080"]', "must be host names"),
        ("aliases", '[".."]', "must be host names"),
        ("aliases", '["tỉnh ủy.vn"]', "must be host names"),
        ("aliases", '["tỉnhủy.vn/tin"]', "must be host names"),
        ("aliases", '["[::1]:8017"]', "must be host names"),
        ("aliases", '["127.0.0.1:8017"]', "must be host names"),
        ("aliases", '[""]', "must be host names"),
        ("static_hosts", '"cdn.example.vn"', "must be a list"),
        ("static_hosts", '["https://cdn.example.vn/"]', "must be host names"),
        ("requisites_budget", "-1", "greater than or equal to 0"),
        ("requisites_budget", '"200 MB"', "valid integer"),
        ("province", '"VN-2"', "should match pattern"),
        ("province", '"21"', "should match pattern"),
        ("province", '"VN-211"', "should match pattern"),
        ("province", "21", "valid string"),
        ("body", '"Ban Dân vận"', "should match pattern"),
        ("body", '""', "should match pattern"),
        ("timezone", '"Asia/Thanh_Hoa"', "unknown time zone"),
        ("timezone", '""', "unknown time zone"),
        ("timezone", '"GMT+7"', "unknown time zone"),
        ("timezone", '"UTC+7"', "unknown time zone"),
        ("timezone", '"localtime"', "unknown time zone"),
        ("timezone", '"/etc/hostname"', "unknown time zone"),
        ("timezone", '"../Asia/Ho_Chi_Minh"', "unknown time zone"),
        ("clock_offset", '"7h"', "must be an ISO 8601 duration"),
        ("clock_offset", '""', "must be an ISO 8601 duration"),
        ("clock_offset", '"P"', "must be an ISO 8601 duration"),
        ("clock_offset", '"PT"', "must be an ISO 8601 duration"),
        ("clock_offset", '"P1DT"', "must be an ISO 8601 duration"),
        ("clock_offset", '"P1Y"', "must be an ISO 8601 duration"),
        ("clock_offset", '"P30M"', "must be an ISO 8601 duration"),
        ("clock_offset", '"07:00:00"', "must be an ISO 8601 duration"),
        ("clock_offset", '"P99999999999D"', "must be an ISO 8601 duration"),
        ("clock_offset", "7", "valid string"),
        ("month_first", '"yes"', "valid boolean"),
        ("enabled", '"no"', "valid boolean"),
        ("enabled", "0", "valid boolean"),
        ("private_network", "1", "valid boolean"),
        ("delay", "-1", "greater than or equal to 0"),
        ("delay", "4000", "less than or equal to 3600"),
        ("delay", "nan", "finite number"),
        ("delay", "inf", "finite number"),
        ("delay", '"1.0"', "valid number"),
        ("delay", "true", "valid number"),
        ("connections", "0", "greater than or equal to 1"),
        ("connections", "65", "less than or equal to 64"),
        ("connections", "1.5", "valid integer"),
        ("connections", "true", "valid integer"),
        ("first_year", "1989", "greater than or equal to 1990"),
        ("first_year", "2101", "less than or equal to 2100"),
        ("first_year", '"2005"', "valid integer"),
    ],
)
def test_a_wrong_value_is_refused_with_key_and_reason(refusal: Refusal, key: str, value: str, reason: str) -> None:
    message = refusal(**{key: value})
    assert re.match(rf"ARCHIVE/sites/x\.toml: {key}(\.\d+)?: ", message)
    assert reason in message


def test_the_refused_value_is_shown(refusal: Refusal) -> None:
    assert refusal(province='"VN-2"').endswith("got 'VN-2'")


@pytest.mark.parametrize("delay", ["0", "0.1", "0.99"])
def test_a_public_site_needs_a_delay_of_a_second(refusal: Refusal, delay: str) -> None:
    message = refusal(delay=delay)
    assert message.startswith(
        "ARCHIVE/sites/x.toml: delay: must be at least 1.0 seconds unless private_network is true"
    )


def test_a_public_site_gets_one_connection(refusal: Refusal) -> None:
    message = refusal(connections="2")
    assert message.startswith("ARCHIVE/sites/x.toml: connections: above 1 needs private_network = true")


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ("sections = []\n", "sections: must not be empty"),
        ('[sections]\nname = "Tin"\nurl = "https://a.vn/"\n', "sections: must be a list"),
        ('[[sections]]\nname = ""\nurl = "https://a.vn/"\n', "sections.0.name: must not be empty"),
        ('[[sections]]\nname = "a\\tb"\nurl = "https://a.vn/"\n', "sections.0.name: must be one line"),
    ],
)
def test_sections_that_cannot_be_walked_are_refused(refusal: Refusal, sections: str, reason: str) -> None:
    assert reason in refusal(sections=sections)


@pytest.mark.parametrize(
    ("name", "address", "what"),
    [
        ("Tin tức - Sự kiện", "https://a.vn/", "name"),
        ("Khác", "https://danvan.example.vn/tin-tuc/", "address"),
        ("Khác", "https://danvan.example.vn:443/tin-tuc/#b", "address"),
    ],
)
def test_sections_with_the_same_name_or_address_are_refused(
    refusal: Refusal, name: str, address: str, what: str
) -> None:
    message = refusal(end=f'[[sections]]\nname = "{name}"\nurl = "{address}"\n')
    assert message.startswith(f"ARCHIVE/sites/x.toml: sections: the {what} ")


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ("[selectors]\ntitel = 'h1'\n", "selectors: unknown key 'titel'; known keys are article_link, body"),
        ("[selectors]\ntitle = 'h1['\n", "selectors: title: must be a CSS selector or XPath"),
        ("[selectors]\ntitle = ''\n", "selectors: title: must be a CSS selector or XPath"),
        ("[selectors]\ntitle = '//h1['\n", "selectors: title: must be a CSS selector or XPath"),
        ("[selectors]\ntitle = 3\n", "selectors.title: Input should be a valid string"),
        ("[[layouts]]\nselectors = {}\n", "layouts.0.until: required key is missing"),
        ("[[layouts]]\nuntil = 2019-06-01\n", "layouts.0.selectors: required key is missing"),
        ("[[layouts]]\nuntil = '2019-06-01'\nselectors = {}\n", "layouts.0.until: must be a day like 2019-06-01"),
        ("[[layouts]]\nuntil = 2019\nselectors = {}\n", "layouts.0.until: must be a day like 2019-06-01"),
        ("[[layouts]]\nuntil = 2019-06-01T08:00:00\nselectors = {}\n", "layouts.0.until: must be a day"),
        ("[[layouts]]\nuntil = 2019-06-01\nselectors = { titel = 'h1' }\n", "layouts.0.selectors: unknown key"),
        ("[[layouts]]\nuntil = 2019-06-01\nselectors = {}\n" * 2, "layouts: the day '2019-06-01' is given twice"),
        ("[layouts]\nuntil = 2019-06-01\n", "layouts: must be a list"),
    ],
)
def test_selectors_and_layouts_that_cannot_work_are_refused(refusal: Refusal, tables: str, reason: str) -> None:
    assert reason in refusal(end=tables)


def test_invalid_toml_is_refused_with_its_line(refusal: Refusal) -> None:
    message = refusal(name="")
    assert message.startswith("ARCHIVE/sites/x.toml: not valid TOML: ")
    assert "line 2" in message


@given(st.text())
def test_any_text_is_either_parsed_or_refused(text: str) -> None:
    with pytest.raises(ProfileError):
        Site.parse(text)
