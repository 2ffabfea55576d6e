"""The page of the real service in a real browser, with the emulator of Bedrock behind it."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.async_api import async_playwright, expect

from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import ToolUse, Turn

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
BEDROCK = {
    "PENNY_MODEL": "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
}
PATIENCE = 60_000
"""Milliseconds: the machine may be busy."""


def answer(request):
    """A budget change for the user's wish, and a sentence after it."""
    if any("toolResult" in block for block in request["messages"][-1]["content"]):
        return Turn("Please look at it.")
    return Turn("", (ToolUse("set_budget", {"category": "Dining", "amount": 250}),))


@pytest.fixture
async def page():
    """A page of the system's Chromium; skipped without one, except on CI."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is needed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield await browser.new_page()
        await browser.close()


async def test_a_change_goes_from_words_to_the_ledger_and_back(serve, page):
    """Asked on the page, applied by its button, in the budget, in the history, and undone there."""
    async with BedrockEmulator(answer) as emulator:
        server = await serve(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=emulator.url, **BEDROCK)
        page.set_default_timeout(PATIENCE)
        await page.goto(server.url)
        await page.get_by_role("textbox", name="Message to Penny").fill("Set dining to 250")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator(".card .chip")).to_have_text("Applied", timeout=PATIENCE)
        items = (await server.client.get("/v1/budgets")).json()["items"]
        assert [line["budget"]["minor"] for line in items if line["category"] == "Dining"] == [25000]
        await page.get_by_role("button", name="Overview").click()
        await page.get_by_role("tab", name="Changes").click()
        await page.locator(".changes").get_by_role("button", name="Undo").first.click()
        await expect(page.locator(".card .chip").first).to_have_text("Undone", timeout=PATIENCE)
        await server.stop()


async def test_the_lab_shows_how_a_reply_came_about(serve, page):
    """The newest reply's steps, its call with arguments, its facts, tokens and a timeline with widths; the policy is
    not broken, and a chosen reply stays chosen."""
    broken = []
    page.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
    async with BedrockEmulator(answer) as emulator:
        server = await serve(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=emulator.url, **BEDROCK)
        session = await server.new_session()
        for text in ("Set dining to 250", "<img src=x onerror=alert(1)> again"):
            await server.ask(session, text)
        page.set_default_timeout(PATIENCE)
        await page.goto(f"{server.url}/lab")
        await expect(page.locator(".user")).to_have_text("<img src=x onerror=alert(1)> again", timeout=PATIENCE)
        await page.get_by_role("button", name="Set dining to 250").last.click()
        await expect(page.locator(".user")).to_have_text("Set dining to 250", timeout=PATIENCE)
        await expect(page.locator(".step h3")).to_contain_text(["1. model", "2. tools", "3. model"])
        await expect(page.locator(".step code").first).to_have_text('set_budget {"amount":250,"category":"Dining"}')
        await expect(page.locator(".step td").first).to_contain_text("Dining")
        bar = await page.locator(".whole i").first.bounding_box()
        assert bar is not None
        assert bar["width"] > 1
        assert await page.locator("img").count() == 0
        assert broken == []
        await server.stop()
