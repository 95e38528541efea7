"""The documentation is complete and exact: every command, option, setting, key and field is in it, and no other.

Each page has one subject, so each test reads a fixed page. Links and examples are checked by `test_docs_pages`.
"""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

import danvan_crawler.vietnamese
from danvan_crawler import _layout
from danvan_crawler.cli import cli
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.health.prometheus import ARCHIVE_METRICS, METRICS
from danvan_crawler.items import EXPORT_FIELDS
from danvan_crawler.settings_check import Settings
from danvan_crawler.sites.profile import SELECTORS, Layout, Section, Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.sites.rules import COVERED_FIELDS, Health
from danvan_crawler.vietnamese import dating

_layout.activate()  # profiles name their family, a module of `spiders`

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("danvan_crawler", "spiders", "pipelines")


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


COMMANDS_PAGE = page("docs/commands-and-settings.md")
OPERATOR_PAGE = page("docs/operator.md")
SITES_PAGE = page("docs/sites-and-families.md")
API_PAGE = page("docs/public-api.md")
CONTRACT = page("archive/README.md")


def part(text: str, heading: str) -> str:
    """The text under a heading, up to the next heading of its rank or a higher one."""
    rank = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{rank}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Cells of the tables in a text, without their header rows."""
    found: list[list[str]] = []
    for line in re.findall(r"^ *\|(.+)\|$", text, re.MULTILINE):
        cells = [cell.strip() for cell in line.split("|")]
        if set(cells[0]) <= {"-", ":"} and cells[0]:
            found.pop()  # the line before was the header row
        else:
            found.append(cells)
    return found


def first_names(text: str) -> list[str]:
    """Words in backticks in the first cells of the tables in a text."""
    return [name for cells in rows(text) for name in re.findall(r"`([^`]+)`", cells[0])]


def commands() -> dict[str, click.Command]:
    """All commands with their subcommands, by the words to type."""
    context = click.Context(cli)
    found = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        found[f"danvan {name}"] = command
        if isinstance(command, click.Group):
            found |= {f"danvan {name} {sub}": command.commands[sub] for sub in command.list_commands(context)}
    return found


def spellings(text: str) -> set[str]:
    """Options in a text: `--limit`, `-o`."""
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*(?![\w-])", text))


def settings() -> set[str]:
    names = re.compile(r"\bDANVAN_[A-Z_]+\b")
    return {name for path in sources() for name in names.findall(path.read_text(encoding="utf-8"))}


def functions() -> Iterator[str]:
    """Public functions of the public modules of `danvan_crawler.vietnamese`, as `module.name`."""
    for module in pkgutil.iter_modules(danvan_crawler.vietnamese.__path__):
        if module.name.startswith("_"):
            continue
        loaded = importlib.import_module(f"danvan_crawler.vietnamese.{module.name}")
        for name, value in vars(loaded).items():
            is_function = callable(value) and inspect.isfunction(inspect.unwrap(value))  # some are wrapped in a cache
            if is_function and not name.startswith("_") and value.__module__ == loaded.__name__:
                yield f"{module.name}.{name}"


def calls(text: str) -> dict[str, list[str]]:
    """Functions in the first cells of a table, with the names of their arguments: `text.fold(text)`."""
    found = (re.fullmatch(r"([\w.]+)\(([\w, ]*)\)", name) for name in first_names(text))
    return {call[1]: [argument.strip() for argument in call[2].split(",")] for call in found if call is not None}


def test_every_command_has_a_section_and_no_other() -> None:
    sections = re.findall(r"^### (.+)$", part(COMMANDS_PAGE, "## Commands"), re.MULTILINE)
    assert sorted(sections) == sorted(commands())


@pytest.mark.parametrize("words", commands())
def test_a_section_has_the_options_of_its_command_and_no_other(words: str) -> None:
    section = part(COMMANDS_PAGE, f"### {words}")
    common = re.findall(r"^Common: (.+)$", section, re.MULTILINE)
    written = spellings(" ".join([cells[0] for cells in rows(section)] + common))
    options = [option for option in commands()[words].params if isinstance(option, click.Option)]
    assert written == {spelling for option in options for spelling in option.opts}


@pytest.mark.parametrize("words", commands())
def test_a_section_begins_with_the_command_and_its_required_arguments(words: str) -> None:
    usage = re.search(rf"^`{words}([^`]*)`", part(COMMANDS_PAGE, f"### {words}"), re.MULTILINE)
    assert usage is not None
    arguments = [one for one in commands()[words].params if isinstance(one, click.Argument) and one.required]
    assert len(re.findall(r"(?<![-\w])[A-Z]+…?", usage[1].partition(" -")[0])) >= len(arguments)


def test_every_setting_is_documented_and_no_other() -> None:
    assert sorted(first_names(part(COMMANDS_PAGE, "## Settings"))) == sorted(settings())


def test_the_defaults_of_settings_are_those_of_the_code() -> None:
    defaults = {name: str(field.default or "") for name, field in Settings.model_fields.items()}
    written = {
        name: cells[1].strip("`")
        for cells in rows(part(COMMANDS_PAGE, "## Settings"))
        for name in [cells[0].strip("`")]
    }
    assert {name: written[name] for name in defaults} == defaults


def test_the_extras_that_are_documented_exist() -> None:
    extras = tomllib.loads(page("pyproject.toml"))["project"]["optional-dependencies"]
    assert set(first_names(part(COMMANDS_PAGE, "## Extras"))) <= set(extras)


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("## Keys of a profile", Site.model_fields),
        ("## Sections", Section.model_fields),
        ("## Selectors", SELECTORS),
        ("## Layouts: when a site changed its design", Layout.model_fields),
        ("## Health: what is expected", Health.model_fields),
    ],
)
def test_every_key_of_a_profile_is_documented_and_no_other(heading: str, keys: Iterable[str]) -> None:
    assert sorted(first_names(part(SITES_PAGE, heading))) == sorted(keys)


def default_of(key: str) -> str:
    """A key's default as the documentation writes it."""
    field = Site.model_fields[key]
    if field.is_required():
        return "required"
    if field.default is None:
        return "not set"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`" if isinstance(field.default, str | int | float) else "empty"


def test_the_defaults_of_a_profile_are_those_of_the_code() -> None:
    written = {cells[0].strip("`"): cells[1] for cells in rows(part(SITES_PAGE, "## Keys of a profile"))}
    assert written == {key: default_of(key) for key in Site.model_fields}


