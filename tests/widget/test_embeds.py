"""Every example of docs/widget.md, as a page of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

TEXT = (Path(__file__).parents[2] / "docs" / "widget.md").read_text()
BLOCKS = re.findall(r"```(html|css|js)\n(.*?)```", TEXT, re.DOTALL)
PENNY = "https://penny.example.com"


def examples():
    """The HTML blocks in order, each with the style and script that follow it."""
    found = []
    for kind, text in BLOCKS:
        if kind == "html":
            found.append({"html": text, "css": "", "js": ""})
        else:
            found[-1][kind] += text
    return found


EXAMPLES = examples()


@pytest.fixture
def embed(penny, visit):
    """Serves an example as the host page and opens it, with Penny's address in place of the example's."""

    async def opened(example, **options):
        penny.body = example["html"].replace(PENNY, penny.url.rstrip("/"))
        penny.host_style, penny.host_script = example["css"], example["js"]
        return await visit(**options)

    return opened


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_answers(penny, embed, number):
    """Copied as it stands, under a strict policy, it shows Penny, and Penny answers."""
    penny.script(("run.finished", {"text": "Here I am."}))
    example = EXAMPLES[number]
    v = await embed(example)
    if 'mode="floating"' in example["html"] and "chat.open()" not in example["js"]:
        await v.page.get_by_role("button", name="Open the chat with Penny").click()
    if "chat.send" not in example["js"]:
        field = v.page.locator("penny-composer textarea")
        await field.fill("Hello")
        await field.press("Enter")
    await expect(v.page.locator(".reply .text")).to_have_text("Here I am.")


def test_there_is_an_example_of_each_mode():
    """Inline, floating and full page are all shown."""
    modes = {re.search(r'mode="(\w+)"', e["html"]).group(1) if "mode=" in e["html"] else "inline" for e in EXAMPLES}
    assert modes == {"inline", "floating", "page"}


async def test_the_variables_parts_and_words_of_the_example_take_effect(penny, embed):
    """Accent, corners, a part's style and two strings are the host's."""
    proposal = penny.propose({"minor": 1, "currency": "USD"}, {"minor": 2, "currency": "USD"})
    penny.script(("proposal", {"call_id": "c", **proposal}), ("run.finished", {"text": "Shall I?"}))
    v = await embed(next(e for e in EXAMPLES if "--penny-accent" in e["css"]))
    await expect(v.page.get_by_role("heading", name="Moneta")).to_be_visible()
    await expect(v.page.get_by_placeholder("Ask Moneta anything…")).to_be_visible()
    await v.say("Set")
    apply = v.page.get_by_role("button", name="Apply")
    await expect(apply).to_have_css("background-color", "rgb(0, 87, 95)")
    await expect(apply).to_have_css("text-transform", "uppercase")
    await expect(v.page.locator(".frame")).to_have_css("border-radius", "4px")


async def test_the_bank_around_it_switches_theme_mode_language_and_user(penny, visit):
    """The demo page's four switches take effect at once, and are kept over a reload."""
    v = await visit(path="bank")
    await expect(v.page.locator("#accounts")).to_contain_text("$2,049.78")
    await v.page.get_by_label("Theme").select_option("dark")
    await expect(v.page.locator("penny-chat")).to_have_css("color-scheme", "dark")
    await v.page.get_by_label("Language").select_option("de-DE")
    await expect(v.page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    await expect(v.page.locator("#accounts")).to_contain_text("2.049,78")
    async with v.page.expect_request(lambda request: request.url.endswith("/dev/token?user=newcomer")):
        await v.page.get_by_label("User").select_option("newcomer")
    await v.page.locator("select[name=mode]").select_option("floating")
    await v.page.reload()
    await v.page.get_by_role("button", name="Chat mit Penny öffnen").click()
    await expect(v.page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    assert await v.page.evaluate("JSON.parse(localStorage['harbour.settings']).user") == "newcomer"
