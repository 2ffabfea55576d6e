"""The prompt cache: what a request reads from it and writes to it, told from its prefixes and cache points.

A prefix is what stands before a point, in the order tools, system, messages. It is kept for five minutes from its last
use if it has the model's least number of tokens. A point finds the longest kept prefix that ends at it or at one of the
twenty blocks before it. Tokens are taken as four characters of a block's JSON.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.capabilities import Capabilities
from lab.bedrock_emulator.script import TokenCounts

SECONDS = 300.0
LOOK_BACK = 20


class PromptCache:
    """What is kept, by model. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, float] = {}

    def account(self, asked: Mapping[str, Any], known: Capabilities) -> TokenCounts:
        """The request's input tokens by what they cost; its prefixes are kept from now on."""
        ends, points = _prefixes(asked)
        total = ends[-1][1] if ends else 0
        if known.caching is None or not points:
            return TokenCounts(total, 0)
        now = self._clock()
        read = written = 0
        for point in points:
            for digest, tokens in ends[max(0, point - LOOK_BACK) : point + 1]:
                if self._kept.get(digest, 0) > now and tokens > read:
                    read = tokens
                    self._kept[digest] = now + SECONDS
        for point in points:
            digest, tokens = ends[point]
            if tokens >= known.caching.minimum:
                written = max(written, tokens)
                self._kept[digest] = now + SECONDS
        written = max(0, written - read)
        return TokenCounts(total - read - written, 0, cache_read=read, cache_write=written)


def points(asked: Mapping[str, Any]) -> list[str]:
    """Where the request's cache points stand: "tools", "system", "messages.4"."""
    found = ["tools" for tool in (asked.get("toolConfig") or {}).get("tools", ()) if "cachePoint" in tool]
    found += ["system" for block in asked.get("system") or () if "cachePoint" in block]
    for at, message in enumerate(asked.get("messages") or ()):
        found += [f"messages.{at}" for block in message["content"] if "cachePoint" in block]
    return found


def _prefixes(asked: Mapping[str, Any]) -> tuple[list[tuple[bytes, int]], list[int]]:
    """Digest and tokens of the prefix that ends with each block; and after which blocks a point stands."""
    blocks = [("tool", tool) for tool in (asked.get("toolConfig") or {}).get("tools", ())]
    blocks += [("system", block) for block in asked.get("system") or ()]
    blocks += [(message["role"], block) for message in asked.get("messages") or () for block in message["content"]]
    ends: list[tuple[bytes, int]] = []
    points: list[int] = []
    running, tokens = hashlib.sha256(str(asked.get("modelId")).encode()), 0
    for role, block in blocks:
        if "cachePoint" in block:
            if ends:
                points.append(len(ends) - 1)
            continue
        text = json.dumps([role, block], sort_keys=True)
        running.update(text.encode())
        tokens += -(-len(text) // 4)
        ends.append((running.digest(), tokens))
    return ends, points
