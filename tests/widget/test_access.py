"""For everybody: axe finds nothing serious in any state, and the keyboard alone is enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "widget" / "node_modules" / "axe-core" / "axe.min.js"
POINTS = [["Groceries", 412.3], ["Rent", 1200]]
FIGURES = [
    {"start": 10, "end": 17, "text": "$412.30", "fact_id": "f", "verified": True},
    {"start": 21, "end": 26, "text": "$9.00", "verified": False},
]
SERIOUS = """async () => (await axe.run(document)).violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => [id, nodes.map((node) => node.target.join(" ") + ": " + node.failureSummary)])"""


async def serious(v):
    """The serious violations that axe finds now. The debugger loads axe: the policy stays strict."""
    await v.page.evaluate("Promise.all(document.getAnimations().map(({ finished }) => finished))")
    await v.page.evaluate(AXE.read_text())
    return await v.page.evaluate(SERIOUS)


def everything(penny):
    """A reply with a part of every kind."""
    proposal = penny.propose({"minor": 30000, "currency": "USD"}, {"minor": 25000, "currency": "USD"})
    fact = {"id": "f", "label": "spent on Groceries", "value": "412.30", "unit": "USD"}
    call = {"call_id": "c", "name": "get_spending"}
    text = "You spent $412.30 or $9.00, see [this](https://a.example) and `code`.\n\n| a | b |\n|---|---|\n| x | 1 |"
    series = [{"name": "s", "points": POINTS}]
    charts = [
        ("chart", {"call_id": "c", "kind": kind, "title": f"A {kind}", "unit": "USD", "series": series})
        for kind in ("bar", "donut", "line")
    ]
    penny.script(
        ("tool.started", call | {"label": "Looking", "args": {}}),
        ("tool.finished", call | {"ok": True, "summary": "Found.", "facts": [fact]}),
        *charts,
        ("proposal", {"call_id": "c", **proposal}),
        ("grounding", {"figures": FIGURES}),
        ("run.finished", {"text": text}),
    )


@pytest.mark.parametrize(
    ("theme", "lang", "width"), [("light", "en", 1200), ("dark", "en", 1200), ("light", "ar", 390), ("dark", "de", 390)]
)
async def test_axe_finds_nothing_serious(penny, visit, theme, lang, width):
    """Empty, with a full reply, with each panel and the list of chats, in both themes and directions."""
    penny.body = penny.body.replace("mode='page'", f"mode='page' theme='{theme}' lang='{lang}'")
    money = {"minor": 100, "currency": "USD"}
    penny.budgets["items"] = [{"category": "Food", "group": "", "budget": money, "spent": money, "left": money}]
    penny.propose(None, None, text="Applied.", status="applied")
    everything(penny)
    v = await visit(width=width, color_scheme=theme, reduced_motion="reduce")
    await expect(v.page.locator(".welcome h2")).to_be_visible()
    assert await serious(v) == []
    await v.page.locator(".welcome li button").first.click()
    await expect(v.page.locator(".uplot")).to_be_visible()
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    assert await serious(v) == []
    await v.page.locator(".head .tool").nth(0).click()
    await expect(v.page.locator(".chats .open")).to_be_visible()
    assert await serious(v) == []
    await v.page.locator(".head .tool").nth(2).click()
    for tab, content in enumerate((".budgets li", "penny-waiting .card", ".changes li", ".facts li", ".apps", ".drop")):
        await v.page.get_by_role("tab").nth(tab).click()
        await expect(v.page.locator(content).first).to_be_visible()
        assert await serious(v) == [], content


async def test_the_bank_and_the_floating_chat_are_sound_too(penny, visit):
    """The demo page with the chat open over it."""
    v = await visit(path="bank", reduced_motion="reduce")
    await v.page.locator("select[name=mode]").select_option("floating")
    await v.page.get_by_role("button", name="Open the chat with Penny").click()
    await expect(v.page.get_by_role("dialog", name="Penny")).to_be_visible()
    assert await serious(v) == []


async def test_everything_is_reached_by_tab(penny, visit):
    """Tab alone reaches the field, every control of a reply, and the header; each shows where the focus is."""
    everything(penny)
    v = await visit()
    await v.say("Everything")
    await expect(v.page.locator(".uplot")).to_be_visible()
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    wanted = {"Your chats", "New chat", "Overview", "Edit", "Table", "Copy CSV", "Apply", "Reject", "Copy", "Looking"}
    reached, unseen = set(), []
    for _ in range(60):
        await v.page.keyboard.press("Tab")
        name, outline = await v.page.evaluate("""() => {
            const at = document.querySelector("penny-chat").shadowRoot.activeElement;
            if (!at) return [null, ""];
            const words = at.querySelector("span:not(.hidden)") ?? at;
            return [(at.getAttribute("aria-label") ?? words.textContent).trim(), getComputedStyle(at).outlineStyle];
        }""")
        if name is None:
            continue
        reached.add(name)
        if outline == "none" and name != "Message to Penny":
            unseen.append(name)
    assert wanted <= reached, wanted - reached
    assert unseen == []


async def test_tabs_and_escape_work_as_people_expect(penny, visit):
    """Arrow keys move between the panels, Home and End to the ends, Escape closes."""
    v = await visit()
    await v.page.get_by_role("button", name="Overview").press("Enter")
    await v.page.get_by_role("tab", name="Budgets").focus()
    await v.page.keyboard.press("ArrowRight")
    await expect(v.page.get_by_role("tab", name="Waiting")).to_be_focused()
    await v.page.keyboard.press("End")
    await expect(v.page.get_by_role("tab", name="Import")).to_have_attribute("aria-selected", "true")
    await v.page.keyboard.press("Escape")
    await expect(v.page.get_by_role("tab")).to_have_count(0)
