"""Hostile text in every place of the page that shows text, and a look at what it became there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LOOK = """() => {
    const root = document.querySelector("penny-chat").shadowRoot;
    const acting = "img,picture,source,iframe,object,embed,a,script,style,link,meta,base,use,image,video,audio";
    const every = [...root.querySelectorAll("*")];
    const watched = ["href", "src", "srcset", "style", "action", "background", "poster", "ping", "data"];
    return {
        acting: [...root.querySelectorAll(acting)].map((e) => e.outerHTML),
        elements: every.filter((e) => e.localName.includes("-") && !e.localName.startsWith("penny-")).length
            + root.querySelectorAll("penny-chat").length,
        attributes: every.filter((e) => !e.closest(".uplot, .pop")).flatMap((e) => e.getAttributeNames())
            .filter((name) => name.startsWith("on") || watched.includes(name)),
        pwned: window.pwned ?? null,
        address: location.pathname,
    };
}"""
"""What the page came to hold that could act: elements that load, links, handlers, and the payloads' mark."""

HARMLESS = {"acting": [], "elements": 0, "attributes": [], "pwned": None, "address": "/"}


def say_everywhere(penny: Any, payloads: Sequence[str]) -> None:
    """Scripts a run with the payloads in every text that people see."""
    steps, series = [], []
    for number, payload in enumerate(payloads):
        diff = {"what": payload, "field": payload, "before": payload, "after": {"minor": 1, "currency": payload}}
        proposal = penny.propose(None, None, text=payload, diff=[diff])
        call = {"call_id": f"c{number}", "name": payload}
        facts = [{"id": "f", "label": payload, "value": payload, "unit": payload}]
        series.append({"name": payload, "points": [[payload, 12.5], ["other", 3]]})
        steps += [
            ("tool.started", call | {"label": payload, "args": {"merchant": payload}}),
            ("text.delta", {"text": payload[: len(payload) // 2]}),
            ("tool.finished", call | {"ok": True, "summary": payload, "facts": facts}),
            ("proposal", {"call_id": "c", **proposal}),
        ]
    for kind in ("bar", "donut", "line"):
        chart = {"call_id": "c", "kind": kind, "title": payloads[0], "unit": payloads[0], "series": series}
        steps.append(("chart", chart))
    text = "\n\n".join(f"Look: {p}\n\n| {p} |\n|---|\n| {p} |\n\n- {p}\n\n> {p}\n\n## {p}" for p in payloads)
    penny.script(*steps, ("run.finished", {"text": text}))
