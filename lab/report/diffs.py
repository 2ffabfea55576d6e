"""What is different between two plays of a case: tool calls line by line, replies word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from lab.eval.matching import shown
from lab.eval.outcome import Result, StepResult
from lab.report.html import Html, el, join


def between(before: Result, after: Result) -> Html:
    """Step by step: what was called and said on one side only is marked."""
    return join(*(_step(was, now) for was, now in zip_longest(before.steps, after.steps)))


def _step(was: StepResult | None, now: StepResult | None) -> Html:
    asked = (now or was or StepResult("")).user
    old, new = _calls(was), _calls(now)
    return join(
        el("p", asked, class_="said"),
        *(el("p", part, class_="call mono") for part in _lines(old, new)),
        el("div", words(was.reply if was else "", now.reply if now else ""), class_="reply"),
    )


def _calls(step: StepResult | None) -> list[str]:
    return [shown(call) for call in step.calls] if step else []


def _lines(old: Sequence[str], new: Sequence[str]) -> list[Html]:
    gone = [el("del", call) for call in old if call not in new]
    kept = [join(call) for call in new if call in old]
    come = [el("ins", call) for call in new if call not in old]
    return [*gone, *kept, *come]


def words(old: str, new: str) -> Html:
    """The new text with what is new marked, and what is gone struck out where it stood."""
    a, b = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    parts: list[Html] = []
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(join("".join(b[k:m])))
            continue
        if j > i:
            parts.append(el("del", "".join(a[i:j])))
        if m > k:
            parts.append(el("ins", "".join(b[k:m])))
    return join(*parts)
