"""Messages unasked in the widget: their switches and quiet hours, and a notice that comes into an open conversation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

KEPT = os.environ.get("PENNY_SCREENSHOTS")
"""A folder for pictures to look at; none are taken without it."""


@pytest.fixture
def apps(penny, visit):
    """Opens the panel of messaging apps."""

    async def opened(**options):
        v = await visit(**options)
        await v.page.locator(".head .tool").nth(2).click()
        await v.page.get_by_role("tab").nth(4).click()
        await expect(v.page.locator(".notices")).to_be_visible()
        return v

    return opened


async def keep(v, name):
    """A picture, when they are wanted."""
    if KEPT:
        await v.page.locator(".notices").scroll_into_view_if_needed()
        await v.page.screenshot(path=Path(KEPT) / f"{name}.png")


async def test_a_kind_is_switched_by_key_and_saved_at_once(penny, apps):
    """Each is a switch with a name and a description; what was saved is told to screen readers."""
    v = await apps()
    budget = v.page.get_by_role("switch", name="Budget nearly spent")
    await expect(budget).to_have_accessible_description("At 90 % of a budget, and again when it is overspent.")
    await expect(budget).not_to_be_checked()
    await budget.press("Space")
    await expect(v.page.get_by_role("status").filter(has_text="Saved.")).to_be_attached()
    await expect(budget).to_be_checked()
    await expect(budget).to_be_focused()
    assert penny.preferences["budget_alerts"] is True
    assert penny.preferences["weekly_summary"] is True


async def test_quiet_hours_are_set_ended_and_begun_again(penny, apps):
    """Both times go together; without quiet hours there are none to set."""
    v = await apps()
    await v.page.get_by_label("From").fill("21:30")
    await v.page.get_by_label("From").blur()
    await expect(v.page.get_by_label("Until")).to_have_value("08:00")
    hours = v.page.get_by_role("switch", name="Quiet hours")
    await hours.uncheck()
    await expect(v.page.get_by_label("From")).to_have_count(0)
    assert (penny.preferences["quiet_from"], penny.preferences["quiet_until"]) == (None, None)
    await hours.check()
    await expect(v.page.get_by_label("From")).to_have_value("22:00")


async def test_quiet_hours_without_an_end_are_not_sent(penny, apps):
    """The same time twice is refused with words, and nothing changes."""
    v = await apps()
    await v.page.get_by_label("Until").fill("22:00")
    await v.page.get_by_label("Until").blur()
    await expect(v.page.get_by_role("alert")).to_have_text("Quiet hours need an end other than their start.")
    assert penny.preferences["quiet_until"] == "08:00"
    await v.page.get_by_label("Until").fill("07:00")
    await v.page.get_by_label("Until").blur()
    await expect(v.page.get_by_role("alert")).to_have_count(0)
    assert penny.preferences["quiet_until"] == "07:00"


async def test_the_time_zone_is_chosen_from_a_list_or_taken_from_the_browser(penny, apps):
    """The clock that the hours are on is in sight; the browser's is one tap away when it is another."""
    v = await apps(timezone_id="America/New_York")
    zone = v.page.get_by_label("Time zone")
    await expect(zone).to_have_value("Europe/Berlin")
    await zone.select_option("Asia/Tokyo")
    await expect(v.page.get_by_role("status").filter(has_text="Saved.")).to_be_attached()
    assert penny.preferences["time_zone"] == "Asia/Tokyo"
    await v.page.get_by_role("button", name="Use America/New York").click()
    await expect(zone).to_have_value("America/New_York")
    await expect(v.page.get_by_role("button", name="Use America/New York")).to_have_count(0)
    assert penny.preferences["time_zone"] == "America/New_York"


async def test_what_could_not_be_saved_is_shown_as_it_is(penny, apps):
    """The switch goes back, with what the service said."""
    v = await apps()
    penny.refusals.append((503, {"code": "unavailable", "detail": "Try again in a moment."}))
    bills = v.page.get_by_role("switch", name="Upcoming bill")
    await bills.click()
    await expect(v.page.get_by_role("alert")).to_have_text("Try again in a moment.")
    await expect(bills).not_to_be_checked()
    await keep(v, "refused")


@pytest.mark.parametrize(
    ("name", "lang", "theme", "width"),
    [
        ("desktop", "en", "light", 1200),
        ("phone", "de", "light", 390),
        ("dark", "en", "dark", 390),
        ("arabic", "ar", "light", 390),
    ],
)
async def test_the_switches_fit_in_every_language(penny, apps, name, lang, theme, width):
    """Nothing stands beside the panel; in Arabic the switches are at the left of their names."""
    penny.body = penny.body.replace("mode='page'", f"mode='page' theme='{theme}' lang='{lang}'")
    penny.link("telegram", "77")
    v = await apps(width=width, height=900, color_scheme=theme)
    first = v.page.get_by_role("switch").first
    panel, switch = await v.page.locator("#panel").bounding_box(), await first.bounding_box()
    label = await v.page.locator(".switch label").first.bounding_box()
    assert panel["x"] <= switch["x"]
    assert switch["x"] + switch["width"] <= panel["x"] + panel["width"]
    assert (switch["x"] < label["x"]) == (lang == "ar")
    wide = "document.querySelector('penny-chat').shadowRoot.querySelector('#panel')"
    assert await v.page.evaluate(f"{wide}.scrollWidth <= {wide}.clientWidth")
    await keep(v, name)


async def test_a_notice_comes_into_the_open_conversation(penny, visit):
    """With its figures marked and the facts they stand on, once, after what was said; and again when it is reopened."""
    penny.script(("run.finished", {"text": "Hello."}))
    v = await visit()
    await v.say("Hi")
    await expect(v.page.locator(".reply")).to_have_attribute("aria-busy", "false")
    (session,) = penny.sessions
    penny.notice(session)
    replies = v.page.locator(".reply")
    await expect(replies).to_have_count(2)
    await expect(replies.nth(1)).to_contain_text("Budgets nearly spent")
    await replies.nth(1).get_by_role("button", name="92%").click()
    await expect(v.page.get_by_text("used of the Dining budget in November 2026").last).to_be_visible()
    await keep_page(v, "notice")
    await v.page.reload()
    await expect(replies).to_have_count(2)


async def keep_page(v, name):
    """A picture of the page, when they are wanted."""
    if KEPT:
        await v.page.screenshot(path=Path(KEPT) / f"{name}.png")
