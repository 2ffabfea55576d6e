"""The overview: budgets, what waits, changes, memory, and importing a file."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser


def usd(minor):
    """Cents."""
    return {"minor": minor, "currency": "USD"}


@pytest.fixture
def panel(visit):
    """Opens the overview at a tab."""

    async def opened(tab, **options):
        v = await visit(**options)
        await v.page.get_by_role("button", name="Overview").click()
        await v.page.get_by_role("tab", name=tab).click()
        return v

    return opened


async def test_budgets_say_what_is_left_and_what_is_over(penny, panel):
    """Each line has its words, a bar with the same words for screen readers, and the month can be changed."""
    penny.budgets = {
        "items": [
            {"category": "Groceries", "group": "", "budget": usd(50000), "spent": usd(41230), "left": usd(8770)},
            {"category": "Dining", "group": "", "budget": usd(20000), "spent": usd(25050), "left": usd(-5050)},
            {"category": "Gifts", "group": "", "budget": None, "spent": usd(1500), "left": None},
        ],
        "totals": [{"budget": usd(70000), "spent": usd(66280), "left": usd(3720), "unbudgeted": usd(1500)}],
    }
    v = await panel("Budgets")
    await expect(v.page.get_by_role("img", name="Groceries: $87.70 left")).to_be_visible()
    await expect(v.page.get_by_role("img", name="Dining: $50.50 over")).to_be_visible()
    await expect(v.page.locator(".total-card strong")).to_have_text("$37.20 left")
    await expect(v.page.locator(".plain-rows li")).to_have_text("Gifts$15.00")
    await v.page.get_by_role("button", name="Month before").click()
    await expect(v.page.get_by_role("heading", name="October 2026")).to_be_visible()


async def test_what_waits_is_decided_in_the_panel(penny, panel):
    """A proposal of another conversation is applied here, its outcome stays in view, and the tab's count goes."""
    penny.propose(usd(1), usd(2), text="Set it.")
    v = await panel("Waiting")
    await expect(v.page.get_by_role("tab", name="Waiting")).to_contain_text("1")
    await v.page.get_by_role("button", name="Apply").click()
    await expect(v.page.locator("penny-waiting .chip")).to_have_text("Applied")
    await expect(v.page.get_by_role("tab", name="Waiting")).to_have_text("Waiting")


async def test_changes_are_undone_from_the_history(penny, panel):
    """Each change says what was asked, and Undo marks it."""
    proposal = penny.propose(usd(1), usd(2), text="Set it.", status="applied")
    v = await panel("Changes")
    await expect(v.page.locator(".changes li")).to_contain_text("You asked: “Set dining to 250”")
    await v.page.get_by_role("button", name="Undo: Set it.").click()
    await expect(v.page.locator(".changes .chip")).to_have_text("Undone")
    assert penny.undone == [f"journal-{proposal['id']}"]


async def test_memory_is_added_corrected_and_forgotten(penny, panel):
    """What Penny remembers is the user's to change."""
    v = await panel("Memory")
    rows = v.page.locator(".facts li")
    await expect(rows).to_have_text("Salary comes on the 25th.")
    await v.page.get_by_label("Something to remember").fill("Two children")
    await v.page.get_by_role("button", name="Remember").click()
    await expect(rows).to_have_text(["Salary comes on the 25th.", "Two children"])
    await v.page.get_by_role("button", name="Edit: Two children").click()
    await v.page.get_by_role("textbox", name="Edit").fill("Three children")
    await v.page.keyboard.press("Enter")
    await expect(rows.nth(1)).to_have_text("Three children")
    await v.page.get_by_role("button", name="Forget: Salary comes on the 25th.").click()
    await expect(rows).to_have_text(["Three children"])


