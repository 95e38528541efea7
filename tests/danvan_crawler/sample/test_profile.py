"""The profile of the sample portal for the demo."""

from __future__ import annotations

import tomllib

from danvan_crawler.sample import articles, profile_toml
from danvan_crawler.sample.portal import render
from danvan_crawler.sites.profile import Site

HOME = "http://127.0.0.1:8123/"


def test_profile_states_the_facts_of_the_sample_portal() -> None:
    data = tomllib.loads(profile_toml(HOME))
    sections = data.pop("sections")
    assert data == {
        "slug": "mau-danvan",
        "name": "Ban Dân vận Tỉnh ủy (cổng mẫu)",
        "family": "danvan_portal",
        "home": HOME,
        "province": "VN-21",
        "body": "ban-dan-van",
        "private_network": True,
        "delay": 0.1,
    }
    assert {section["name"] for section in sections} == {article.section.name for article in articles(1)}


def test_sections_of_the_profile_are_listings_of_the_portal() -> None:
    for section in tomllib.loads(profile_toml(HOME))["sections"]:
        assert section["url"].startswith(HOME)
        assert section["name"] in render("/" + section["url"].removeprefix(HOME)).body.decode()


def test_profile_is_a_valid_one() -> None:
    site = Site.parse(profile_toml(HOME))
    assert site.private_endpoints() == {("127.0.0.1", 8123)}
