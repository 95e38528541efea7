"""Pages from templates: values are escaped as text, and a missing value is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

import danvan_crawler
from danvan_crawler.replay.front_page import front_page
from danvan_crawler.templates import render

PACKAGE = Path(danvan_crawler.__file__).parent
TEMPLATES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.glob("[!_]*/*.html"))]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_value_that_is_missing_is_an_error(template: str) -> None:
    with pytest.raises(UndefinedError):
        render(template)


def test_a_template_that_is_missing_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        render("health/khong_co.html")


def test_the_front_page_of_a_replay_links_captures_and_is_safe_as_a_template_of_pywb() -> None:
    """pywb renders the page as a Jinja template again."""
    title = "Tin \"một\" <b> {{ 7 * 7 }} {% raw %} {# x #} & 'hai'"
    articles = [("2026-11-22", title, 'http://a.vn/?x=1&y={2}"', "2026-11-22T18:00:00.000000Z")]
    text = front_page([("Ban <Dân vận> {{ sites }}", articles), ("Trống", [])])
    assert SandboxedEnvironment(keep_trailing_newline=True).from_string(text).render() == text
    assert "<h2>Ban &lt;Dân vận&gt; &#123;&#123; sites &#125;&#125;</h2>" in text
    assert 'href="/archive/20261122180000/http://a.vn/?x=1&amp;y=&#123;2&#125;&#34;"' in text
    assert "&lt;b&gt; &#123;&#123; 7 * 7 &#125;&#125;" in text
    assert "<h2>Trống</h2>\n<table>\n</table>" in text