async def test_a_file_is_looked_at_before_it_is_imported_and_can_be_undone(penny, panel):
    """Choosing a file shows what would happen; nothing is imported before the button; Undo takes it back."""
    v = await panel("Import")
    file = {"name": "bank.csv", "mimeType": "text/csv", "buffer": b"date,amount\n"}
    await v.page.locator("input[type=file]").set_input_files(file)
    await expect(v.page.get_by_role("heading", name="3 new transactions")).to_be_visible()
    await expect(v.page.locator(".counts li")).to_have_text(
        ["2 were there already", "1 gets a category", "Dates are day first."]
    )
    assert penny.imports == [("bank.csv", True)]
    await v.page.get_by_role("button", name="Import 3 transactions").click()
    await expect(v.page.get_by_role("heading", name="3 transactions imported")).to_be_visible()
    assert penny.imports == [("bank.csv", True), ("bank.csv", False)]
    await v.page.get_by_role("button", name="Undo").click()
    await expect(v.page.get_by_text("Undone")).to_be_visible()
    assert penny.undone == ["journal-import"]


async def test_a_file_dropped_anywhere_opens_the_import(penny, visit):
    """Dropping on the conversation shows the same preview."""
    v = await visit()
    await expect(v.field).to_be_visible()
    await v.page.evaluate("""() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["a"], "dropped.csv", { type: "text/csv" }));
        const target = document.querySelector("penny-chat").shadowRoot.querySelector(".scroll");
        for (const type of ["dragover", "drop"]) {
            target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
        }
    }""")
    await expect(v.page.get_by_role("heading", name="3 new transactions")).to_be_visible()
    assert penny.imports == [("dropped.csv", True)]


async def test_rows_that_cannot_be_taken_are_named(penny, panel):
    """The server's reason and the lines it names are shown, and nothing can be imported."""
    rows = [{"line": 3, "message": "The date is missing."}]
    penny.import_refusal = {"code": "rows_refused", "detail": "Some rows cannot be taken.", "rows": rows}
    v = await panel("Import")
    file = {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"x"}
    await v.page.locator("input[type=file]").set_input_files(file)
    await expect(v.page.get_by_role("alert")).to_contain_text("Some rows cannot be taken.")
    await expect(v.page.get_by_role("alert")).to_contain_text("Line 3: The date is missing.")
    await expect(v.page.get_by_role("button", name="Import")).to_have_count(0)


async def test_on_a_wide_screen_the_panel_stands_beside_the_conversation(penny, panel):
    """The conversation stays in reach there, and is covered on a narrow one."""
    v = await panel("Budgets", width=1200)
    await expect(v.field).to_be_editable()
    narrow = await panel("Budgets", width=390)
    assert await narrow.page.locator(".main").get_attribute("inert") is not None


async def test_a_chat_is_linked_by_a_code_and_unlinked(penny, panel):
    """The text to send is shown, counted down and copied; when it was sent there, the chat is in the list; each of two
    chats is unlinked alone."""
    penny.link("slack", "T1:U1")
    v = await panel("Apps")
    await v.page.get_by_role("button", name="Link Telegram").click()
    await expect(v.page.locator(".code-text code")).to_have_text("link K7Q2M9AB")
    await expect(v.page.get_by_role("timer")).to_contain_text("14:")
    penny.link("telegram", "77")
    rows = v.page.locator("penny-links li")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("Telegram 77")
    await expect(rows.nth(1)).to_contain_text("Nov 20")
    await expect(v.page.get_by_text("Telegram is linked.")).to_be_visible()
    await expect(v.page.locator(".code")).to_have_count(0)
    await v.page.get_by_role("button", name="Unlink: Slack T1:U1").click()
    await expect(rows).to_have_count(1)
    assert [one["channel"] for one in penny.links] == ["telegram"]


async def test_a_code_that_is_over_says_so(penny, panel):
    """It is taken away, so that nobody types it in vain."""
    penny.code_seconds = 2.0
    v = await panel("Apps")
    await v.page.get_by_role("button", name="Link Slack").click()
    await expect(v.page.get_by_text("That code is over.")).to_be_visible()
    await expect(v.page.locator(".code")).to_have_count(0)


async def test_without_messaging_apps_the_panel_says_so(penny, panel):
    """A service without channels has nothing to link."""
    penny.channels = []
    v = await panel("Apps")
    await expect(v.page.get_by_text("Penny is not set up for messaging apps here.")).to_be_visible()
