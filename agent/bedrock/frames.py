"""Frames of application/vnd.amazon.eventstream, read as they arrive.

botocore's own reader takes several times as long, which was most of what a streamed token cost; a test holds the two
together.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from botocore.eventstream import ParserError

Frame = tuple[Mapping[str, str], bytes]
"""Headers that are text, by name, and the payload."""

_PRELUDE = struct.Struct("!III")
_OVERHEAD = _PRELUDE.size + 4
_MOST = 25 * 1024 * 1024
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type; 6 (bytes) and 7 (text) say theirs."""

_TEXT = 7


class FrameReader:
    """Takes bytes as they come; iterating gives the frames that are whole by then. Raises ParserError for a checksum or
    a length that is wrong."""

    def __init__(self) -> None:
        self._data = b""

    def add(self, data: bytes) -> None:
        """What arrived next."""
        self._data = self._data + data if self._data else data

    def __iter__(self) -> Iterator[Frame]:
        data, at = self._data, 0
        try:
            while len(data) - at >= _PRELUDE.size:
                total, headers, checksum = _PRELUDE.unpack_from(data, at)
                if zlib.crc32(data[at : at + 8]) != checksum:
                    raise ParserError("A frame's prelude has a wrong checksum.")
                if not _OVERHEAD + headers <= total <= _MOST:
                    raise ParserError("A frame's lengths do not fit.")
                end = at + total
                if len(data) < end:
                    return
                if zlib.crc32(data[at : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
                    raise ParserError("A frame has a wrong checksum.")
                body = at + _PRELUDE.size
                at = end
                yield _headers(data[body : body + headers]), data[body + headers : end - 4]
        finally:
            self._data = data[at:]


@lru_cache(maxsize=64)
def _headers(data: bytes) -> Mapping[str, str]:
    """The headers of a frame; there are as many kinds as there are kinds of events."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            length = data[at]
            name = data[at + 1 : at + 1 + length].decode()
            kind = data[at + 1 + length]
            at += 2 + length
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            size = int.from_bytes(data[at : at + 2], "big")
            if kind == _TEXT:
                found[name] = data[at + 2 : at + 2 + size].decode()
            elif kind != 6:
                raise ParserError(f"A frame's header has an unknown type {kind}.")
            at += 2 + size
    except (IndexError, UnicodeDecodeError) as error:
        raise ParserError("A frame's headers cannot be read.") from error
    return found
