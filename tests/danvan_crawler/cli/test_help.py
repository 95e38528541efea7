"""Common behaviour of all commands: help with an example, exit codes of wrong usage, a quick start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

import danvan_crawler
from danvan_crawler.cli import COMMANDS, cli

Danvan = Callable[..., Any]


def commands() -> Iterator[tuple[str, ...]]:
    """All commands with their subcommands, as words."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        yield (name,)
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, sub) for sub in command.list_commands(context))


WORDS = list(commands())


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_of_a_command_has_an_example_of_it(danvan: Danvan, words: tuple[str, ...]) -> None:
    result = danvan(*words, "--help")
    assert result.code == 0
    _, example = result.out.split("Example:\n", 1)
    assert example.lstrip().startswith(f"danvan {' '.join(words)}")


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_has_a_sentence_for_every_option(danvan: Danvan, words: tuple[str, ...]) -> None:
    command: click.Command | None = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    silent = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_an_unknown_option_is_wrong_usage(danvan: Danvan, words: tuple[str, ...]) -> None:
    result = danvan(*words, "--nosuch")
    assert (result.code, result.out) == (2, "")
    assert "--nosuch" in result.err


@pytest.mark.parametrize("command", ["crawl", "search", "export"])
@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize(
    "day",
    ["23/05/2017", "2017-5-23", "2017-02-30", "2017", "hôm qua", "", "20170523", "2017-W21-2", "2017-05-23T00:00"],
)
def test_an_invalid_date_is_wrong_usage(danvan: Danvan, command: str, option: str, day: str) -> None:
    argument = {"crawl": ["mau-danvan"], "search": ["x"], "export": []}[command]
    result = danvan(command, *argument, option, day)
    assert (result.code, result.out) == (2, "")
    assert f"'{option}': must be a day like 2017-05-23, got {day!r}" in result.err


@pytest.mark.parametrize(
    "command", [words for words in WORDS if words not in (("sites", "show"), ("dates",))], ids=" ".join
)
def test_every_command_has_the_option_archive(danvan: Danvan, command: tuple[str, ...]) -> None:
    assert "--archive" in danvan(*command, "--help").out


def test_the_list_of_commands_describes_each(danvan: Danvan) -> None:
    out = danvan("--help").out
    for name, sentence in COMMANDS.items():
        assert re.search(rf"^  {name}\s+{re.escape(sentence)}$", out, re.MULTILINE)


def test_every_command_is_named_after_its_module() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_an_unknown_command_is_wrong_usage(danvan: Danvan) -> None:
    result = danvan("nosuch")
    assert result.code == 2
    assert "nosuch" in result.err


def test_without_a_command_the_help_is_shown(danvan: Danvan) -> None:
    result = danvan()
    assert "Start with `danvan demo`" in result.out + result.err


def test_the_version_is_printed(danvan: Danvan) -> None:
    result = danvan("--version")
    assert (result.code, result.out) == (0, f"danvan, version {danvan_crawler.__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nosuch"]], ids=lambda arguments: arguments[0])
def test_the_start_imports_neither_scrapy_nor_sqlalchemy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from danvan_crawler.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('imported', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(child.stdout.splitlines()[-1].split())
    assert "click" in imported
    assert imported & {"scrapy", "twisted", "sqlalchemy", "pydantic", "lxml", "selectolax", "rich"} == set()
