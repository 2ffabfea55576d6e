"""Prompt files: what is checked when they are loaded, and what they become."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest

from prompts import library
from prompts.library import REQUIRED, Prompt, PromptError
from prompts.rollout import Rollout
from prompts.stopping import ALPHA, Counts, at_least, look, verdict

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


def test_a_share_takes_about_that_share_and_widening_keeps_who_is_in() -> None:
    """Of 4,000 users a tenth, give or take, and all of those again in a fifth; another version takes others."""
    users = [UUID(int=n) for n in range(4_000)]
    tenth = {user for user in users if rollout_of(share=1_000).takes(user)}
    fifth = {user for user in users if rollout_of(share=2_000).takes(user)}
    other = {user for user in users if rollout_of("v4", share=1_000).takes(user)}
    assert 320 < len(tenth) < 480
    assert tenth < fifth
    assert len(tenth & other) < 80
    assert all(rollout_of(share=10_000).takes(user) for user in users[:50])
    assert not any(rollout_of(share=0).takes(user) for user in users[:50])


def rollout_of(name: str = "v3", *, share: int) -> Rollout:
    return Rollout(1, Prompt(name, "text"), "v2-00000000", share, frozenset())


@pytest.mark.parametrize(
    ("candidate", "base", "stops"),
    [
        (Counts(20, 20), Counts(200, 2), True),
        (Counts(20, 0, 12), Counts(200, 2, 4), True),
        (Counts(20, 3), Counts(200, 20), False),
        (Counts(19, 19), Counts(200, 2), False),
        (Counts(20, 20), Counts(19, 0), False),
        (Counts(20, 0), Counts(200, 100), False),
    ],
)
def test_a_version_stops_when_it_is_worse_beyond_chance(candidate: Counts, base: Counts, stops: bool) -> None:
    """Clearly more failures or unverified figures stop it; as many, fewer, or too few replies of either do not."""
    assert (verdict(candidate, base).reason is not None) is stops


def test_fishers_test_is_the_textbooks() -> None:
    """The lady tasting tea: all eight cups right, 1 in 70; one pair wrong or better, 17 in 70."""
    assert at_least(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert at_least(3, 4, 1, 4) == pytest.approx(17 / 70)


def test_a_look_is_taken_once() -> None:
    """With the replies of the last look there is none; with 30 % more there is the next."""
    counts, base = Counts(20, 20), Counts(200, 2)
    assert verdict(counts, base, looks=1).reason is None
    assert verdict(Counts(26, 26), base, looks=1).looks == 2


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_a_version_that_is_no_worse_is_seldom_stopped(rate: float) -> None:
    """Of 300 rollouts over 400 replies each, looked at after every reply, no more than alpha stop (seed 9)."""
    chance, stopped = random.Random(9), 0
    for _ in range(300):
        looks = bad = bad_base = 0
        for n in range(1, 401):
            bad += chance.random() < rate
            bad_base += chance.random() < rate
            if look(n, 20) > looks:
                found = verdict(Counts(n, bad), Counts(n, bad_base), looks=looks)
                looks = found.looks
                if found.reason:
                    stopped += 1
                    break
    assert stopped / 300 <= ALPHA
