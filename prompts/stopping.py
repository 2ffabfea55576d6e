"""When a rollout has to stop: a sequential test of two shares of bad replies, the new version's and its base's.

Looks are taken when the new version's replies have grown by 30 %, the first at a least number. Each look is Fisher's
exact test, one-sided, and may err with a part of ALPHA that shrinks with its number (6 / (pi k)^2), half of it for
failures and half for unverified figures: all looks together stop a version that is no worse at most in ALPHA of all
rollouts, however long they last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

ALPHA: Final = 0.05
GROWTH: Final = 1.3
LEAST: Final = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """How replies ended: how many there were, failed, and had a figure that nothing backs."""

    replies: int = 0
    failed: int = 0
    unverified: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The number of the last look, and what speaks against the version, if something does."""

    looks: int
    reason: str | None = None


def verdict(candidate: Counts, base: Counts, least: int = LEAST, looks: int = 0) -> Verdict:
    """What there is to say after `looks` earlier ones. Without `least` replies of both there is no look."""
    due = look(candidate.replies, least)
    if due <= looks or base.replies < least:
        return Verdict(looks)
    allowed = ALPHA * 6 / (math.pi * due) ** 2 / 2
    for what, bad, usual in (
        ("failed", candidate.failed, base.failed),
        ("had unverified figures", candidate.unverified, base.unverified),
    ):
        p = at_least(bad, candidate.replies, usual, base.replies)
        if p <= allowed:
            return Verdict(
                due,
                f"{bad} of {candidate.replies} replies {what}, with the base {usual} of {base.replies} "
                f"(p = {p:.2g}, look {due})",
            )
    return Verdict(due)


def look(replies: int, least: int) -> int:
    """Which look so many replies are enough for; 0 for none."""
    if replies < least:
        return 0
    return 1 + math.floor(math.log(replies / least, GROWTH) + 1e-9)


def at_least(bad: int, of: int, usual: int, of_base: int) -> float:
    """Fisher's exact test: how probable it is to see `bad` or more here if bad replies fall on both alike."""
    total, all_bad = of + of_base, bad + usual
    ways = sum(math.comb(all_bad, x) * math.comb(total - all_bad, of - x) for x in range(bad, min(of, all_bad) + 1))
    return ways / math.comb(total, of)
