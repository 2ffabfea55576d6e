"""A conversation on the page: streaming, progress, stopping, and connections that break."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

SCROLL = "document.querySelector('penny-chat').shadowRoot.querySelector('.scroll')"

FINISHED = {
    "call_id": "c1",
    "name": "get_spending",
    "ok": True,
    "summary": "You spent $412.30 on Groceries in October 2026.",
    "facts": [{"id": "f1", "label": "spent on Groceries in October 2026", "value": "412.30", "unit": "USD"}],
}
STARTED = {"call_id": "c1", "name": "get_spending", "label": "Looking at Groceries in October", "args": {}}


async def test_text_appears_while_the_run_goes_on(penny, visit):
    """A reply is readable before it is finished, whatever the cut of its bytes, and umlauts survive the cut."""
    rest = asyncio.Event()
    penny.chunk = 1
    penny.script(
        ("text.delta", {"text": "Für **Groceries** you "}),
        rest,
        ("text.delta", {"text": "spent 412 €."}),
        ("run.finished", {"text": "Für **Groceries** you spent 412 €."}),
    )
    v = await visit()
    await v.say("How much?")
    reply = v.page.get_by_role("article", name="Penny")
    await expect(reply.locator(".text")).to_have_text("Für Groceries you")
    await expect(reply).to_have_attribute("aria-busy", "true")
    rest.set()
    await expect(reply.locator(".text")).to_have_text("Für Groceries you spent 412 €.")
    await expect(reply).to_have_attribute("aria-busy", "false")
    assert await reply.locator("strong").inner_text() == "Groceries"


async def test_a_tool_call_is_told_in_words_and_its_figures_can_be_seen(penny, visit):
    """While a tool works its label stands there; afterwards it opens to the summary and the facts as money."""
    found = asyncio.Event()
    penny.script(
        ("tool.started", STARTED), found, ("tool.finished", FINISHED), ("run.finished", {"text": FINISHED["summary"]})
    )
    v = await visit()
    await v.say("Groceries?")
    await expect(v.page.get_by_text("Looking at Groceries in October…")).to_be_visible()
    found.set()
    step = v.page.locator(".steps details")
    await expect(v.page.locator(".steps .done")).to_be_visible()
    await step.locator("summary").click()
    await expect(step.get_by_role("row", name="spent on Groceries in October 2026")).to_contain_text("$412.30")


async def test_a_cut_stream_goes_on_after_the_last_event_seen(penny, visit):
    """Connections cut in the middle of a reply cost no character: each new one asks for what comes after the last
    event seen."""
    go_on = [asyncio.Event() for _ in range(3)]
    steps = [
        (("text.delta", {"text": f"word{n} "}), ("text.delta", {"text": "and "}), go) for n, go in enumerate(go_on)
    ]
    text = "word0 and word1 and word2 and the end."
    penny.script(*[step for group in steps for step in group], ("run.finished", {"text": text}))
    v = await visit()
    await v.say("Go")
    for n, go in enumerate(go_on):
        await expect(v.page.locator(".reply .text")).to_contain_text(f"word{n} and")
        penny.cut()
        go.set()
    await expect(v.page.locator(".reply .text")).to_have_text(text)
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    assert len(penny.posts) == 1
    assert [after for _, after in penny.reads] == [3, 5, 7]


async def test_connections_that_break_anywhere_lose_nothing(penny, visit):
    """Cut at arbitrary bytes, with data still under way, the reply is whole all the same."""
    words = [f"word{n} " for n in range(40)]
    penny.cut_after = [3, 9, 1, 5]
    penny.script(*[("text.delta", {"text": word}) for word in words], ("run.finished", {"text": "".join(words)}))
    v = await visit()
    await v.say("Go")
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false", timeout=15_000)
    await expect(v.page.locator(".reply .text")).to_have_text("".join(words).strip())
    assert len(penny.posts) == 1
    assert len(penny.reads) == 4


async def test_a_message_whose_answer_never_came_is_sent_again_under_the_same_name(penny, visit):
    """A 503 on the message is tried again with the same client_id, so the service makes one run of it."""
    penny.refusals = [(503, {"code": "unavailable", "detail": "Busy."})]
    penny.script(("run.finished", {"text": "Here."}))
    v = await visit()
    await v.say("Hello")
    await expect(v.page.locator(".reply .text")).to_have_text("Here.")
    assert len(penny.posts) == 2
    assert len({post["client_id"] for post in penny.posts}) == 1


async def test_withdrawn_text_goes(penny, visit):
    """text.retracted counts Unicode code points, and what follows joins what was kept."""
    looked = asyncio.Event()
    penny.script(
        ("text.delta", {"text": "😀 about 9,999"}),
        looked,
        ("text.retracted", {"keep": 8}),
        ("text.delta", {"text": "412"}),
        ("run.finished", {"text": "😀 about 412"}),
    )
    v = await visit()
    await v.say("Hm")
    await expect(v.page.locator(".reply .text")).to_have_text("😀 about 9,999")
    looked.set()
    await expect(v.page.locator(".reply .text")).to_have_text("😀 about 412")


async def test_the_last_event_has_the_last_word(penny, visit):
    """run.finished's text replaces what was streamed when the two differ."""
    penny.script(("text.delta", {"text": "draft"}), ("run.finished", {"text": "final"}))
    v = await visit()
    await v.say("Hm")
    await expect(v.page.locator(".reply .text")).to_have_text("final")


