"""Each profile becomes a spider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings

from danvan_crawler.sites.profile import Site
from spiders.loader import ProfileSpiderLoader, spider_class
from spiders.site_spider import SiteSpider

MakeSite = Callable[..., Site]


@pytest.fixture
def loader(tmp_path: Path, make_site: MakeSite) -> Callable[..., ProfileSpiderLoader]:
    """A loader on an archive with these profiles (by file name) in its `sites`, and more folders."""

    def make(profiles: dict[str, str], **settings: object) -> ProfileSpiderLoader:
        folder = tmp_path / "archive" / "sites"
        folder.mkdir(parents=True)
        for name, text in profiles.items():
            (folder / name).write_text(text, encoding="utf-8")
        return ProfileSpiderLoader.from_settings(
            Settings({"DANVAN_ARCHIVE": str(tmp_path / "archive"), "DANVAN_SITES": [], **settings})
        )

    return make


Loader = Callable[..., ProfileSpiderLoader]


def test_every_profile_is_a_spider_named_by_its_slug(loader: Loader, make_site: MakeSite) -> None:
    found = loader({"vi-du-danvan.toml": make_site().source_text})
    assert found.list() == ["mau-danvan", "vi-du-danvan"]
    spider = found.load("vi-du-danvan")
    assert issubclass(spider, SiteSpider)
    assert (spider.name, spider.site.home) == ("vi-du-danvan", "http://danvan.example.vn/")


def test_a_disabled_site_is_listed_too(loader: Loader, make_site: MakeSite) -> None:
    found = loader({"vi-du-danvan.toml": make_site(extra="enabled = false").source_text})
    assert "vi-du-danvan" in found.list()
    assert found.load("vi-du-danvan").site.enabled is False


def test_an_unknown_spider_is_a_key_error_as_scrapy_expects(loader: Loader) -> None:
    with pytest.raises(KeyError):
        loader({}).load("nosuch-danvan")


def test_profiles_of_later_folders_take_precedence(loader: Loader, make_site: MakeSite, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "x.toml").write_text(make_site(home="http://other.example.vn/").source_text, encoding="utf-8")
    found = loader({"x.toml": make_site().source_text}, DANVAN_SITES=[str(mine)])
    assert found.load("vi-du-danvan").site.home == "http://other.example.vn/"


def test_an_invalid_profile_is_no_spider_and_stops_no_other(loader: Loader, make_site: MakeSite) -> None:
    found = loader({"sai-danvan.toml": 'name = "x"\n', "x.toml": make_site().source_text})
    assert "vi-du-danvan" in found.list()
    assert "sai-danvan" not in found.list()
    with pytest.raises(KeyError):
        found.load("sai-danvan")


@pytest.mark.parametrize(
    "url", ["http://danvan.example.vn/tin-tuc/1.html", "https://www.danvan.example.vn/", "http://old.example.vn:8080/x"]
)
def test_a_request_finds_the_site_of_its_host(loader: Loader, make_site: MakeSite, url: str) -> None:
    found = loader({"x.toml": make_site(extra='aliases = ["old.example.vn"]').source_text})
    assert found.find_by_request(Request(url)) == ["vi-du-danvan"]


def test_a_request_to_another_host_finds_no_site(loader: Loader, make_site: MakeSite) -> None:
    assert loader({"x.toml": make_site().source_text}).find_by_request(Request("http://a.vn/")) == []


def test_spiders_of_two_sites_are_two_classes(make_site: MakeSite) -> None:
    first = spider_class(make_site())
    other = spider_class(make_site(home="http://other.example.vn/"))
    assert first.__name__ == "ViDuDanvanSpider"
    assert first.site is not other.site
    assert "site" not in vars(SiteSpider)
