"""No host is contacted that neither the profile nor a page of the site names."""

from __future__ import annotations

import pytest

from danvan_crawler.politeness.foreign_hosts import ForeignHostRefused, ForeignHosts
from danvan_crawler.sites.profile import Site

PROFILE = """
slug = "thu-danvan"
name = "Thử"
family = "danvan_portal"
home = "https://thu.gov.vn/"
aliases = ["cu.thu.gov.vn"]
static_hosts = ["cdn.thu.vn"]
province = "VN-21"
body = "ban-dan-van"
[[sections]]
name = "Tin"
url = "https://tin.thu.gov.vn/tin/"
"""


@pytest.fixture
def hosts() -> ForeignHosts:
    return ForeignHosts(Site.parse(PROFILE))


@pytest.mark.parametrize(
    "host", ["thu.gov.vn", "www.thu.gov.vn", "tin.thu.gov.vn", "cu.thu.gov.vn", "THU.gov.vn.", "cdn.thu.vn"]
)
def test_hosts_of_the_profile_may_be_contacted(hosts: ForeignHosts, host: str) -> None:
    hosts.allow(f"http://{host}/robots.txt", is_named_by_page=False)


@pytest.mark.parametrize("host", ["gov.vn", "khac.thu.gov.vn", "thu.gov.vn.evil.vn", "www.cdn.thu.vn", "192.0.2.1"])
def test_other_hosts_may_not_even_if_they_are_near(hosts: ForeignHosts, host: str) -> None:
    with pytest.raises(ForeignHostRefused, match="neither the profile nor a page"):
        hosts.allow(f"http://{host}/robots.txt", is_named_by_page=False)


def test_a_host_with_a_file_that_a_page_embeds_may_and_its_robots_txt_too(hosts: ForeignHosts) -> None:
    hosts.allow("https://viewer.example.com/tep.pdf", is_named_by_page=True)
    hosts.allow("https://viewer.example.com/robots.txt", is_named_by_page=False)


def test_only_foreign_hosts_have_a_name_for_the_report(hosts: ForeignHosts) -> None:
    assert hosts.name_of("https://www.thu.gov.vn/a.css") is None
    assert hosts.name_of("http://cu.thu.gov.vn:8080/") is None
    assert hosts.name_of("https://CDN.thu.vn/a.css") == "cdn.thu.vn"
    assert hosts.name_of("https://cdn.thu.vn:8443/a.css") == "cdn.thu.vn:8443"


def test_on_a_private_network_another_port_is_another_server() -> None:
    text = PROFILE.replace("https://thu.gov.vn/", "http://127.0.0.1:8017/").replace(
        "https://tin.thu.gov.vn/tin/", "http://127.0.0.1:8017/tin/"
    )
    hosts = ForeignHosts(Site.parse(f"private_network = true\n{text}"))
    assert hosts.name_of("http://127.0.0.1:8017/a") is None
    assert hosts.name_of("http://127.0.0.1:8018/a") == "127.0.0.1:8018"
