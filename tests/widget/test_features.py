"""What the widget adds around a conversation: editing, copying, other tabs, languages, modes, verified figures."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

FACT = {"id": "f1", "label": "spent on Groceries in October 2026", "value": "412.30", "unit": "USD"}
FINISHED = {"call_id": "c1", "name": "get_spending", "ok": True, "summary": "You spent $412.30.", "facts": [FACT]}
STARTED = {"call_id": "c1", "name": "get_spending", "label": "Looking at Groceries in October", "args": {}}
FLOATING = (
    "<penny-chat token-url='/penny-token' mode='floating'></penny-chat><script src='/widget.js'></script><p>Host</p>"
)


async def test_a_message_is_edited_and_sent_again(penny, visit):
    """Editing puts the words back into the field; sending names the message, and what followed it is replaced."""
    for text in ("First.", "Second.", "Better."):
        penny.script(("run.finished", {"text": text}))
    v = await visit()
    await v.say("One")
    await expect(v.page.locator(".reply .text")).to_have_text("First.")
    await v.say("Two")
    await expect(v.page.locator(".reply .text")).to_have_text(["First.", "Second."])
    await v.page.get_by_role("button", name="Edit").first.click()
    await expect(v.field).to_be_focused()
    await expect(v.field).to_have_value("One")
    other = await visit(beside=v)
    await expect(other.page.locator(".question > p")).to_have_text(["One", "Two"])
    await v.say("Uno")
    await expect(v.page.locator(".question > p")).to_have_text(["Uno"])
    await expect(other.page.locator(".reply .text")).to_have_text(["Better."])
    await expect(v.page.locator(".reply .text")).to_have_text(["Better."])
    first = penny.posts[0]
    assert penny.posts[2]["edit_of"]
    assert "edit_of" not in first
    await v.page.reload()
    await expect(v.page.locator(".question > p")).to_have_text(["Uno"])


async def test_editing_can_be_given_up(penny, visit):
    """Escape leaves the conversation as it is."""
    penny.script(("run.finished", {"text": "First."}))
    v = await visit()
    await v.say("One")
    await v.page.get_by_role("button", name="Edit").click()
    await v.page.keyboard.press("Escape")
    await expect(v.field).to_have_value("")
    await expect(v.page.locator(".question > p")).to_have_text(["One"])


async def test_a_reply_is_copied(penny, visit):
    """Copy puts the reply's own text on the clipboard and says so."""
    penny.script(("run.finished", {"text": "**412** exactly"}))
    v = await visit(permissions=["clipboard-read", "clipboard-write"])
    await v.say("?")
    await v.page.get_by_role("button", name="Copy").click()
    await expect(v.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await v.page.evaluate("navigator.clipboard.readText()") == "**412** exactly"


async def test_figures_show_what_they_stand_on(penny, visit):
    """A verified figure opens its fact and tool; an unverified one looks different and warns."""
    text = "😀 You spent **$412.30**, or $9,999.00."
    figures = [
        {"start": 14, "end": 21, "text": "$412.30", "fact_id": "f1", "verified": True},
        {"start": 28, "end": 37, "text": "$9,999.00", "fact_id": None, "verified": False},
    ]
    penny.script(
        ("tool.started", STARTED),
        ("tool.finished", FINISHED),
        ("text.delta", {"text": text}),
        ("grounding", {"figures": figures}),
        ("run.finished", {"text": text}),
    )
    v = await visit()
    await v.say("?")
    await expect(v.page.locator(".reply .text strong .figure")).to_contain_text("$412.30")
    await v.page.get_by_role("button", name="$412.30 (Checked figure)").click()
    pop = v.page.get_by_role("dialog", name="Checked figure", exact=True)
    await expect(pop).to_contain_text("spent on Groceries in October 2026")
    await expect(pop).to_contain_text("Found by: Looking at Groceries in October")
    await v.page.keyboard.press("Escape")
    await v.page.get_by_role("button", name="$9,999.00 (Unchecked figure)").hover()
    await expect(v.page.get_by_role("dialog", name="Unchecked figure")).to_contain_text("backs this figure")
    await expect(v.page.get_by_text("1 figure could not be checked")).to_be_visible()


async def test_figures_are_marked_after_a_reload_too(penny, visit):
    """The history's figures are those of the run."""
    penny.script(("run.finished", {"text": "It is $5.00."}))
    v = await visit()
    await v.say("?")
    await expect(v.page.locator(".reply .text")).to_have_text("It is $5.00.")
    (items,) = penny.messages.values()
    items[-1]["figures"] = [{"start": 6, "end": 11, "text": "$5.00", "verified": False}]
    await v.page.reload()
    await expect(v.page.locator(".figure.unverified")).to_contain_text("$5.00")


async def test_another_tab_sees_the_conversation_as_it_happens(penny, visit):
    """A message sent in one tab appears in the other with its reply, streamed, and a decision shows in both."""
    rest = asyncio.Event()
    proposal = penny.propose({"minor": 30000, "currency": "USD"}, {"minor": 25000, "currency": "USD"})
    penny.script(("run.finished", {"text": "First."}))
    penny.script(
        ("text.delta", {"text": "Half "}),
        rest,
        ("proposal", {"call_id": "c", **proposal}),
        ("run.finished", {"text": "Half and whole."}),
    )
    one = await visit()
    await one.say("One")
    await expect(one.page.locator(".reply .text")).to_have_text("First.")
    two = await visit(beside=one)
    await expect(two.page.locator(".reply .text")).to_have_text("First.")
    await two.say("Two")
    await expect(one.page.locator(".question > p")).to_have_text(["One", "Two"])
    await expect(one.page.locator(".reply .text")).to_have_text(["First.", "Half"])
    rest.set()
    await expect(one.page.locator(".reply .text")).to_have_text(["First.", "Half and whole."])
    await two.page.get_by_role("button", name="Apply").click()
    await expect(two.page.locator(".card .chip")).to_have_text("Applied")
    session = next(iter(penny.sessions))
    penny.tell(session, "proposal.decided", {"proposal_id": proposal["id"], "status": "applied", "text": ""})
    await expect(one.page.locator(".card .chip")).to_have_text("Applied")
    assert len(penny.posts) == 2


async def test_offline_is_said_and_passes(penny, visit):
    """Without a network the widget says so; with it back the line goes and a message is answered."""
    penny.script(("run.finished", {"text": "Back."}))
    v = await visit()
    await expect(v.field).to_be_visible()
    await v.context.set_offline(True)
    await expect(v.page.get_by_text("You are offline.")).to_be_visible()
    await v.context.set_offline(False)
    await expect(v.page.get_by_text("You are offline.")).to_be_hidden()
    await v.say("Hello")
    await expect(v.page.locator(".reply .text")).to_have_text("Back.")


async def test_the_launcher_opens_closes_and_counts_what_is_unread(penny, visit):
    """The floating chat takes and gives back the focus, and a reply that ends while it is closed is counted."""
    penny.body = FLOATING
    rest = asyncio.Event()
    penny.script(("text.delta", {"text": "Wait "}), rest, ("run.finished", {"text": "Wait, here."}))
    v = await visit()
    launcher = v.page.get_by_role("button", name="Open the chat with Penny")
    await launcher.press("Enter")
    await expect(v.page.get_by_role("dialog", name="Penny")).to_be_visible()
    await expect(v.field).to_be_focused()
    await v.say("Hello")
    await expect(v.page.locator(".reply .text")).to_have_text("Wait")
    await v.page.get_by_role("dialog", name="Penny").get_by_role("button", name="Close").click()
    await expect(launcher).to_be_focused()
    rest.set()
    await expect(v.page.locator(".unread")).to_have_text("1")
    await v.page.get_by_role("button", name="Open the chat with Penny, 1 new message").click()
    await expect(v.page.locator(".reply .text")).to_have_text("Wait, here.")
    await expect(v.page.locator(".unread")).to_have_count(0)
    await v.page.keyboard.press("Escape")
    await expect(v.page.get_by_role("dialog", name="Penny")).to_have_count(0)


async def test_the_host_page_is_told(penny, visit):
    """Listeners hear what was said, the reply, decisions and what is unread, until they stop."""
    proposal = penny.propose({"minor": 1, "currency": "USD"}, {"minor": 2, "currency": "USD"})
    penny.script(("proposal", {"call_id": "c", **proposal}), ("run.finished", {"text": "Shall I?"}))
    penny.script(("run.finished", {"text": "Again."}))
    v = await visit()
    await v.page.evaluate("""() => {
        const chat = document.querySelector("penny-chat");
        window.heard = [];
        const ends = ["message", "reply", "decision"].map((name) => chat.on(name, (d) => heard.push([name, d])));
        window.end = () => ends.forEach((one) => one());
        return chat.send("  Set it ");
    }""")
    await v.page.get_by_role("button", name="Apply").click()
    await expect(v.page.locator(".chip")).to_have_text("Applied")
    heard = await v.page.evaluate("heard")
    assert [name for name, _ in heard] == ["message", "reply", "decision"]
    assert heard[0][1] == {"text": "Set it"}
    assert (heard[1][1]["text"], heard[1][1]["status"], heard[1][1]["proposals"]) == (
        "Shall I?",
        "done",
        [proposal["id"]],
    )
    assert heard[2][1] == {"id": proposal["id"], "status": "applied"}
    await v.page.evaluate("end()")
    await v.say("Once more")
    await expect(v.page.locator(".reply .text").nth(1)).to_have_text("Again.")
    assert len(await v.page.evaluate("heard")) == 3


async def test_german_words_money_and_dates(penny, visit):
    """lang decides the words, and how money and times are written."""
    penny.body = penny.body.replace("mode='page'", "mode='page' lang='de'")
    proposal = penny.propose({"minor": 123456, "currency": "EUR"}, {"minor": 25000, "currency": "EUR"})
    penny.script(
        ("tool.finished", FINISHED), ("proposal", {"call_id": "c", **proposal}), ("run.finished", {"text": "Ja."})
    )
    v = await visit()
    await v.page.get_by_role("textbox", name="Nachricht an Penny").fill("Hallo")
    await v.page.keyboard.press("Enter")
    await expect(v.page.locator(".card del")).to_contain_text("1.234,56")
    await expect(v.page.get_by_role("button", name="Anwenden")).to_be_visible()
    await expect(v.page.locator(".card time")).to_contain_text("Läuft in 24 Stunden ab")


async def test_right_to_left_mirrors_the_widget(penny, visit):
    """In Arabic the user's words stand on the left, and nothing is wider than the screen."""
    penny.body = penny.body.replace("mode='page'", "mode='page' lang='ar'")
    points = [["Groceries", 20], ["Rent", 40]]
    chart = {"call_id": "c", "kind": "bar", "title": "T", "unit": "USD", "series": [{"name": "s", "points": points}]}
    penny.script(("chart", chart), ("run.finished", {"text": "مرحبا"}))
    v = await visit(width=390)
    await v.page.get_by_role("textbox", name="رسالة إلى بيني").fill("كم أنفقت؟")
    await v.page.keyboard.press("Enter")
    await expect(v.page.locator(".reply .text")).to_have_text("مرحبا")
    box = await v.page.locator(".question > p").bounding_box()
    assert box["x"] < 60
    widths = await v.page.locator(".canvas svg rect.colour-0").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().right)"
    )
    assert widths[0] == pytest.approx(widths[1], abs=1), "bars start at the right"
    assert await v.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_chats_are_renamed_and_deleted(penny, visit):
    """Both from the list; deleting asks first, and the open chat goes with it."""
    penny.script(("run.finished", {"text": "Answer."}))
    v = await visit()
    await v.say("Old question")
    await expect(v.page.locator(".reply .text")).to_have_text("Answer.")
    await v.page.get_by_role("button", name="Your chats").click()
    await v.page.get_by_role("button", name="Rename: Old question").click()
    await v.page.get_by_role("textbox", name="Rename").fill("Groceries")
    await v.page.keyboard.press("Enter")
    await v.page.get_by_role("button", name="Delete chat: Groceries").click()
    await v.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(v.page.get_by_text("No chats yet.")).to_be_visible()
    assert penny.sessions == {}
    await expect(v.page.locator(".question")).to_have_count(0)


async def test_a_refused_sign_in_is_said_plainly(penny, visit):
    """Without a token nothing is sent, and the user is told to sign in."""
    penny.body = "<penny-chat mode='page'></penny-chat><script src='/widget.js'></script>"
    v = await visit()
    await v.say("Hello")
    await expect(v.page.get_by_role("alert")).to_contain_text("sign in again")
    assert penny.posts == []


async def test_several_proposals_are_decided_one_by_one(penny, visit):
    """Each card of a reply has its own outcome."""
    made = [penny.propose(None, {"minor": n, "currency": "USD"}, text=f"Change {n}.") for n in (1, 2, 3)]
    penny.script(*[("proposal", {"call_id": "c", **p}) for p in made], ("run.finished", {"text": "Three."}))
    v = await visit()
    await v.say("Three")
    cards = v.page.locator(".card")
    await cards.nth(1).get_by_role("button", name="Apply").click()
    await cards.nth(2).get_by_role("button", name="Reject").click()
    await expect(cards.locator(".chip")).to_have_text(["Waiting for you", "Applied", "Rejected"])
    assert [c["id"] for c in penny.confirms] == [made[1]["id"]]