async def test_a_reload_takes_the_running_reply_up_again(penny, visit):
    """After a reload the history stands there and the reply that was under way goes on to its end."""
    rest = asyncio.Event()
    penny.script(("run.finished", {"text": "First answer."}))
    penny.script(("text.delta", {"text": "Second "}), rest, ("run.finished", {"text": "Second answer."}))
    v = await visit()
    await v.say("One")
    await expect(v.page.locator(".reply .text")).to_have_text("First answer.")
    await v.say("Two")
    await expect(v.page.locator(".reply .text").nth(1)).to_have_text("Second")
    await v.page.reload()
    await expect(v.page.locator(".question > p")).to_have_text(["One", "Two"])
    await expect(v.page.locator(".reply .text")).to_have_text(["First answer.", "Second"])
    rest.set()
    await expect(v.page.locator(".reply .text").nth(1)).to_have_text("Second answer.")
    assert len(penny.posts) == 2


async def test_escape_stops_the_reply(penny, visit):
    """Escape asks the service to cancel; the text so far stays and is marked as stopped."""
    penny.script(("text.delta", {"text": "A long "}), asyncio.Event())
    v = await visit()
    await v.say("Tell me all")
    await expect(v.page.locator(".reply .text")).to_have_text("A long")
    await v.page.keyboard.press("Escape")
    await expect(v.page.get_by_text("Stopped.")).to_be_visible()
    await expect(v.page.locator(".reply .text")).to_have_text("A long")
    await expect(v.page.get_by_role("button", name="Send")).to_be_visible()


async def test_a_failed_reply_says_why_and_can_be_tried_again(penny, visit):
    """run.failed shows its message; trying again has the same run made again, and the new reply takes its place."""
    failure = {"code": "model_unavailable", "message": "The model did not answer.", "retryable": True}
    penny.script(("text.delta", {"text": "Well"}), ("run.failed", failure))
    penny.script(("run.finished", {"text": "Now it works."}))
    v = await visit()
    await v.say("Hello")
    await expect(v.page.get_by_role("alert")).to_have_text("The model did not answer.")
    await v.page.get_by_role("button", name="Try again").click()
    await expect(v.page.locator(".reply .text")).to_have_text("Now it works.")
    await expect(v.page.locator(".question > p")).to_have_text("Hello")
    assert [post["text"] for post in penny.posts] == ["Hello"]
    assert penny.retries == [penny.posts[0]["client_id"]]


async def test_trying_again_can_fail_and_be_tried_again(penny, visit):
    """A refused retry says why on the reply, which still knows the run that is to be made again."""
    failure = {"code": "model_unavailable", "message": "The model did not answer.", "retryable": True}
    penny.script(("run.failed", failure))
    penny.script(("run.finished", {"text": "Now it works."}))
    v = await visit()
    await v.say("Hello")
    await expect(v.page.get_by_role("alert")).to_have_text("The model did not answer.")
    penny.refusals.append((503, {"code": "draining", "detail": "This server is stopping."}))
    await v.page.get_by_role("button", name="Try again").click()
    await expect(v.page.get_by_role("alert")).to_have_text("This server is stopping.")
    await v.page.get_by_role("button", name="Try again").click()
    await expect(v.page.locator(".reply .text")).to_have_text("Now it works.")
    await expect(v.page.locator(".question > p")).to_have_text("Hello")
    assert penny.retries == [penny.posts[0]["client_id"]]


async def test_a_reply_that_failed_says_so_after_a_reload_too(penny, visit):
    """The history shows an unanswered message with the reason of its run."""
    failure = {"code": "model_unavailable", "message": "The model did not answer.", "retryable": True}
    penny.script(("run.failed", failure))
    v = await visit()
    await v.say("Hello")
    await expect(v.page.get_by_role("alert")).to_be_visible()
    await v.page.reload()
    await expect(v.page.locator(".question > p")).to_have_text("Hello")
    await expect(v.page.get_by_role("alert")).to_have_text("The model did not answer.")


async def test_the_end_stays_in_sight_until_the_reader_goes_up(penny, visit):
    """Growing text and late charts keep the end visible; who scrolls up is left there, with a button back."""
    more = asyncio.Event()
    points = [[f"category {n}", n] for n in range(20)]
    chart = {"call_id": "c", "kind": "bar", "title": "T", "unit": "USD", "series": [{"name": "s", "points": points}]}
    long = "A line.\n\n" * 30
    penny.script(("text.delta", {"text": long}), ("chart", chart), more, ("run.finished", {"text": long * 2}))
    v = await visit()
    await v.say("Go")
    await expect(v.page.locator(".canvas svg")).to_be_visible()
    below = f"(() => {{ const m = {SCROLL}; return m.scrollHeight - m.scrollTop - m.clientHeight; }})()"
    await v.page.wait_for_function(f"{below} < 2")
    await v.page.locator(".scroll").hover()
    await v.page.mouse.wheel(0, -600)
    await expect(v.page.get_by_role("button", name="Latest")).to_be_visible()
    top = await v.page.evaluate(f"{SCROLL}.scrollTop")
    more.set()
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    assert await v.page.evaluate(f"{SCROLL}.scrollTop") == top
    await v.page.get_by_role("button", name="Latest").click()
    await v.page.wait_for_function(f"{below} < 2")


