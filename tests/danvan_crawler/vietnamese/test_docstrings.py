"""The examples in the docstrings are correct."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import danvan_crawler.vietnamese as room

MODULES = [module.name for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_correct(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", ["bodies", "charset", "dating", "documents", "provinces", "text", "timestamps"])
def test_the_public_modules_have_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"{room.__name__}.{name}")).attempted > 0
