"""The page's modules by themselves, inside Chromium."""

from __future__ import annotations

import json
import random

import pytest

pytestmark = pytest.mark.browser


async def test_frames_survive_every_cut(visit):
    """However the bytes are cut, and with each line ending, the same frames come out."""
    v = await visit()
    events = [
        {"id": str(n), "event": "text.delta", "data": json.dumps({"text": f"ü{n}😀"}, ensure_ascii=False)}
        for n in range(1, 9)
    ]
    rng = random.Random(2)
    for end in ("\n", "\r\n", "\r"):
        text = f": ping{end}{end}retry: 5{end}" + "".join(
            f"id: {e['id']}{end}event: {e['event']}{end}data: {e['data']}{end}{end}" for e in events
        )
        data = text.encode()
        for _ in range(40):
            cuts = sorted(rng.sample(range(1, len(data)), rng.randint(1, 30)))
            chunks = [list(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
            found = await v.page.evaluate(
                """async (chunks) => {
                    const { frames } = await import("/page/sse.js");
                    const body = new ReadableStream({ start(c) {
                        chunks.forEach((chunk) => c.enqueue(new Uint8Array(chunk))); c.close(); } });
                    const found = [];
                    for await (const frame of frames(body, 1000)) found.push(frame);
                    return found;
                }""",
                chunks,
            )
            assert found == events, f"{end!r} cut at {cuts}"


async def test_a_silent_stream_is_given_up(visit):
    """A stream without a byte for the given time ends with an error and is closed."""
    v = await visit()
    closed = await v.page.evaluate(
        """async () => {
            const { frames } = await import("/page/sse.js");
            let closed = false;
            const body = new ReadableStream({ cancel() { closed = true; } });
            try { for await (const frame of frames(body, 20)); } catch { return closed; }
        }"""
    )
    assert closed is True


AMOUNTS = {
    "$1,234.56": (123456, "USD"),
    "-$0.05": (-5, "USD"),
    "¥500": (500, "JPY"),
    "KWD 1.234": (1234, "KWD"),
    "€10,000,000,000,000.00": (10**15, "EUR"),
    "€9,999,999,999,999.99": (999999999999999, "EUR"),
}


async def test_money_has_the_decimals_of_its_currency(visit):
    """Minor units become text exactly, with no, two or three decimals."""
    v = await visit()
    found = await v.page.evaluate(
        "async (amounts) => { const { money } = await import('/page/values.js'); return amounts.map(money); }",
        [{"minor": minor, "currency": currency} for minor, currency in AMOUNTS.values()],
    )
    assert [text.replace("\u00a0", " ") for text in found] == list(AMOUNTS)


MARKDOWN = [
    ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
    ("**bold** and *it* and `c*d*` \\*", "<p><strong>bold</strong> and <em>it</em> and <code>c*d*</code> *</p>"),
    ("snake_case_name 2 * 3 * 4", "<p>snake_case_name 2 * 3 * 4</p>"),
    ("- a\n- b\n  - c\n- d", "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>"),
    ("2. a\n3. b", '<ol start="2"><li>a</li><li>b</li></ol>'),
    ("intro:\n- a\n- b", "<p>intro:</p><ul><li>a</li><li>b</li></ul>"),
    ("# Head\ntext", "<h3>Head</h3><p>text</p>"),
    ("```py\na < b\n\nc\n```\nafter", "<pre><code>a &lt; b\n\nc</code></pre><p>after</p>"),
    ("```\nopen", "<pre><code>open</code></pre>"),
    (
        "| a | b |\n|---|--:|\n| 1 | **2** |",
        '<div class="wide"><table><thead><tr><th>a</th><th class="number">b</th></tr></thead>'
        '<tbody><tr><td>1</td><td class="number"><strong>2</strong></td></tr></tbody></table></div>',
    ),
    ("**open and <b>", "<p>**open and &lt;b&gt;</p>"),
    ("$1 ~~$2~~", "<p>$1 <s>$2</s></p>"),
    ("> said\n> so", "<blockquote>said<br>so</blockquote>"),
]


async def test_markdown_becomes_nodes(visit):
    """The Markdown that replies use renders as usual."""
    v = await visit()
    assert [(text, await v.page.evaluate(RENDER, [text])) for text, _ in MARKDOWN] == MARKDOWN


RENDER = """async (texts) => {
    const { MarkdownView } = await import("/page/markdown.js");
    const view = new MarkdownView(document.createElement("div"));
    for (const text of texts) view.show(text);
    return view.element.innerHTML;
}"""


async def test_growing_text_ends_as_it_would_at_once(visit):
    """Rendering a reply character by character gives what rendering it whole gives."""
    v = await visit()
    text = "# Spent\n\n**Groceries**: *412*\n\n- a\n  - b\n\n| x | y |\n|--|--|\n| 1 | 2 |\n\n```\ncode\n```\nend"
    steps = [text[:n] for n in range(1, len(text) + 1)]
    assert await v.page.evaluate(RENDER, steps) == await v.page.evaluate(RENDER, [text])


async def test_markdown_of_hostile_shape_does_not_hang_the_page(visit):
    """Long runs of unmatched marks are no trap: 8,000 characters of each kind render within seconds, not minutes."""
    v = await visit()
    hostile = [
        "*a " * 4000,
        "[" * 8000,
        "`" * 8000,
        "**_" * 3000,
        "> " * 4000,
        "![x](" * 2000,
        "| " * 4000,
        "\\" * 8000,
    ]
    took = await v.page.evaluate(
        """async (texts) => {
            const { MarkdownView } = await import("/page/markdown.js");
            const start = performance.now();
            for (const text of texts) new MarkdownView(document.createElement("div")).show(text);
            return performance.now() - start;
        }""",
        hostile,
    )
    assert took < 5000
