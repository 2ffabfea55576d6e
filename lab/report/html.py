"""HTML that cannot be injected into: elements are built, and every text in them is escaped."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import Final

_VOID: Final = frozenset({"meta", "br"})
_STYLE: Final = Path(__file__).with_name("style.css")


class Html(str):
    """Markup that is ready: not escaped again."""

    __slots__ = ()


Child = Html | str | int | float | None


def el(tag: str, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """An element. Attributes: `class_` is class, `stroke_width` is stroke-width; True stands alone, False and None are
    left out."""
    told = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        told += f" {shown}" if value is True else f' {shown}="{escape(str(value))}"'
    if tag in _VOID and not children:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{join(*children)}</{tag}>")


def join(*children: Child) -> Html:
    """One after the other; texts are escaped."""
    return Html(
        "".join(child if isinstance(child, Html) else escape(str(child)) for child in children if child is not None)
    )


def document(title: str, body: Html) -> str:
    """A page that loads nothing and runs nothing: its policy allows its own style sheet, by its hash, and no more."""
    style = _STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = join(
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        Html(f"<style>{style}</style>"),
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'
