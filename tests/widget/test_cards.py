"""Confirm cards: what a proposal would change, and a decision that is sent once."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

BEFORE = {"minor": 30000, "currency": "USD"}
AFTER = {"minor": 25000, "currency": "USD"}


async def card_for(penny, visit, proposal):
    """Asks for a change and gives the visit and the card that comes."""
    penny.script(("proposal", {"call_id": "c1", **proposal}), ("run.finished", {"text": "Please confirm."}))
    v = await visit()
    await v.say("Set dining to 250")
    card = v.page.locator(".card").first
    await expect(card).to_be_visible()
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    return v, card


async def test_a_card_shows_the_change_from_and_to(penny, visit):
    """Text, field, before and after as money, and the expiry are on the card."""
    _, card = await card_for(penny, visit, penny.propose(BEFORE, AFTER))
    await expect(card.locator("del")).to_contain_text("$300.00")
    await expect(card.locator("ins")).to_contain_text("$250.00")
    await expect(card).to_contain_text("Set the Dining budget for November 2026 to $250.00.")
    await expect(card).to_contain_text("Expires in 24 hours")


async def test_a_double_click_applies_once(penny, visit):
    """Two clicks in a row send one confirmation, with the proposal's hash, and the card says Applied."""
    proposal = penny.propose(BEFORE, AFTER)
    v, card = await card_for(penny, visit, proposal)
    await card.get_by_role("button", name="Apply").dblclick()
    await expect(card.locator(".chip")).to_have_text("Applied")
    await expect(card.get_by_role("button", name="Apply")).to_have_count(0)
    assert penny.confirms == [{"id": proposal["id"], "hash": proposal["hash"]}]
    assert sum(url.endswith("/confirm") for url in v.requests) == 1
    assert penny.undone == []


async def test_a_rejected_card_has_no_more_buttons(penny, visit):
    """Rejecting says so and leaves nothing to press."""
    _, card = await card_for(penny, visit, penny.propose(BEFORE, AFTER))
    await card.get_by_role("button", name="Reject").click()
    await expect(card.locator(".chip")).to_have_text("Rejected")
    await expect(card.get_by_role("button")).to_have_count(0)
    assert penny.confirms == []


async def test_a_stale_card_shows_the_difference_as_it_is_now(penny, visit):
    """A 409 with a new proposal replaces the card's content; applying then confirms the new one."""
    old = penny.propose(BEFORE, AFTER)
    fresh = penny.propose({"minor": 31000, "currency": "USD"}, AFTER)
    penny.refusals = []
    _, card = await card_for(penny, visit, old)
    penny.refusals = [(409, {"code": "proposal_stale", "detail": "Changed.", "proposal": fresh})]
    await card.get_by_role("button", name="Apply").click()
    await expect(card.locator("del")).to_contain_text("$310.00")
    await expect(card.get_by_role("status")).to_contain_text("nothing was written")
    await card.get_by_role("button", name="Apply").click()
    await expect(card.locator(".chip")).to_have_text("Applied")
    assert [c["id"] for c in penny.confirms] == [old["id"], fresh["id"]]


async def test_an_expired_card_says_so(penny, visit):
    """A 409 without a new proposal shows the reason and what became of the old one."""
    proposal = penny.propose(BEFORE, AFTER)
    _, card = await card_for(penny, visit, dict(proposal))
    proposal["status"] = "expired"
    penny.refusals = [(409, {"code": "proposal_expired", "detail": "This proposal has expired; ask again."})]
    await card.get_by_role("button", name="Apply").click()
    await expect(card.locator(".chip")).to_have_text("Expired")
    await expect(card.get_by_role("status")).to_have_text("This proposal has expired; ask again.")
    await expect(card.get_by_role("button")).to_have_count(0)


async def test_undo_takes_an_applied_change_back_once(penny, visit):
    """Undo sends the journal entry's undo once, and the card says Undone."""
    proposal = penny.propose(BEFORE, AFTER)
    _, card = await card_for(penny, visit, proposal)
    await card.get_by_role("button", name="Apply").click()
    await card.get_by_role("button", name="Undo").dblclick()
    await expect(card.locator(".chip")).to_have_text("Undone")
    await expect(card.get_by_role("button")).to_have_count(0)
    assert penny.undone == [f"journal-{proposal['id']}"]
    assert len(penny.confirms) == 1


async def test_a_change_applied_earlier_can_be_undone(penny, visit):
    """The journal entry of such a card is learnt from the service, and that it is undone shows after a reload too."""
    proposal = penny.propose(BEFORE, AFTER, status="applied")
    v, card = await card_for(penny, visit, proposal)
    await card.get_by_role("button", name="Undo").click()
    await expect(card.locator(".chip")).to_have_text("Undone")
    assert penny.undone == [f"journal-{proposal['id']}"]
    await v.page.reload()
    await expect(card.locator(".chip")).to_have_text("Undone")
    await expect(card.get_by_role("button")).to_have_count(0)


async def test_a_new_thing_is_shown_field_by_field(penny, visit):
    """A proposal that adds something names it once and lists its values without a from."""
    what = "New transaction: Lunch, Nov 3"
    fields = {"amount": {"minor": -1250, "currency": "USD"}, "date": "2026-11-03", "merchant": "Lunch"}
    diff = [{"what": what, "field": name, "before": None, "after": value} for name, value in fields.items()]
    _, card = await card_for(penny, visit, penny.propose(None, None, diff=diff))
    await expect(card.get_by_text(what)).to_have_count(1)
    await expect(card.locator("ins")).to_have_text(["-$12.50", "Nov 3, 2026", "Lunch"])
    await expect(card.locator("del")).to_have_count(0)


async def test_a_card_is_there_after_a_reload_as_it_was_decided(penny, visit):
    """The history shows a pending card with its buttons, and an applied one with Undo."""
    v, card = await card_for(penny, visit, penny.propose(BEFORE, AFTER))
    await v.page.reload()
    await expect(card.get_by_role("button", name="Apply")).to_be_visible()
    await card.get_by_role("button", name="Apply").click()
    await expect(card.get_by_role("button", name="Undo")).to_be_visible()
    await v.page.reload()
    await expect(card.locator(".chip")).to_have_text("Applied")
    await expect(card.get_by_role("button", name="Undo")).to_be_visible()


async def test_what_the_user_did_not_say_is_marked(penny, visit):
    """The server's notice stands on the card while it waits, as text."""
    marked = penny.propose(BEFORE, AFTER) | {"notice": "Not in your own words: amount <b>$250.00</b>."}
    _, card = await card_for(penny, visit, marked)
    await expect(card.locator("[part=unsaid]")).to_have_text("Not in your own words: amount <b>$250.00</b>.")
    await card.get_by_role("button", name="Apply").click()
    await expect(card.locator("[part=unsaid]")).to_have_count(0)
