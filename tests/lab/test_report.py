"""The page of a run: one file that loads and runs nothing, whatever texts are in it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from lab.eval.outcome import Called, Result, StepResult
from lab.eval.scores import compare_runs
from lab.eval.store import Header, Recorded
from lab.report.diffs import between, words
from lab.report.html import Html, el
from lab.report.page import comparison_page, page

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'
CELLS = (("v1", "m"), ("v2", "m"))


def _result(case: str, prompt: str, reply: str, *, passed: bool) -> Result:
    step = StepResult(f"ask {EVIL}", reply, (Called("get_spending", {"by": "category", "period": EVIL}),), seconds=1.5)
    failures = () if passed else (f"the reply does not say {EVIL}",)
    return Result(case, prompt, "m", 1, ("t",), ("get_spending",), failures, (step,))


RUN = Recorded(
    Header("r1", "2026-11-26T00:00:00+00:00", CELLS, "x", prompts={"v1": EVIL, "v2": "b"}, options={"load": 1.0}),
    tuple(
        _result(
            f"case-{n}", prompt, "You spent $4 on food." if prompt == "v1" else "You spent $5.", passed=prompt == "v1"
        )
        for n in range(7)
        for prompt in ("v1", "v2")
    ),
)


@pytest.mark.parametrize(
    "made", [page(RUN), comparison_page(RUN, RUN, compare_runs(RUN, RUN))], ids=["run", "compared"]
)
def test_a_page_loads_nothing_and_runs_nothing(made: str) -> None:
    """No address in it, no script, no handler; its policy allows the one style sheet that is in it, by its hash."""
    assert not re.search(r"https?://|<script|<img|<link|\son\w+=(?!&)|style=\"", made)
    style = re.search(r"<style>(.*?)</style>", made, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in made


def test_a_page_says_which_prompt_is_worse() -> None:
    """Scores of both, the verdict of the sign test, and the changed cases with what went wrong."""
    made = page(RUN)
    assert "0 better, 7 worse of 7 cases. Sign test: p = 0.016; worse." in made
    assert "100%" in made
    assert "case-3" in made
    assert "<del>$4 on food.</del><ins>$5.</ins>" in made


def test_what_is_different_is_marked_by_word() -> None:
    """What went is struck out, what came is marked, the rest stands plain."""
    assert words("You spent $4.", "You spent $5.") == Html("You spent <del>$4.</del><ins>$5.</ins>")


def test_calls_are_compared_as_lines() -> None:
    """A call that is made on one side only is marked as gone or new."""
    one = Result("c", "a", "m", steps=(StepResult("q", "r", (Called("get_spending", {"by": "month"}),)),))
    other = Result("c", "b", "m", steps=(StepResult("q", "r", (Called("list_accounts", {}),)),))
    made = between(one, other)
    assert "<del>get_spending(by=month)</del>" in made
    assert "<ins>list_accounts()</ins>" in made


def test_texts_are_escaped_in_elements_and_attributes() -> None:
    """Only what is marked as markup is markup."""
    assert el("p", EVIL, title='"><b>') == (
        '<p title="&quot;&gt;&lt;b&gt;">&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(2)&quot;'
        "&gt;</p>"
    )


@pytest.fixture
async def tab() -> AsyncIterator[Page]:
    """A page of the system's Chromium; skipped without one, except on CI."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is needed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield await browser.new_page()
        await browser.close()


@pytest.mark.browser
async def test_a_browser_shows_the_page_with_its_style(tab: Page, tmp_path: Path) -> None:
    """Chromium applies the style sheet that the policy names, complains of nothing, and draws the bars."""
    path = tmp_path / "report.html"
    path.write_text(page(RUN))
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    await tab.goto(path.as_uri(), timeout=60_000)
    assert await tab.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "12px"
    assert await tab.evaluate("document.querySelector('svg rect + rect').getBBox().width") > 100
    assert complaints == []
