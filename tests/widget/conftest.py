"""Chromium, and pages with the widget in front of a stand-in for the service."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_penny import BUILT, FakePenny
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, headless. Without one the tests are skipped, but on CI they fail."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        reason = "The page's tests need Chromium: apt-get install chromium (or Chrome) puts one in PATH."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def built() -> Path:
    """The built widget; what builds it is named where it is missing."""
    if not (BUILT / "manifest.json").exists():
        pytest.fail("The widget is not built: make widget")
    return BUILT


@pytest.fixture
async def penny(built: Path) -> AsyncIterator[FakePenny]:
    """A fresh fake service; its address is `penny.url`."""
    fake = FakePenny()
    runner = web.AppRunner(fake.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield fake
    await fake.close()
    await runner.cleanup()


@dataclass
class Visit:
    """A page under watch: what it requested, and what its console complained about."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def complain(self, text: str) -> None:
        """Notes a console error; a refused or broken request is not one of the page."""
        if not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_role("textbox", name="Message to Penny")

    async def say(self, text: str) -> None:
        """Types a message and presses Enter."""
        await self.field.fill(text)
        await self.field.press("Enter")


@pytest.fixture
async def visit(browser: Browser, penny: FakePenny) -> AsyncIterator[Callable[..., Any]]:
    """Opens a page with the widget: `await visit(width=..., height=...)` gives a Visit (`beside` another: a tab of it).
    At the end no error, no policy violation and
    no request to anywhere but the service may have happened."""
    visits: list[Visit] = []

    async def opened(
        width: int = 1200, height: int = 800, path: str = "", beside: Visit | None = None, **options: Any
    ) -> Visit:
        context = (
            beside.context
            if beside
            else await browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
        )
        page = await context.new_page()
        visit = Visit(page, context)

        def note(request: Request) -> None:
            visit.requests.append(request.url)

        context.on("request", note)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda m: m.type in ("error", "warning") and visit.complain(m.text))
        visits.append(visit)
        await page.goto(penny.url + path)
        return visit

    yield opened
    for visit in visits:
        await visit.context.close()
        assert [url for url in visit.requests if not url.startswith(penny.url)] == []
        assert visit.complaints == []
