"""Pages of the documentation: their length and language, links with existing targets, examples that are commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from danvan_crawler.cli import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "archive/README.md", *(ROOT / "docs").rglob("*.md"))
)
PLANS = {"docs/CONTRIBUTING.md", "docs/CHANGELOG.md"}
"""Pages that may name targets of the Makefile of the next version."""
every_page = pytest.mark.parametrize("page", PAGES)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def prose(text: str) -> Iterator[str]:
    """Lines without code, headings and program output."""
    text = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
    for line in text.splitlines():
        if not line.startswith(("    ", "#")):
            yield re.sub(r"`[^`]*`", "`", line)


def examples(text: str) -> Iterator[str]:
    """Lines of code blocks that a reader types; the output below a line that begins with `$` is left out."""
    for block in re.findall(r"(?:^(?: {4,}.*|)\n)+", f"{text}\n", re.MULTILINE):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        shown = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        yield from shown or lines


def typed(text: str) -> list[str]:
    """Commands of this program in the code of a text, in blocks and between backticks."""
    inline = re.findall(r"`(danvan [a-z][^`]*)`", text)
    blocks = (piece.strip() for line in examples(text) for piece in re.split(r" \| | && ", line))
    return [*inline, *(piece for piece in blocks if piece.startswith("danvan "))]


def trouble_with(line: str) -> str | None:
    """The error of a command line: a command or an option that does not exist."""
    words = shlex.split(line.replace("…", ""), comments=True)[1:]
    command: click.Command = cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        if words[0] not in command.list_commands(click.Context(command)):
            return f"no command {words[0]!r}"
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    known = {spelling for option in command.params for spelling in option.opts} | {"-h", "--help"}
    known |= {"--version"} if command is cli else set()
    unknown = [word for word in words if word.startswith("-") and len(word) > 1 and word.split("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else None


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(text_of("README.md").splitlines()) <= 150


@every_page
def test_a_page_can_be_found_from_the_readme_and_from_the_index(page: str) -> None:
    for index in ("README.md", "docs/README.md"):
        targets = {(ROOT / index).parent / link.partition("#")[0] for link in links(text_of(index))}
        reachable = {target.resolve() for target in targets} | {ROOT / "README.md", ROOT / "docs/README.md"}
        assert ROOT / page in reachable, index


@every_page
def test_links_inside_the_repository_lead_to_a_file_and_a_heading(page: str) -> None:
    broken = []
    for link in links(text_of(page)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        is_there = target.exists() and (not anchor or anchor in anchors(target.read_text(encoding="utf-8")))
        if not is_there:
            broken.append(link)
    assert broken == []


@every_page
def test_the_files_of_the_checkout_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"`((?:danvan_crawler|spiders|pipelines|tests)/[\w./-]*)`", text_of(page))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_pictures_are_small_and_used() -> None:
    used = {(ROOT / page).parent.joinpath(link).resolve() for page in PAGES for link in links(text_of(page))}
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    assert [picture.name for picture in pictures if picture not in used or picture.stat().st_size > 150_000] == []


@every_page
def test_the_commands_of_a_page_exist_with_their_options(page: str) -> None:
    found = {line: trouble for line in typed(text_of(page)) if (trouble := trouble_with(line)) is not None}
    assert found == {}


def test_commands_are_found_in_pages() -> None:
    assert len([line for page in PAGES for line in typed(text_of(page))]) > 100


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("danvan search 'dân vận' --limit 2", None),
        ("danvan sites --json", None),
        ("danvan sites show mau-danvan --json", None),
        ("danvan crawl SLUG…", None),
        ("danvan dates -", None),
        ("danvan export -o x.csv   # all", None),
        ("danvan serach x", "no command 'serach'"),
        ("danvan sites shwo", "no command 'shwo'"),
        ("danvan search x --limits 2", "no option --limits"),
        ("danvan crawl -q", "no option -q"),
    ],
)
def test_missing_commands_and_options_are_found(line: str, trouble: str | None) -> None:
    assert trouble_with(line) == trouble


def test_every_target_of_the_makefile_is_in_the_page_for_contributors() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE)
    assert len(targets) > 10
    written = text_of("docs/CONTRIBUTING.md")
    assert [target for target in targets if target != "help" and f"`make {target}`" not in written] == []


@every_page
def test_the_targets_that_a_page_names_are_in_the_makefile(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z][a-z-]*)", text_of(page)))
    named |= {line.split()[1] for line in examples(text_of(page)) if re.match(r"make [a-z]", line)}
    assert page in PLANS or named <= targets


UNCLEAR = {
    r"\b(?:is|are|was|were|be) none\b": "none is no predicate",
    r"\b[Tt]ells?\b|\btold\b": "say `report`",
    r"(?:^|[.:|] )(?:Is|Are|Was|Were|Do|Does|Did|Has|Have|Had|Should|Were) [^.?|]*, ": "a conditional begins with `If`",
}


@every_page
@pytest.mark.parametrize("pattern", UNCLEAR)
def test_a_page_is_in_plain_english(page: str, pattern: str) -> None:
    assert [line for line in prose(text_of(page)) if re.search(pattern, line)] == []
