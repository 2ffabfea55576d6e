"""Prompt files: what is checked when they are loaded, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts import library
from prompts.library import REQUIRED, Prompt, PromptError

ALL = " ".join("{{" + name + "}}" for name in sorted(REQUIRED))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (f"Hello {{{{balance}}}} {ALL}", "{{balance}}"),
        ("Hello {{today}}", "{{facts}}"),
        ("Hello {{ today }} " + ALL, "{{ today }}"),
    ],
)
def test_a_prompt_that_cannot_be_used_says_what_is_wrong(tmp_path: Path, text: str, said: str):
    """An empty file, an unknown variable, and one that is missing are errors that name the file and the variable."""
    path = tmp_path / "mine.md"
    path.write_text(text)
    with pytest.raises(PromptError, match=r"mine\.md") as raised:
        library.load(path)
    assert said in raised.value.message


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path):
    """No file, no prompt."""
    with pytest.raises(PromptError, match=r"nowhere\.md"):
        library.load(tmp_path / "nowhere.md")


def test_the_constant_part_is_the_same_for_everybody():
    """What a provider may keep has no variable in it; what differs comes after it, once."""
    prompt = library.load()
    values = dict.fromkeys(library.VARIABLES, "x")
    one, other = prompt.render(values), prompt.render({**values, "facts": "\n- {{today}} is mine", "today": "2026"})
    assert one.constant == other.constant
    assert "{{" not in one.constant
    assert one.constant.startswith("You are Penny")
    assert "# This person" in one.aside
    assert "{{today}} is mine" in other.aside
    assert len(one.constant) > 10 * len(one.aside)


def test_a_version_names_the_text():
    """The same text has the same version, another one another."""
    assert Prompt("a", "text").version == Prompt("a", "text").version
    assert Prompt("a", "text").version != Prompt("a", "text.").version


def test_a_value_that_is_not_given_is_an_error():
    """Nothing is rendered with a hole in it."""
    with pytest.raises(PromptError, match="today"):
        Prompt("a", "Hello\n\n{{today}}").render({})


def test_the_summary_prompt_has_no_variables():
    """It is one text for all, so that it can be kept by providers too."""
    assert "{{" not in library.load_summary().text
