"""The wheel, installed and used in an empty folder, without a checkout.

The environment is a real virtual environment with the wheel in it and nothing else. It sees the libraries of the
environment that runs the tests through its own path line, and Python does not read their `.pth` files there: so an
editable install of the checkout is not visible, and nothing is downloaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Installed:
    """A source distribution, the wheel built from it, and a virtual environment that holds the wheel."""

    sdist: Path
    wheel: Path
    environment: Path

    @property
    def python(self) -> str:
        return str(self.environment / "bin" / "python")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without variables that affect Python, pip, Scrapy or danvan-crawler."""
    steering = ("DANVAN_", "PIP_", "PYTHON", "SCRAPY_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {"PIP_CONFIG_FILE": os.devnull} | more


def checked(*command: str, cwd: Path) -> None:
    result = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    # Without --wheel, build makes the sdist first and the wheel from it: the wheel then lacks what the sdist lacks.
    checked(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(CHECKOUT), cwd=folder)
    [sdist] = folder.glob("*.tar.gz")
    [wheel] = folder.glob("*.whl")
    made = Installed(sdist, wheel, folder / "environment")
    venv.create(made.environment, symlinks=True)
    paths = {"base": str(made.environment), "platbase": str(made.environment)}
    site_packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=paths))
    libraries = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site_packages / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    checked(sys.executable, "-m", "pip", "--python", made.python, *install, cwd=folder)
    return made


@pytest.fixture
def run(installed: Installed, tmp_path: Path) -> Run:
    """Runs a command of the installed wheel in an empty folder."""

    def run_in_empty_folder(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        arguments = [str(installed.environment / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            arguments, cwd=tmp_path, env=clean_environment(**environment), capture_output=True, text=True, check=False
        )

    return run_in_empty_folder


def scrapy(run: Run, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `scrapy` with the project's settings, as a user of the wheel does."""
    return run("python", "-m", "scrapy", *arguments, SCRAPY_SETTINGS_MODULE="danvan_crawler.settings", **environment)


def profile_slugs() -> list[str]:
    profiles = (CHECKOUT / "spiders" / "sites").glob("*.toml")
    return sorted(tomllib.loads(profile.read_text("utf-8"))["slug"] for profile in profiles)


def test_the_wheel_has_one_top_level_name(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"danvan_crawler"}


def test_the_wheel_holds_every_file_of_spiders_and_pipelines_and_no_bytecode(installed: Installed) -> None:
    expected = {
        path.relative_to(CHECKOUT).as_posix()
        for package in ("spiders", "pipelines")
        for path in (CHECKOUT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    prefix = "danvan_crawler/_project/"
    with zipfile.ZipFile(installed.wheel) as archive:
        found = {name.removeprefix(prefix) for name in archive.namelist() if name.startswith(prefix)}
    assert found == expected


def test_the_wheel_holds_the_data_files_of_the_library(installed: Installed) -> None:
    expected = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "danvan_crawler").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(installed.wheel) as archive:
        assert expected <= set(archive.namelist())


def test_the_source_distribution_has_only_the_readme_of_the_archive(installed: Installed) -> None:
    with tarfile.open(installed.sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert [name for name in names if name.startswith("archive/")] == ["archive/README.md"]


def test_the_library_in_use_is_the_installed_one(run: Run, installed: Installed) -> None:
    code = "import danvan_crawler._layout as layout; print(layout.__file__, layout.activate(), sep='\\n')"
    result = run("python", "-c", code)
    library, root = (Path(line) for line in result.stdout.splitlines())
    assert library.is_relative_to(installed.environment)
    assert root == library.parent / "_project"


def test_the_checkout_is_not_on_the_path(run: Run) -> None:
    result = run("python", "-c", "import sys; print(*sys.path, sep='\\n')")
    assert str(CHECKOUT) not in result.stdout.splitlines()


def test_danvan_shows_its_help(run: Run) -> None:
    result = run("danvan", "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_danvan_runs_as_a_module(run: Run) -> None:
    result = run("python", "-m", "danvan_crawler", "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_danvan_lists_the_bundled_sites(run: Run) -> None:
    result = run("danvan", "sites")
    assert result.returncode == 0, result.stderr
    assert [slug for slug in profile_slugs() if slug not in result.stdout] == []


def test_danvan_writes_its_status_page(run: Run, tmp_path: Path) -> None:
    result = run("danvan", "status", "--html", "status.html")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "status.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_danvan_demo_crawls_the_sample_portal(run: Run, tmp_path: Path) -> None:
    result = run("danvan", "demo")
    assert result.returncode == 0, result.stdout + result.stderr
    assert list((tmp_path / "archive" / "warc").rglob("*.warc.gz"))
    assert (tmp_path / "archive" / "danvan.sqlite").is_file()


def test_danvan_fixture_records_a_page_in_the_folder_where_it_is_called(run: Run, tmp_path: Path) -> None:
    page = CHECKOUT / "tests" / "fixtures" / "danvan_portal" / "html5" / "page.html"
    url = "http://danvan.example.vn/tin-1.html"
    result = run("danvan", "fixture", str(page), "--url", url, "--family", "danvan_portal")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "tin-1" / "expected.json").is_file()
    assert run("danvan", "fixture", "tin-1").returncode == 0


def test_scrapy_lists_the_bundled_sites(run: Run) -> None:
    result = scrapy(run, "list")
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == profile_slugs()


def test_scrapy_lists_our_sites_though_another_package_is_named_spiders(run: Run, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "spiders"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").touch()
    result = scrapy(run, "list", PYTHONPATH=str(foreign.parent))
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == profile_slugs()


def test_scrapy_crawl_of_an_unknown_site_is_wrong_usage(run: Run) -> None:
    result = scrapy(run, "crawl", "nosuch")
    assert result.returncode == 2, result.stdout + result.stderr
