"""The figures of a reply in a terminal: which are verified, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def marks(figures: Iterable[Mapping[str, Any]]) -> str:
    """ "✓ $209.10, 8 days · ✗ not verified: $412.00"; "" without figures."""
    texts: dict[bool, list[str]] = {True: [], False: []}
    for figure in figures:
        texts[figure["verified"]].append(figure["text"])
    verified = f"✓ {_listed(texts[True])}" if texts[True] else ""
    unverified = f"✗ not verified: {_listed(texts[False])}" if texts[False] else ""
    return " · ".join(filter(None, (verified, unverified)))


def why(figures: Iterable[Mapping[str, Any]], facts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line a figure: the fact that it is, the facts that it follows from, or what else it stands on."""
    for figure in figures:
        ids = [figure["fact_id"]] if "fact_id" in figure else figure.get("derived_from", [])
        found = [_told(facts[each]) for each in ids if each in facts]
        if not figure["verified"]:
            yield f"  ✗ {figure['text']}: not verified"
        elif found:
            yield f"  ✓ {figure['text']}: {'from ' if len(ids) > 1 else ''}{'; '.join(found)}"
        else:
            yield f"  ✓ {figure['text']}: {'an earlier fact' if ids else _OTHERWISE}"


_OTHERWISE = "your own words, the calendar or a tool’s sentence"


def _told(fact: Mapping[str, Any]) -> str:
    return f"{fact['label']}: {fact['value']} {fact['unit']} ({fact['tool']})"


def _listed(texts: list[str]) -> str:
    unique = list(dict.fromkeys(texts))
    return ", ".join(unique[:12]) + (f" and {len(unique) - 12} more" if len(unique) > 12 else "")
