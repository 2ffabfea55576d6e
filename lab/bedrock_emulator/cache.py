"""The prompt cache: what a request reads from it and writes to it, told from its prefixes and cache points.

A prefix is what stands before a point, in the order tools, system, messages. With the model's least number of tokens it
is kept from its last use for five minutes, or for an hour if its point says so. A point finds the longest kept prefix
that ends at it or at one of the twenty blocks before it. Tokens are taken as four characters of a block's JSON.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.capabilities import Capabilities
from lab.bedrock_emulator.script import TokenCounts

SECONDS, HOUR = 300.0, 3600.0
LOOK_BACK = 20


class PromptCache:
    """What is kept, by model. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[float, float]] = {}
        """When a prefix is forgotten, and for how many seconds each use keeps it."""

    def account(self, asked: Mapping[str, Any], known: Capabilities) -> TokenCounts:
        """The request's input tokens by what they cost; its prefixes are kept from now on."""
        ends, points = _prefixes(asked)
        total = ends[-1][1] if ends else 0
        if known.caching is None or not points:
            return TokenCounts(total, 0)
        now = self._clock()
        read = 0
        written = {SECONDS: 0, HOUR: 0}
        for point in points:
            for digest, tokens in ends[max(0, point - LOOK_BACK) : point + 1]:
                until, seconds = self._kept.get(digest, (0.0, SECONDS))
                if until > now and tokens > read:
                    read = tokens
                    self._kept[digest] = now + seconds, seconds
        for point, seconds in points.items():
            digest, tokens = ends[point]
            if tokens >= known.caching.minimum:
                written[seconds] = max(written[seconds], tokens)
                self._kept[digest] = now + seconds, seconds
        hour = max(0, written[HOUR] - read)
        new = max(0, max(written.values()) - read)
        told = hour if known.caching.hour else None
        return TokenCounts(total - read - new, 0, cache_read=read, cache_write=new, cache_hour=told)


def points(asked: Mapping[str, Any]) -> list[str]:
    """Where the request's cache points stand: "tools", "system", "messages.4"."""
    found = ["tools" for tool in (asked.get("toolConfig") or {}).get("tools", ()) if "cachePoint" in tool]
    found += ["system" for block in asked.get("system") or () if "cachePoint" in block]
    for at, message in enumerate(asked.get("messages") or ()):
        found += [f"messages.{at}" for block in message["content"] if "cachePoint" in block]
    return found


def lifetimes(asked: Mapping[str, Any]) -> list[str]:
    """What the request's cache points ask for, in their order: "5m" or "1h"."""
    return [block["cachePoint"].get("ttl", "5m") for _, block in _blocks(asked) if "cachePoint" in block]


def _blocks(asked: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Each block with who says it, in the order in which the cache reads them."""
    blocks = [("tool", tool) for tool in (asked.get("toolConfig") or {}).get("tools", ())]
    blocks += [("system", block) for block in asked.get("system") or ()]
    return blocks + [
        (message["role"], block) for message in asked.get("messages") or () for block in message["content"]
    ]


def _prefixes(asked: Mapping[str, Any]) -> tuple[list[tuple[bytes, int]], dict[int, float]]:
    """Digest and tokens of the prefix that ends with each block; and after which blocks a point stands, with the
    seconds for which it keeps."""
    ends: list[tuple[bytes, int]] = []
    points: dict[int, float] = {}
    running, tokens = hashlib.sha256(str(asked.get("modelId")).encode()), 0
    for role, block in _blocks(asked):
        if "cachePoint" in block:
            if ends:
                points[len(ends) - 1] = HOUR if block["cachePoint"].get("ttl") == "1h" else SECONDS
            continue
        text = json.dumps([role, block], sort_keys=True)
        running.update(text.encode())
        tokens += -(-len(text) // 4)
        ends.append((running.digest(), tokens))
    return ends, points
