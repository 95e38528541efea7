"""The project root is found in a checkout and in a wheel, and comes before foreign packages of the same name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from danvan_crawler import _layout
from danvan_crawler.exceptions import DanvanError

CHECKOUT = Path(__file__).resolve().parents[2]


def make_packages(folder: Path) -> Path:
    for name in _layout.PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()
    return folder


@pytest.fixture
def own_path(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A copy of sys.path without the checkout, which the test may change."""
    entries = [entry for entry in sys.path if entry != str(CHECKOUT)]
    monkeypatch.setattr(sys, "path", entries)
    for name in _layout.PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return entries


def test_a_checkout_is_the_folder_beside_the_library(tmp_path: Path) -> None:
    make_packages(tmp_path)
    (tmp_path / "scrapy.cfg").touch()
    assert _layout.find_root(tmp_path / "danvan_crawler") == tmp_path


def test_the_root_of_a_wheel_is_inside_the_library(tmp_path: Path) -> None:
    inside = make_packages(tmp_path / "danvan_crawler" / "_project")
    assert _layout.find_root(tmp_path / "danvan_crawler") == inside


def test_foreign_packages_beside_an_installed_library_are_not_the_root(tmp_path: Path) -> None:
    make_packages(tmp_path)
    inside = make_packages(tmp_path / "danvan_crawler" / "_project")
    assert _layout.find_root(tmp_path / "danvan_crawler") == inside


def test_foreign_packages_do_not_replace_missing_ones(tmp_path: Path) -> None:
    make_packages(tmp_path)
    with pytest.raises(DanvanError, match="incomplete"):
        _layout.find_root(tmp_path / "danvan_crawler")


def test_this_checkout_is_its_own_root() -> None:
    assert _layout.project_root() == CHECKOUT


def test_activate_puts_the_root_first(own_path: list[str]) -> None:
    assert _layout.activate() == CHECKOUT
    assert own_path[0] == str(CHECKOUT)


def test_activate_moves_a_root_that_scrapy_appended(own_path: list[str]) -> None:
    others = list(own_path)
    own_path.append(str(CHECKOUT))
    _layout.activate()
    assert own_path == [str(CHECKOUT), *others]


def test_a_second_activate_changes_nothing(own_path: list[str]) -> None:
    _layout.activate()
    once = list(own_path)
    _layout.activate()
    assert own_path == once


def test_activate_refuses_a_foreign_package_that_is_already_imported(
    own_path: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    foreign = ModuleType("spiders")
    foreign.__path__ = [str(tmp_path / "spiders")]
    monkeypatch.setitem(sys.modules, "spiders", foreign)
    with pytest.raises(DanvanError, match="named spiders is already imported from"):
        _layout.activate()


def test_activate_accepts_our_own_packages_when_they_are_already_imported(
    own_path: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = ModuleType("spiders")
    ours.__path__ = [str(CHECKOUT / "spiders")]
    monkeypatch.setitem(sys.modules, "spiders", ours)
    assert _layout.activate() == CHECKOUT


@pytest.mark.parametrize("name", _layout.PACKAGES)
def test_a_foreign_package_earlier_on_the_path_does_not_shadow_ours(name: str, tmp_path: Path) -> None:
    foreign = make_packages(tmp_path / "site-packages")
    code = f"from danvan_crawler import _layout; _layout.activate(); import {name}; print({name}.__file__)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(foreign), str(CHECKOUT)])}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert Path(result.stdout.strip()) == CHECKOUT / name / "__init__.py"
