"""Numbers with their nouns: one section, two sections, in every text of the program."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from danvan_crawler import exceptions, plurals

ROOT = Path(__file__).resolve().parents[2]
NOUNS = (
    "addresses|articles|bytes|captures|characters|copies|days|documents|entries|files|findings|hits|items|jobs|lines|"
    "nights|notices|pages|problems|records|requests|responses|revisits|runs|seconds|sections|sites|steps|times"
)
COUNTED = re.compile(rf"\s(?:damaged |further |listing |new |older |other |WARC )?(?:{NOUNS})\b")
LOGGED = re.compile(rf"%d (?:damaged |further |listing |new |older |other |WARC )?(?:{NOUNS})\b")


def test_the_examples_hold() -> None:
    assert doctest.testmod(plurals).failed == 0
    assert doctest.testmod(exceptions).failed == 0


def bare_numbers(source: str) -> Iterator[int]:
    """Lines of texts in which a number that may be 1 stands before a plural."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for value, text in zip(node.values, node.values[1:], strict=False):
                is_bare = isinstance(value, ast.FormattedValue) and may_be_one(value)
                if is_bare and isinstance(text, ast.Constant) and COUNTED.match(str(text.value)):
                    yield node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and LOGGED.search(node.value):
            yield node.lineno


def may_be_one(value: ast.FormattedValue) -> bool:
    """Not for constants, sizes with thousands separators, and texts in quotes."""
    shown = ast.unparse(value.value)
    spec = ast.unparse(value.format_spec) if value.format_spec is not None else ""
    return not shown.replace("_", "").isupper() and "," not in spec and value.conversion == -1


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("f'{number} sections'", [1]),
        ("f'in {len(files)} WARC files'", [1]),
        ("f'{number} listing pages'", [1]),
        ("f'{number} damaged bytes'", [1]),
        ("f'{counted(number, \"section\")} read'", []),
        ("f'{LONGEST} characters'", []),
        ("f'{name!r} files'", []),
        ("f'{size:,} bytes'", []),
        ("f'{name} reads files'", []),
        ("log('kept %d bytes')", [1]),
    ],
)
def test_a_number_before_a_plural_is_found(source: str, lines: list[int]) -> None:
    assert list(bare_numbers(source)) == lines


def test_every_number_that_people_read_has_the_right_noun() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for package in ("danvan_crawler", "spiders", "pipelines")
        for path in sorted((ROOT / package).rglob("*.py"))
        for line in bare_numbers(path.read_text("utf-8"))
    ]
    assert found == []
