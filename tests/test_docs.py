"""The documents lead to what is there, and leave no decision out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from penny.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("channels/*/README.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    """To a file or folder, and with a fragment to a heading of that page."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        if fragment and found.suffix == ".md":
            assert fragment in _fragments(found.read_text()), target


def test_the_list_of_decisions_is_whole_and_in_order() -> None:
    """Each decision once, by number, with its title."""
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.M)
    titles = [page.read_text().partition("\n")[0] for page in sorted(folder.glob("[0-9]*.md"))]
    assert [f"# {number}: {title}" for number, _, title in listed] == titles


def _fragments(text: str) -> set[str]:
    """The names by which a page's headings are linked, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


CODE = re.compile(r"```\w*\n(.*?)```|^    (.+)$|`([^`\n]+)`", re.S | re.M)
COMMAND = re.compile(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?penny(?:_there)? (.*)")
AFTER = re.compile(r"\s[#|;&>].*")


def commands(page: Path) -> Iterator[str]:
    """What follows `penny` on each line of code of the page; `penny_there` is how runbooks run it in a deployment."""
    for found in CODE.finditer(page.read_text()):
        for line in next(part for part in found.groups() if part is not None).splitlines():
            if given := COMMAND.match(line):
                yield AFTER.sub("", given[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    """With its options: who is on call types what a runbook says. `a|b` are alternatives."""
    for given in commands(page):
        command, words = get_command(app), given.split()
        while words and isinstance(command, TyperGroup):
            first, *others = words[0].split("|")
            if first.startswith("-") or first == "COMMAND":
                break
            assert {first, *others} <= set(command.commands), given
            command, words = command.commands[first], words[1:]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        named = {re.split(r"[=\]]", word)[0] for word in words if word.startswith("--")}
        assert named <= {*known, "--help"}, given


def test_runbooks_name_commands() -> None:
    """Else the test above would look at nothing."""
    assert sum(1 for page in (ROOT / "docs" / "operations").glob("*.md") for _ in commands(page)) > 10