def test_every_family_is_documented_and_no_other() -> None:
    families = sorted(path.stem for path in (ROOT / "spiders/families").glob("[a-z]*.py"))
    assert sorted(cells[0].strip("`") for cells in rows(part(SITES_PAGE, "## Families"))) == families


def test_the_bundled_profiles_can_be_found_from_the_documentation() -> None:
    assert len(SiteRegistry([ROOT / "spiders" / "sites"])) > 0
    assert "(../spiders/sites/mau-danvan.toml)" in SITES_PAGE


def test_every_exit_code_is_documented_and_no_other() -> None:
    written = [int(cells[0]) for cells in rows(part(OPERATOR_PAGE, "## Exit codes"))]
    assert written == sorted(int(code) for code in ExitCode)


def test_exit_codes_are_documented_in_order_of_precedence() -> None:
    order = re.search(r"the first of ([\d, ]+) is returned", part(OPERATOR_PAGE, "## Exit codes"))
    assert order is not None
    left = [ExitCode(int(code)) for code in order[1].split(",")]
    assert set(left) == set(ExitCode) - {ExitCode.OK}
    while left:
        assert ExitCode.worst(left) is left.pop(0)


def test_every_kind_of_problem_is_documented_with_a_remedy_and_no_other() -> None:
    found = rows(part(OPERATOR_PAGE, "## Problems and what to do"))
    assert sorted(cells[0].strip("`") for cells in found) == sorted(REMEDIES)
    assert [cells for cells in found if len(cells) != 3 or not all(cells)] == []


