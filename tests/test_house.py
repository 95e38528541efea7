"""Rules of the repository: places and names of files, length of modules, and checks of CI."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

TOP_LEVEL = {
    "LICENSE",
    "Makefile",
    "README.md",
    "archive",
    "danvan_crawler",
    "docs",
    "pipelines",
    "pyproject.toml",
    "scrapy.cfg",
    "spiders",
    "tests",
}
# Made by a manual build and ignored by git; the Makefile builds into .build.
BUILT = {"dist"}
ROOMS = {
    "archive",
    "capture",
    "cli",
    "crawl",
    "derive",
    "export",
    "fleet",
    "health",
    "pages",
    "politeness",
    "replay",
    "sample",
    "sites",
    "store",
    "verify",
    "vietnamese",
    "walk",
    "warc",
    "web",
}
TEST_FOLDERS = {
    "benchmarks",
    "danvan_crawler",
    "desk",
    "end_to_end",
    "fixtures",
    "fleet",
    "pipelines",
    "soak",
    "spiders",
}
# Such a module name does not describe the contents, so that everything ends up there.
NAMELESS = {"helper", "helpers", "misc", "tools", "util", "utils"}
MAX_LINES = 400


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def folders_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"}


def test_the_top_level_has_only_known_files_and_folders() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - BUILT == TOP_LEVEL


def test_the_library_has_only_the_packages_of_the_architecture() -> None:
    assert folders_in(ROOT / "danvan_crawler") <= ROOMS


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sources("danvan_crawler", "spiders", "pipelines", "tests")
    }
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_modules_have_plain_lower_case_names() -> None:
    modules = sources("danvan_crawler", "spiders", "pipelines")
    odd = [path for path in modules if not re.fullmatch(r"_?[a-z][a-z0-9_]*|__init__|__main__", path.stem)]
    assert relative(odd) == []


def test_no_module_has_a_meaningless_name() -> None:
    modules = sources("danvan_crawler", "spiders", "pipelines")
    assert relative([path for path in modules if path.stem.strip("_") in NAMELESS]) == []


def test_every_module_has_a_docstring() -> None:
    modules = sources("danvan_crawler", "spiders", "pipelines")
    silent = [path for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert relative(silent) == []


def test_every_folder_of_modules_is_a_regular_package() -> None:
    """Without `__init__.py`, a foreign package of the same name anywhere on `sys.path` would be imported instead."""
    modules = sources("danvan_crawler", "spiders", "pipelines")
    bare = {path.parent for path in modules if not (path.parent / "__init__.py").is_file()}
    assert relative(sorted(bare)) == []


def test_tests_are_in_folders_that_mirror_the_packages() -> None:
    assert folders_in(ROOT / "tests") <= TEST_FOLDERS
    for package in ("danvan_crawler", "spiders", "pipelines"):
        mirror = ROOT / "tests" / package
        if mirror.is_dir():
            assert folders_in(mirror) <= folders_in(ROOT / package)


def test_tests_are_no_package() -> None:
    assert relative([path for path in sources("tests") if path.name == "__init__.py"]) == []


def test_no_file_contains_a_path_of_a_personal_machine() -> None:
    foreign = re.compile(r"(?<![\w.:/}*-])/(?:home|mnt|root|Users|work)/\w|\.\./shared|[A-Z]:\\Users")
    texts = [
        *sources("danvan_crawler", "spiders", "pipelines", "tests"),
        *(ROOT / "spiders").rglob("*.toml"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in (".ci/run", ".constraints.txt", "Makefile", "README.md", "archive/README.md")),
        *(ROOT / name for name in ("pyproject.toml", "scrapy.cfg")),
    ]
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in texts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if foreign.search(line)
    }
    assert found == set()


def constraints() -> dict[str, str]:
    """Distribution -> version, of all lines except comments; a line of another form is an error."""
    lines = (ROOT / ".constraints.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    odd = [line for line in pinned if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.+!]*", line)]
    assert odd == [], "a constraint is a name and an exact version: no address, no hash, no option"
    return {normalised(name): version for name, version in (line.split("==") for line in pinned)}


def normalised(name: str) -> str:
    """The form in which two spellings of a distribution's name are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Names of all distributions in pyproject.toml, including the build backend and the extras."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = pyproject["project"]
    requirements = [*pyproject["build-system"]["requires"], *project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        requirements.extend(extra)
    names = {normalised(re.split(r"[\s\[<>=!~;]", requirement)[0]) for requirement in requirements}
    return names - {normalised(project["name"])}


def test_constraints_pin_everything_that_the_project_declares() -> None:
    assert declared() - set(constraints()) == set()


@pytest.mark.parametrize(
    "skipping",
    [
        'import pytest\ndef test_one():\n    pytest.skip("no such tool")\n',
        'import pytest\n@pytest.mark.skip(reason="later")\ndef test_one():\n    pass\n',
        'import pytest\npytest.skip("not here", allow_module_level=True)\n',
    ],
    ids=["in a test", "by a mark", "a whole module"],
)
@pytest.mark.parametrize(("ci", "failed"), [({"CI": "true"}, True), ({"DANVAN_CI": "1"}, True), ({}, False)])
@pytest.mark.slow
def test_a_skipped_test_fails_in_ci_and_only_there(
    skipping: str, ci: dict[str, str], failed: bool, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_it.py").write_text(f"{skipping}\ndef test_other():\n    pass\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "DANVAN_CI"}}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env=environment | ci,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("skipped, which CI does not allow" in result.stdout) is failed
    # Without CI, pytest finds no test in a module that skips itself, and returns exit code 5.
    assert (result.returncode not in {0, 5}) is failed
