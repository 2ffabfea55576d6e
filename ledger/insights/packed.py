"""Columns of many rows as bytes, for insights over a long history: the database packs them (`int8send`), the event loop
only carries them, and they are unpacked where the computing is done, in a thread.
"""

from __future__ import annotations

import sys
from array import array


def int8s(packed: bytes) -> list[int]:
    """What `string_agg(int8send(column), ''::bytea)` holds."""
    return _numbers("q", packed)


def int4s(packed: bytes) -> list[int]:
    """What `string_agg(int4send(column), ''::bytea)` holds."""
    return _numbers("i", packed)


def _numbers(kind: str, packed: bytes) -> list[int]:
    numbers = array(kind, packed)
    if sys.byteorder == "little":  # the wire is big-endian
        numbers.byteswap()
    return numbers.tolist()
