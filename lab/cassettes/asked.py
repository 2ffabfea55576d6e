"""A converse request in the form in which cassettes keep and compare it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from lab.cassettes.mask import Mask, without_accounts, words

PARTS = ("model", "system", "aside", "tools", "options", "words", "results")
"""What a request is made of: the model, the prompt that is everybody's, the part about the person and the day, the
tools, settings such as temperature, what was said and called, and what tools answered."""

Asked = dict[str, Any]
"""A request's value by part; `words` and `results` are lists, one entry a message or a result."""

_NAMES = {"system": "the system prompt", "aside": "what the model is told about person and day", "tools": "the tools"}
_LONGEST = 160


def asked_of(request: Mapping[str, Any], mask: Mask) -> Asked:
    """The request's JSON (with `modelId`) by part, masked. Cache points, signatures of thoughts and the names of calls
    are left out: they differ each time, and no answer depends on them."""
    system = [block["text"] for block in request.get("system") or () if "text" in block]
    said, results = _said(request["messages"], mask)
    return {
        "model": without_accounts(str(request["modelId"])),
        "system": without_accounts(system[0]) if system else "",
        "aside": mask(without_accounts("\n\n".join(system[1:]))),
        "tools": [tool for tool in (request.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in tool],
        "options": {
            name: request[name]
            for name in ("inferenceConfig", "additionalModelRequestFields", "guardrailConfig")
            if request.get(name)
        },
        "words": said,
        "results": results,
    }


def mask_for(request: Mapping[str, Any], salt: str | None) -> Mask:
    """The mask of a request: words of its prompt and tools are everybody's."""
    if salt is None:
        return Mask()
    system = [block["text"] for block in request.get("system") or () if "text" in block]
    return Mask(salt, words(json.dumps([system[:1], request.get("toolConfig")], ensure_ascii=False)))


def key(asked: Asked, match: Sequence[str]) -> str:
    """A digest of the parts that count."""
    return digest([asked[part] for part in match])


def digest(value: Any) -> str:
    """Of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def likeness(asked: Asked, known: Asked, match: Sequence[str]) -> tuple[int, int]:
    """How near a known request is: how long the conversations agree from their start, and how many parts agree."""
    common = 0
    for one, other in zip(asked["words"], known["words"], strict=False):
        if one != other:
            break
        common += 1
    return common, sum(asked[part] == known[part] for part in match)


def difference(asked: Asked, known: Asked, match: Sequence[str]) -> str:
    """In what the request differs from the known one, in words for a developer."""
    return "; ".join(_differs(part, asked[part], known[part]) for part in match if asked[part] != known[part])


def _differs(part: str, now: Any, then: Any) -> str:
    if part == "tools":
        return _tools_differ(now, then)
    if part in ("words", "results"):
        return _list_differs("message" if part == "words" else "tool result", now, then)
    if part in ("system", "aside"):
        at, new, old = _first_difference(now.splitlines(), then.splitlines())
        return f"{_NAMES[part]} differs in line {at + 1}: asked {_short(new)}, recorded {_short(old)}"
    return f"{part}: asked {_short(now)}, recorded {_short(then)}"


def _list_differs(what: str, now: Sequence[Any], then: Sequence[Any]) -> str:
    at, new, old = _first_difference(now, then)
    if new is None or old is None:
        return f"asked with {len(now)} {what}s, recorded with {len(then)}"
    return f"{what} {at + 1} differs: asked {_around(new, old)}, recorded {_around(old, new)}"


def _tools_differ(now: Sequence[Any], then: Sequence[Any]) -> str:
    new, old = ({tool["toolSpec"]["name"]: tool["toolSpec"] for tool in tools} for tools in (now, then))
    changed = [name for name in new if name in old and new[name] != old[name]]
    told = [
        f"{label} {', '.join(names)}"
        for label, names in (
            ("changed", changed), ("added", sorted(new.keys() - old.keys())), ("gone", sorted(old.keys() - new.keys())),
        )
        if names
    ]  # fmt: skip
    return f"{_NAMES['tools']} differ: {'; '.join(told) or 'in their order'}"


def _first_difference(now: Sequence[Any], then: Sequence[Any]) -> tuple[int, Any, Any]:
    for at in range(max(len(now), len(then))):
        new, old = (values[at] if at < len(values) else None for values in (now, then))
        if new != old:
            return at, new, old
    raise AssertionError("equal")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _around(value: Any, other: Any) -> str:
    """The text from a little before the place where it differs."""
    one, two = (v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in (value, other))
    same = SequenceMatcher(None, one, two, autojunk=False).find_longest_match(0, len(one), 0, len(two))
    start = max(0, same.size - 30) if same.a == same.b == 0 else 0
    return repr(("…" if start else "") + _cut(one[start:]))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _said(messages: Sequence[Mapping[str, Any]], mask: Mask) -> tuple[list[str], list[str]]:
    """What was said and called, one entry a message; and what the tools answered."""
    said: list[str] = []
    results: list[str] = []
    for message in messages:
        parts = []
        for block in message["content"]:
            if "text" in block:
                parts.append(mask(block["text"]))
            elif "guardContent" in block:
                parts.append(mask(block["guardContent"]["text"]["text"]))
            elif "toolUse" in block:
                call = block["toolUse"]
                parts.append(f"[{call['name']} {mask(json.dumps(call['input'], sort_keys=True, ensure_ascii=False))}]")
            elif "toolResult" in block:
                parts.append("[result]")
                results.append(mask(json.dumps(block["toolResult"]["content"], ensure_ascii=False)))
            elif text := (block.get("reasoningContent") or {}).get("reasoningText", {}).get("text"):
                parts.append(f"[thought: {mask(text)}]")
        said.append(f"{message['role']}: {' '.join(parts)}")
    return said, results
