"""Charts: drawn from data, reached by keys, told in words, and each with its table and CSV."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

POINTS = [["2026-08", 412.3], ["2026-09", 388.05], ["2026-10", 501]]


def chart(kind, points=POINTS, name="Groceries", **changes):
    """A chart event."""
    series = [{"name": name, "points": points}]
    data = {"call_id": "c", "kind": kind, "title": "Groceries by month", "unit": "USD", "series": series} | changes
    return ("chart", data)


async def shown(penny, visit, *charts, **options):
    """A visit with a reply that holds the charts."""
    penny.script(*charts, ("run.finished", {"text": "Here."}))
    v = await visit(**options)
    await v.say("Chart")
    await expect(v.page.locator(".reply .text")).to_have_text("Here.")
    return v


@pytest.mark.parametrize(("kind", "words"), [("bar", "Sep 2026: $388.05"), ("line", "Sep 2026: $388.05")])
async def test_arrow_keys_move_and_tell(penny, visit, kind, words):
    """The second arrow tells the second value, End the last, and leaving tells nothing."""
    v = await shown(penny, visit, chart(kind))
    plot = v.page.get_by_role("group", name="Groceries by month. Arrow keys move between the values.")
    await expect(v.page.locator(".canvas :is(svg, .uplot)")).to_be_visible()
    await plot.focus()
    await plot.press("ArrowRight")
    await plot.press("ArrowRight")
    await expect(v.page.locator(".tip")).to_have_text(words)
    await plot.press("End")
    await expect(v.page.locator(".tip")).to_have_text("Oct 2026: $501.00")
    await v.field.focus()
    await expect(v.page.locator(".tip")).to_have_text("")


async def test_a_donut_gives_shares(penny, visit):
    """The largest part comes first, with its share of the total; the legend has the amounts."""
    v = await shown(penny, visit, chart("donut", [["Rent", 300], ["Fun", 100]]))
    plot = v.page.get_by_role("group", name="Groceries by month.")
    await plot.focus()
    await plot.press("ArrowDown")
    await expect(v.page.locator(".tip")).to_have_text("Rent: $300.00, 75% of the total")
    await expect(v.page.locator(".legend li")).to_have_text(["Rent $300.00", "Fun $100.00"])


async def test_many_parts_end_in_one(penny, visit):
    """Beyond five the rest is one part."""
    v = await shown(penny, visit, chart("donut", [[f"c{n}", 10 - n] for n in range(9)]))
    await expect(v.page.locator(".legend li")).to_have_count(6)
    await expect(v.page.locator(".legend li").last).to_have_text("Other $14.00")


@pytest.mark.parametrize("kind", ["bar", "donut", "line"])
async def test_every_chart_has_its_table_and_csv(penny, visit, kind):
    """The table has every value as people read it; the CSV has the exact data, and no cell that runs as a formula."""
    points = [*POINTS, ['=2+2,"x"', -1.5]]
    v = await shown(penny, visit, chart(kind, points), permissions=["clipboard-read", "clipboard-write"])
    await v.page.get_by_role("button", name="Copy CSV").click()
    await expect(v.page.locator(".chart").get_by_text("Copied")).to_be_visible()
    csv = await v.page.evaluate("navigator.clipboard.readText()")
    assert csv.replace("\r\n", "\n") == (
        'Label,Groceries (USD)\n2026-08,412.3\n2026-09,388.05\n2026-10,501\n"\'=2+2,""x""",-1.5\n'
    )
    await v.page.get_by_role("button", name="Table").click()
    await expect(v.page.locator(".chart tbody tr")).to_have_count(4)
    await expect(v.page.get_by_role("row", name="Sep 2026")).to_contain_text("$388.05")
    await v.page.get_by_role("button", name="Table").click()
    await expect(v.page.locator(".canvas :is(svg, .uplot)").first).to_be_visible()


async def test_trend_code_is_loaded_for_the_first_trend_only(penny, visit):
    """Bars need no more script; the first line loads one file, the second none."""
    v = await shown(penny, visit, chart("bar"))
    assert not [url for url in v.requests if "trend" in url]
    penny.script(chart("line"), chart("line", title="Again"), ("run.finished", {"text": "Two."}))
    await v.say("Lines")
    await expect(v.page.locator(".uplot")).to_have_count(2)
    assert len([url for url in v.requests if "trend" in url]) == 1


async def test_where_trend_code_does_not_load_the_table_stands(penny, visit):
    """A blocked file costs the picture, not the figures."""
    v = await visit()
    await v.page.route("**/widget-trend-*", lambda route: route.abort())
    penny.script(chart("line"), ("run.finished", {"text": "Here."}))
    await v.say("Line")
    await expect(v.page.get_by_role("row", name="Sep 2026")).to_contain_text("$388.05")


async def test_a_pointer_over_a_bar_tells_its_value(penny, visit):
    """Hovering does what the keys do."""
    v = await shown(penny, visit, chart("bar"))
    await v.page.locator(".mark").nth(2).hover()
    await expect(v.page.locator(".tip")).to_have_text("Oct 2026: $501.00")
