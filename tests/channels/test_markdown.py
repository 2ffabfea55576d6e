"""Replies in an app's dialect: marks, tables, limits, and no address that an app would fetch."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.markdown import PLAIN, Dialect, aligned, as_lines, split, write

HTML = Dialect(
    escape,
    lambda text: f"<b>{text}</b>",
    lambda text: f"<i>{text}</i>",
    lambda text: f"<code>{text}</code>",
    lambda rows: f"<pre>{escape(aligned(rows))}</pre>",
)


def test_marks_come_in_the_apps_own_way() -> None:
    """Bold, italics, code, headings and lists."""
    text = "# Spending\n\nYou spent **$4 _today_** at `A&B`.\n\n- one\n- two\n  1. three\n"
    assert write(text, HTML) == [
        "<b>Spending</b>",
        "You spent <b>$4 <i>today</i></b> at <code>A&amp;B</code>.",
        "• one",
        "• two",
        "  1. three",
    ]


def test_a_table_is_lined_up_with_figures_to_the_right() -> None:
    """In a fixed-width font; on a narrow screen each row is a line."""
    rows = [["Category", "Spent"], ["Groceries", "$857.18"], ["Rent", "$2,225.00"]]
    assert aligned(rows) == "Category       Spent\nGroceries    $857.18\nRent       $2,225.00"
    assert as_lines(rows) == "Groceries: $857.18\nRent: $2,225.00"


@pytest.mark.parametrize(
    "text",
    [
        "[pay](https://evil.example/?d=1)",
        "![x](https://evil.example/?d=1)",
        "<https://evil.example>",
        "see https://evil.example/a and www.evil.example",
        "`https://evil.example`",
        "```\nhttps://evil.example\n```",
        "| a |\n| --- |\n| https://evil.example |",
        "[x]: https://evil.example\n\n[x]",
        '<img src="https://evil.example">',
        "[x](javascript:alert(1)) javascript:alert(1) xjavascript:javascript:alert(1)",
        "_https://evil.example 5https://evil.example 1www.evil.example _mailto:x@evil.example",
    ],
)
def test_no_address_is_passed_on(text: str) -> None:
    """Whatever it stands in: links keep their words, bare addresses are left out."""
    written = "\n".join(write(text, HTML) + write(text, PLAIN))
    assert "evil" not in written
    assert "javascript:" not in written


@given(st.lists(st.text(min_size=1, max_size=300), max_size=8), st.integers(20, 200))
def test_no_part_is_over_the_limit_and_no_word_is_lost(blocks: list[str], limit: int) -> None:
    """Splitting only takes white space away at the seams."""
    parts = split(blocks, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join("".join(blocks).split())


def test_it_is_split_between_blocks_and_sentences() -> None:
    """Paragraphs stay whole while they fit; a long one breaks after a sentence."""
    assert split(["One. Two.", "Three."], 20) == ["One. Two.\n\nThree."]
    assert split(["One. Two.", "Three."], 10) == ["One. Two.", "Three."]
    assert split(["First one. Second one."], 15) == ["First one.", "Second one."]
    assert split(["• one", "• two"], 50) == ["• one\n• two"]
