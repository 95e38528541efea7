"""Rules for every family and every bundled profile."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spiders.families
from danvan_crawler import _layout
from danvan_crawler.captures import CaptureRecord
from danvan_crawler.families import Family, SectionRequest, extract, load_family
from danvan_crawler.pages.page import Page
from danvan_crawler.sites.profile import Site
from danvan_crawler.sites.registry import SiteRegistry

ROOT = Path(__file__).resolve().parents[3]
PROFILES = sorted((_layout.project_root() / "spiders" / "sites").glob("*.toml"))
FAMILIES = sorted(
    module.name for module in pkgutil.iter_modules(spiders.families.__path__) if not module.name.startswith("_")
)
CASES = sorted(
    f"{module}/{page.parent.name}"
    for module in FAMILIES
    for page in (ROOT / "tests" / "fixtures" / module).glob("*/page.html")
)
HOOKS = ["section_requests", "parse_section", "parse_article"]


def family_of(module: str) -> type[Family]:
    """The only family class of a module."""
    loaded = importlib.import_module(f"spiders.families.{module}")
    found = [
        value
        for value in vars(loaded).values()
        if inspect.isclass(value) and issubclass(value, Family) and value.__module__ == loaded.__name__
    ]
    (family,) = found
    return family


def test_there_are_families_and_profiles() -> None:
    assert "danvan_portal" in FAMILIES
    assert "mau-danvan" in [path.stem for path in PROFILES]


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_has_the_name_of_its_module_and_a_version(module: str) -> None:
    family = family_of(module)
    assert family.name == module
    assert isinstance(family.version, int)
    assert family.version >= 1


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_has_only_the_hooks_as_public_names_in_their_order(module: str) -> None:
    public = [name for name in vars(family_of(module)) if not name.startswith("_")]
    assert [name for name in public if name not in {"name", "version"}] == [name for name in HOOKS if name in public]
    assert {"parse_section", "parse_article"} <= set(public)


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_reads_only_its_page(module: str) -> None:
    source = Path(spiders.families.__path__[0], f"{module}.py").read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert (
        imported & {"time", "socket", "os", "pathlib", "random", "requests", "scrapy", "urllib3", "subprocess"} == set()
    )
    assert [word for word in ("datetime.now", "date.today", "utcnow", "settings") if word in source] == []


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_describes_its_platform(module: str) -> None:
    story = importlib.import_module(f"spiders.families.{module}").__doc__ or ""
    assert story.startswith(f"{module}: ")
    assert len(story.split()) > 100


@pytest.mark.parametrize("module", FAMILIES)
def test_a_family_has_fixtures(module: str) -> None:
    folders = (ROOT / "tests" / "fixtures" / module, ROOT / "tests" / "fixtures" / "pages" / module)
    cases = sorted(path for folder in folders for path in folder.glob("*") if path.is_dir())
    assert cases
    for case in cases:
        names = {path.name.removesuffix(".gz") for path in case.iterdir()}
        assert {"meta.json", "expected.json"} <= names, case
        assert {name for name in names if name.startswith(("page.", "response."))}, case


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_does_not_change_the_tree_of_a_page(
    case: Callable[[str], tuple[Page, Any]], make_site: Callable[..., Site], family: str, name: str
) -> None:
    page, _ = case(name)
    before = page.tree.html
    chosen = '[selectors]\ntitle = "h1"\nbody = "div"\npublished = "//span"\n'
    for extra in ("", chosen):
        reader = load_family(make_site(family=family, extra=extra))
        list(reader.parse_article(page))
        reader.parse_section(page)
    assert page.tree.html == before


@pytest.mark.parametrize("module", FAMILIES)
def test_a_page_that_is_not_text_has_no_items(
    make_page: Callable[..., Page], make_site: Callable[..., Site], module: str
) -> None:
    page = make_page("<h1>Hội nghị tổng kết</h1>", content_type="image/png")
    capture = CaptureRecord(
        url=page.url, date="2026-11-23T08:00:00Z", warc_file="warc/x.warc.gz", warc_offset=0,
        warc_record_id="urn:uuid:0", payload_digest=None, status=200, truncated=None, media_type="image/png",
    )  # fmt: skip
    family = load_family(make_site(family=module))
    assert list(extract(family, page, capture)) == []
    assert family.parse_section(page).links == ()


@pytest.mark.parametrize("module", FAMILIES)
def test_the_first_page_of_a_section_is_requested_by_its_encoded_address(
    make_site: Callable[..., Site], module: str
) -> None:
    family = load_family(make_site(family=module, section="http://danvan.example.vn/tin-tức/"))
    assert next(family.section_requests()) == SectionRequest(
        "http://danvan.example.vn/tin-t%E1%BB%A9c/", "Tin tức", is_site_wide=False
    )


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_is_named_after_its_slug(path: Path) -> None:
    assert Site.parse(path.read_text(encoding="utf-8"), origin=str(path)).slug == path.stem


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_of_an_enabled_site_waits_a_second_and_stays_on_the_internet(path: Path) -> None:
    site = Site.parse(path.read_text(encoding="utf-8"))
    assert not site.enabled or (site.delay >= 1.0 and not site.private_network)


def test_bundled_profiles_have_different_slugs_and_hosts() -> None:
    sites = list(SiteRegistry([PROFILES[0].parent]))
    assert len(sites) == len(PROFILES)
    homes = [site.home for site in sites]
    assert len(set(homes)) == len(homes)