async def test_chats_are_listed_and_opened_again(penny, visit):
    """New chat starts empty; the drawer lists the old one by its title and opens it with its history."""
    penny.script(("tool.finished", FINISHED), ("run.finished", {"text": "Old answer."}))
    v = await visit()
    await v.say("Old question")
    await expect(v.page.locator(".reply .text")).to_have_text("Old answer.")
    await v.page.get_by_role("button", name="New chat").click()
    await expect(v.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    await expect(v.page.locator(".question")).to_have_count(0)
    await v.page.get_by_role("button", name="Your chats").click()
    await v.page.get_by_role("dialog").get_by_role("button", name="Old question just now").click()
    await expect(v.page.locator(".reply .text")).to_have_text("Old answer.")
    await expect(v.page.locator(".steps summary")).to_contain_text("Looked")


async def test_a_session_that_is_gone_gives_an_empty_chat(penny, visit):
    """A remembered session that the service no longer knows is forgotten without a complaint."""
    v = await visit()
    await expect(v.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    await v.page.evaluate("localStorage.setItem('penny.session@', 'gone')")
    await v.page.reload()
    await expect(v.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert await v.page.evaluate("localStorage.getItem('penny.session@')") is None


async def test_the_small_model_is_labelled_and_its_warm_up_told(penny, visit):
    """The badge says which model answers; the warm-up line goes when the model is ready."""
    penny.model |= {"status": "loading"}
    v = await visit()
    await expect(v.page.get_by_text("Small offline model")).to_be_visible()
    await expect(v.page.locator(".status")).to_contain_text("warming up")
    penny.model |= {"status": "ready"}
    await expect(v.page.get_by_text("warming up")).to_be_hidden()


async def test_the_keyboard_alone_is_enough(penny, visit):
    """Shift+Enter makes a line, Enter sends, Tab reaches Apply, Enter applies, and focus is never lost."""
    proposal = penny.propose({"minor": 30000, "currency": "USD"}, {"minor": 25000, "currency": "USD"})
    penny.script(("proposal", {"call_id": "c1", **proposal}), ("run.finished", {"text": "Shall I?"}))
    v = await visit()
    await v.field.focus()
    await v.page.keyboard.type("Set dining")
    await v.page.keyboard.press("Shift+Enter")
    await v.page.keyboard.type("to 250")
    await v.page.keyboard.press("Enter")
    await expect(v.page.get_by_role("button", name="Apply")).to_be_visible()
    await expect(v.field).to_be_focused()
    assert penny.posts[0]["text"] == "Set dining\nto 250"
    for _ in range(10):
        await v.page.keyboard.press("Shift+Tab")
        if await v.page.evaluate("document.activeElement.shadowRoot?.activeElement?.textContent") == "Apply":
            break
    await v.page.keyboard.press("Enter")
    await expect(v.page.get_by_role("button", name="Undo")).to_be_focused()
    assert len(penny.confirms) == 1


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
async def test_nothing_is_wider_than_the_screen(penny, visit, width):
    """Long words, tables, charts, code and cards keep within the screen's width, from a small phone up."""
    wide = "| " + " | ".join(f"column {n}" for n in range(14)) + " |\n|" + "---|" * 14 + "\n| " + "1234567 | " * 14
    text = f"{'x' * 300}\n\n{wide}\n\n```\n{'code ' * 80}\n```"
    chart = {
        "call_id": "c",
        "kind": "bar",
        "title": "Spending",
        "unit": "USD",
        "series": [{"name": "October", "points": [["A very long category name indeed", 1234567.89], ["B", 3]]}],
    }
    proposal = penny.propose("M" * 200, {"minor": 25000, "currency": "USD"}, text="W" * 300)
    penny.script(
        ("tool.finished", FINISHED | {"summary": "y" * 300}),
        ("chart", chart),
        ("chart", chart | {"kind": "line"}),
        ("chart", chart | {"kind": "donut"}),
        ("proposal", {"call_id": "c", **proposal}),
        ("run.finished", {"text": text}),
    )
    v = await visit(width=width, height=700)
    await v.say("z" * 300)
    await expect(v.page.get_by_role("button", name="Apply")).to_be_visible()
    await expect(v.page.locator(".canvas svg").first).to_be_attached()
    widest = await v.page.evaluate(
        f"Math.max(...[document.documentElement, {SCROLL}].map((e) => e.scrollWidth - e.clientWidth))"
    )
    assert widest <= 0
