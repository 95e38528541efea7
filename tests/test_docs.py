"""Documentation is complete: what a user can type, set, read or import stands in README.md or archive/README.md."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import danvan_crawler.vietnamese
from danvan_crawler import _layout
from danvan_crawler.cli import COMMANDS, cli
from danvan_crawler.exceptions import ExitCode
from danvan_crawler.health.problems import REMEDIES
from danvan_crawler.health.prometheus import METRICS
from danvan_crawler.items import EXPORT_FIELDS
from danvan_crawler.sites.profile import SELECTORS, Layout, Section, Site
from danvan_crawler.sites.registry import SiteRegistry
from danvan_crawler.sites.rules import Health

_layout.activate()  # profiles name their family, a module of `spiders`

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("danvan_crawler", "spiders", "pipelines")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "archive" / "README.md").read_text(encoding="utf-8")
WRITTEN = f"{README}\n{CONTRACT}"


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def commands() -> Iterator[tuple[str, click.Command]]:
    """All commands with their subcommands: the words to type, and the command."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield f"danvan {name}", command
        if isinstance(command, click.Group):
            yield from ((f"danvan {name} {sub}", command.commands[sub]) for sub in command.list_commands(context))


def options() -> Iterator[str]:
    for words, command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                yield from (f"{words} {spelling}" for spelling in option.opts)


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
            if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == loaded.__name__:
                yield f"{module.name}.{name}"


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_every_command_is_in_the_readme(words: str) -> None:
    assert f"`{words}" in README or re.search(rf"^ +{words}\b", README, re.MULTILINE)


@pytest.mark.parametrize("option", list(options()))
def test_every_option_is_in_the_readme(option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option.split()[-1])}(?![\w-])", README)


@pytest.mark.parametrize("words", [words for words, command in commands() if not isinstance(command, click.Group)])
def test_the_commands_of_the_readme_are_spelt_as_they_are(words: str) -> None:
    """Each option that the table gives to a command is one that the command has."""
    row = re.search(rf"^\| `{words}(?![\w-])(.*)$", README, re.MULTILINE)
    if row is None:
        return
    command = dict(commands())[words]
    known = {spelling for option in command.params for spelling in option.opts} | {"--help", "--all"}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", row[1])) <= known


def test_the_python_examples_of_the_readme_hold() -> None:
    examples = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert examples.attempted > 0
    assert examples.failed == 0


def test_every_example_of_the_readme_is_a_command() -> None:
    first = {
        line.split()[1]
        for line in README.splitlines()
        if re.match(r"^ {4}(\$ )?danvan \w", line)
        for line in [line.replace("$ ", "")]
    }
    assert first <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(settings()))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize(
    "key", [*Site.model_fields, *Section.model_fields, *Layout.model_fields, *Health.model_fields, *sorted(SELECTORS)]
)
def test_every_key_of_a_profile_is_in_the_readme(key: str) -> None:
    assert re.search(rf"`\[*{key}\]*`", README)


@pytest.mark.parametrize("kind", REMEDIES)
def test_every_kind_of_problem_is_in_the_readme(kind: str) -> None:
    assert f"`{kind}`" in README


@pytest.mark.parametrize("name", [name for name, _, _ in METRICS])
def test_every_metric_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: str(int(code)))
def test_every_exit_code_is_in_the_readme(code: ExitCode) -> None:
    assert re.search(rf"^\| {int(code)} \| \w", README, re.MULTILINE)


@pytest.mark.parametrize("name", EXPORT_FIELDS)
def test_every_field_of_an_item_is_in_the_contract_with_data_users(name: str) -> None:
    assert re.search(rf"`{name}`|\b{name}\b", CONTRACT)


@pytest.mark.parametrize("name", list(functions()))
def test_every_function_for_other_programs_is_written_about(name: str) -> None:
    assert f"{name}(" in WRITTEN or f"`{name}`" in WRITTEN


@pytest.mark.parametrize("family", sorted(path.stem for path in (ROOT / "spiders/families").glob("[a-z]*.py")))
def test_every_family_is_in_the_readme(family: str) -> None:
    assert f"`{family}`" in README


def test_every_bundled_site_can_be_found_from_the_readme() -> None:
    assert len(SiteRegistry([ROOT / "spiders" / "sites"])) > 0
    assert "spiders/sites" in README


@pytest.mark.parametrize("document", ["README.md", "archive/README.md"])
def test_links_inside_the_repository_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|mailto:)([^)#]*)(?:#[^)]*)?\)", text)
    missing = [target for target in targets if target and not ((ROOT / document).parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", ["README.md", "archive/README.md"])
def test_links_inside_a_document_lead_to_a_heading_of_it(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def undocumented() -> Iterator[str]:
    """Modules, and public functions and classes at their top, that tell nothing about themselves.

    The docstring of a module with one public name is about that, and the one of `exceptions` draws all of them.
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
