"""Frames of application/vnd.amazon.eventstream: prelude, headers, payload, both CRC-32 sums."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

_STRING = 7


def event(kind: str, payload: Mapping[str, Any]) -> bytes:
    """An event frame, as Bedrock sends `messageStart`, `contentBlockDelta` and the others."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return _frame(headers, payload)


def exception(kind: str, message: str) -> bytes:
    """An exception frame: it ends a stream in place of `messageStop`; `kind` as in `throttlingException`."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(headers, {"message": message})


def corrupted(frame: bytes) -> bytes:
    """The same frame with one payload bit turned, so that the message CRC no longer fits."""
    broken = bytearray(frame)
    broken[-5] ^= 1
    return bytes(broken)


def _frame(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    lengths = struct.pack("!II", 12 + len(head) + len(body) + 4, len(head))
    message = lengths + struct.pack("!I", zlib.crc32(lengths)) + head + body
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + bytes([_STRING]) + struct.pack("!H", len(text)) + text
