"""Values of a valid profile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from danvan_crawler.sites.profile import Site

Profile = Callable[..., str]
MakeSite = Callable[..., Site]


@pytest.fixture
def site(profile: Profile) -> MakeSite:
    return lambda **parts: Site.parse(profile(**parts))


def test_a_profile_with_the_required_keys_has_the_documented_defaults(site: MakeSite) -> None:
    found = site()
    assert found.timezone == "Asia/Ho_Chi_Minh"
    assert found.clock_offset == "PT0S"
    assert found.enabled is True
    assert found.month_first is found.private_network is False
    assert (found.delay, found.connections) == (1.0, 1)
    assert (found.aliases, dict(found.selectors), found.layouts) == ((), {}, ())


def test_every_documented_key_is_read(site: MakeSite) -> None:
    found = site(
        aliases='["old.example.vn"]',
        timezone='"UTC"',
        clock_offset='"PT7H"',
        month_first="true",
        enabled="false",
        private_network="true",
        delay="0.5",
        connections="4",
        end="""[[sections]]
name = "Dân vận khéo"
url = "https://tin.example.vn/dan-van-kheo/"
[selectors]
title = "h1.title"
[[layouts]]
until = 2019-06-01
selectors = { published = "span.ngaydang" }
""",
    )
    assert found.slug == "thanhhoa-danvan"
    assert found.name == "Ban Dân vận Tỉnh ủy Thanh Hóa"
    assert (found.family, found.home) == ("danvan_portal", "https://danvan.example.vn/")
    assert (found.province, found.body) == ("VN-21", "ban-dan-van")
    assert found.aliases == ("old.example.vn",)
    assert (found.timezone, found.clock_offset) == ("UTC", "PT7H")
    assert (found.month_first, found.enabled, found.private_network) == (True, False, True)
    assert (found.delay, found.connections) == (0.5, 4)
    assert [section.name for section in found.sections] == ["Tin tức - Sự kiện", "Dân vận khéo"]
    assert found.sections[1].url == "https://tin.example.vn/dan-van-kheo/"
    assert found.selectors == {"title": "h1.title"}
    assert found.layouts[0].until == date(2019, 6, 1)
    assert found.layouts[0].selectors == {"published": "span.ngaydang"}


def test_the_text_of_a_profile_is_kept_for_the_archive(profile: Profile) -> None:
    text = "# a remark\n" + profile()
    assert Site.parse(text).source_text == text


def test_a_private_site_may_have_no_delay_and_several_connections(site: MakeSite) -> None:
    found = site(private_network="true", delay="0", connections="8")
    assert (found.delay, found.connections) == (0, 8)


def test_a_site_may_have_a_longer_delay(site: MakeSite) -> None:
    assert site(delay="5").delay == 5.0


@pytest.mark.parametrize("selector", ["h1.title", "div > p:first-child", "//h1/text()", "(//p)[1]", "./div"])
def test_css_and_xpath_are_selectors(site: MakeSite, selector: str) -> None:
    found = site(end=f"[selectors]\ntitle = '{selector}'\n")
    assert found.selectors["title"] == selector


@pytest.mark.parametrize(
    ("offset", "seconds"),
    [
        ("PT0S", 0),
        ("PT7H", 25200),
        ("-PT7H", -25200),
        ("+PT30M", 1800),
        ("P1DT1H1M1S", 90061),
        ("P2D", 172800),
        ("-P1DT1S", -86401),
        ("P9999DT9999H9999M9999S", 900519939),
    ],
)
def test_the_clock_is_corrected_by_its_offset(site: MakeSite, offset: str, seconds: int) -> None:
    assert site(clock_offset=f'"{offset}"').clock_correction == timedelta(seconds=seconds)


def test_the_zone_is_that_of_the_clock_of_the_site(site: MakeSite) -> None:
    assert site().zone.utcoffset(datetime(2017, 5, 23)) == timedelta(hours=7)


def test_hosts_are_those_of_home_sections_and_aliases_with_and_without_www(site: MakeSite) -> None:
    sections = '[[sections]]\nname = "Tin"\nurl = "https://WWW.Tin.example.vn:8443/"\n'
    found = site(aliases='["old.example.vn"]', sections=sections)
    assert found.hosts == (
        "danvan.example.vn",
        "www.danvan.example.vn",
        "www.tin.example.vn",
        "tin.example.vn",
        "old.example.vn",
        "www.old.example.vn",
    )


def test_ip_addresses_and_single_names_have_no_www(site: MakeSite) -> None:
    sections = '[[sections]]\nname = "Tin"\nurl = "http://[::1]:8017/"\n'
    found = site(home='"http://127.0.0.1:8017/"', aliases='["localhost"]', sections=sections)
    assert found.hosts == ("127.0.0.1", "::1", "localhost")


def test_a_vietnamese_host_name_is_stored_in_its_ascii_form(site: MakeSite) -> None:
    assert site(home='"https://tỉnhủy.vn/"').hosts[0] == "xn--tnhy-vw5a2h.vn"


def test_hosts_in_a_profile_may_be_in_unicode_and_in_brackets(site: MakeSite) -> None:
    found = site(aliases='["tỉnhủy.vn", "[2001:DB8::1]", "::1"]', static_hosts='["Ảnh.example.vn"]')
    assert found.aliases == ("xn--tnhy-vw5a2h.vn", "2001:db8::1", "::1")
    assert found.static_hosts == ("xn--nh-k5s.example.vn",)
    assert found.hosts[-4:] == ("xn--tnhy-vw5a2h.vn", "www.xn--tnhy-vw5a2h.vn", "2001:db8::1", "::1")


def test_an_address_at_a_former_host_in_unicode_moves_to_the_current_one(site: MakeSite) -> None:
    old = "http://xn--tnhy-vw5a2h.vn/a"
    assert site(aliases='["tỉnhủy.vn"]').at_current_host(old) == "https://danvan.example.vn/a"
    here = site(home='"https://TỉnhỦy.vn/"', sections='[[sections]]\nname = "Tin"\nurl = "https://tỉnhủy.vn/tin/"\n')
    assert here.at_current_host(old) == old
    assert here.at_current_host("http://old.example.vn/a") == "https://xn--tnhy-vw5a2h.vn/a"


def test_private_endpoints_are_host_and_port_of_home_and_sections(site: MakeSite) -> None:
    sections = '[[sections]]\nname = "Tin"\nurl = "http://127.0.0.1:8018/tin/"\n'
    found = site(home='"https://Portal.example/"', aliases='["127.0.0.2"]', private_network="true", sections=sections)
    assert found.private_endpoints() == {("portal.example", 443), ("127.0.0.1", 8018)}


def test_static_hosts_may_be_private_at_known_ports_and_are_no_hosts_of_the_site(
    site: MakeSite,
) -> None:
    sections = '[[sections]]\nname = "Tin"\nurl = "http://127.0.0.1:8018/tin/"\n'
    found = site(
        home='"http://127.0.0.1:8018/"', static_hosts='["localhost"]', private_network="true", sections=sections
    )
    assert found.private_endpoints() == {("127.0.0.1", 8018), ("localhost", 8018)}
    assert found.hosts == ("127.0.0.1",)


LAYOUTS = """[selectors]
title = "h1.now"
[[layouts]]
until = 2019-06-01
selectors = { title = "h1.second", published = "span.second" }
[[layouts]]
until = 2015-01-01
selectors = { title = "h1.first" }
"""


@pytest.mark.parametrize(
    ("captured_at", "title", "published"),
    [
        ("2012-03-04T05:06:07.000000Z", "h1.first", None),
        ("2014-12-31T16:59:59.999999Z", "h1.first", None),
        ("2014-12-31T17:00:00.000000Z", "h1.second", "span.second"),
        ("2019-05-31T16:59:59Z", "h1.second", "span.second"),
        ("2019-05-31T17:00:00Z", "h1.now", None),
        ("2026-11-23T08:00:00Z", "h1.now", None),
        ("", "h1.now", None),
    ],
)
def test_selectors_are_those_of_the_layout_on_the_day_of_capture_in_the_zone_of_the_site(
    site: MakeSite, captured_at: str, title: str, published: str | None
) -> None:
    found = site(end=LAYOUTS).selectors_at(captured_at)
    assert (found["title"], found.get("published")) == (title, published)


def test_a_layout_keeps_the_selectors_that_it_does_not_replace(site: MakeSite) -> None:
    layouts = '[selectors]\nlead = "p.sapo"\n[[layouts]]\nuntil = 2019-06-01\nselectors = { title = "h2" }\n'
    assert site(end=layouts).selectors_at("2018-01-01T00:00:00Z") == {"lead": "p.sapo", "title": "h2"}


def test_hosts_with_and_without_www_are_one_host_for_locks(site: MakeSite) -> None:
    hosts = {"aliases": '["old.example.vn"]', "static_hosts": '["www.cdn.example.vn"]'}
    found = site(home='"https://www.danvan.example.vn:8443/"', **hosts)
    assert found.contacted_hosts() == {"danvan.example.vn", "old.example.vn", "cdn.example.vn"}


def test_on_a_private_network_each_port_is_a_server(site: MakeSite) -> None:
    section = '[[sections]]\nname = "Tin"\nurl = "http://127.0.0.1:8001/tin/"\n'
    found = site(home='"http://127.0.0.1:8000/"', private_network="true", sections=section)
    assert found.contacted_hosts() == {"127.0.0.1:8000", "127.0.0.1:8001"}


def test_on_a_private_network_one_server_by_two_names_is_one_host(site: MakeSite) -> None:
    section = '[[sections]]\nname = "Tin"\nurl = "http://localhost:8000/tin/"\n'
    found = site(home='"http://127.0.0.1:8000/"', private_network="true", sections=section)
    assert found.contacted_hosts() == {"127.0.0.1:8000"}
    section = '[[sections]]\nname = "Tin"\nurl = "http://www.danvan.lan/tin/"\n'
    found = site(home='"http://danvan.lan/"', private_network="true", sections=section)
    assert found.contacted_hosts() == {"danvan.lan:80"}