@pytest.mark.parametrize("field", COVERED_FIELDS)
def test_every_field_with_a_coverage_check_is_documented(field: str) -> None:
    (coverage,) = [cells for cells in rows(OPERATOR_PAGE) if cells[0] == "`coverage`"]
    assert f"`{field}`" in coverage[1]


def test_every_metric_is_documented_and_no_other() -> None:
    assert sorted(first_names(part(OPERATOR_PAGE, "### Metrics"))) == sorted(
        name for name, _, _ in (*METRICS, *ARCHIVE_METRICS)
    )


def test_every_field_of_an_item_is_in_the_data_contract_and_no_other() -> None:
    assert sorted(first_names(part(CONTRACT, "## Items"))) == sorted(EXPORT_FIELDS)


@pytest.mark.parametrize("warning", [dating.FUTURE, dating.EARLY, dating.CLOCK, dating.CLOCK_ONLY])
def test_every_warning_about_a_date_is_in_the_data_contract(warning: str) -> None:
    assert warning in first_names(part(CONTRACT, "## Warnings"))


@pytest.mark.parametrize(("name", "arguments"), calls(part(API_PAGE, "## Functions")).items())
def test_a_public_function_exists_with_its_arguments(name: str, arguments: list[str]) -> None:
    assert list(inspect.signature(pkgutil.resolve_name(name)).parameters) == arguments


def test_the_public_functions_are_those_of_the_contract() -> None:
    promised = {
        "timestamps.parse", "text.canonical", "text.fold", "text.decode_legacy", "documents.find", "provinces.lookup",
    }  # fmt: skip
    found = calls(part(API_PAGE, "## Functions"))
    assert {name.removeprefix("danvan_crawler.vietnamese.") for name in found} == promised


def test_results_of_public_functions_have_the_documented_fields() -> None:
    types = [cells for cells in rows(part(API_PAGE, "## Functions")) if "(" not in cells[0]]
    assert len(types) == 3
    for name, fields in types:
        written = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", fields))
        assert written == [field.name for field in dataclasses.fields(pkgutil.resolve_name(name.strip("`")))]


def test_every_function_for_vietnamese_is_documented_and_no_other() -> None:
    public = {name.removeprefix("danvan_crawler.vietnamese.") for name in calls(part(API_PAGE, "## Functions"))}
    other = calls(part(API_PAGE, "## Useful, but not yet public"))
    assert public | set(other) == set(functions())
    for name, arguments in other.items():
        function = pkgutil.resolve_name(f"danvan_crawler.vietnamese.{name}")
        assert set(arguments) <= set(inspect.signature(function).parameters), name


def test_the_python_examples_of_the_documentation_are_correct() -> None:
    examples = doctest.testfile(str(ROOT / "docs/public-api.md"), module_relative=False, encoding="utf-8")
    assert examples.attempted > 0
    assert examples.failed == 0


def test_every_package_of_the_library_is_in_the_architecture_and_no_other() -> None:
    written = first_names(part(page("docs/architecture.md"), "## Rooms"))
    rooms = sorted(path.parent.name for path in (ROOT / "danvan_crawler").glob("*/__init__.py"))
    assert sorted(written) == sorted([*rooms, "spiders", "pipelines"])


def undocumented() -> Iterator[str]:
    """Modules, and their public functions and classes, without a docstring.

    The docstring of a module with one public name is about that name, and that of `exceptions` describes them all.
    """
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = path.relative_to(ROOT).as_posix()
        story = ast.get_docstring(tree) or ""
        if not story:
            yield where
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
        for node in public if len(public) > 1 else ():
            told_together = path.name == "exceptions.py" and re.search(rf"\b{node.name}\b", story)
            if not ast.get_docstring(node) and not told_together:
                yield f"{where}: {node.name}"


def test_modules_and_their_public_functions_and_classes_have_docstrings() -> None:
    assert list(undocumented()) == []
