"""A reply as one event: its text in markdown without addresses, its proposals and the data of its charts."""

from __future__ import annotations

from typing import Any

from channels import switches
from channels.channel import Part, Payload, Reply, Shown
from channels.markdown import without_addresses

_TOLD = ("id", "kind", "status", "hash", "diff", "text", "notice", "expires_at")


def render(reply: Reply) -> list[Part]:
    """Always one part: a program has no limit that we know of."""
    told: Payload = {
        "text": without_addresses(reply.text),
        "proposals": [_proposal(one) for one in reply.proposals],
        "charts": [{k: v for k, v in chart.items() if k != "call_id"} for chart in reply.charts],
    }
    return [Part(told | ({"kind": reply.off.kind, "off": switches.words(reply.off.kind)} if reply.off else {}))]


def _proposal(one: Shown) -> dict[str, Any]:
    return {key: one.proposal[key] for key in _TOLD} | {"code": one.code}
