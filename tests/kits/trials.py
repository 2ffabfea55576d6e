"""How often the fault and hostile tests try what chance decides: TRIALS multiplies it, as `make faults` does."""

from __future__ import annotations

import os


def times(count: int) -> int:
    """`count`, times what TRIALS says."""
    return count * max(1, int(os.environ.get("TRIALS", "1")))
