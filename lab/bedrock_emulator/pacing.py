"""Plays a turn into an HTTP response: one coroutine a stream, all that is due in one write, the fault at its place."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import NoReturn

from aiohttp import web

from lab.bedrock_emulator import frames
from lab.bedrock_emulator.replies import Paced
from lab.bedrock_emulator.script import Corrupt, Hang, Reset, Stall, StreamException, Truncate, Turn
from lab.bedrock_emulator.state import Outcome


async def play(request: web.Request, response: web.StreamResponse, turn: Turn, paced: list[Paced]) -> Outcome:
    """Sends the whole reply at the turn's pace, as far as its fault lets it. Is cancelled when the client leaves."""
    fault = turn.fault
    if isinstance(fault, Hang):
        await for_ever()
    await asyncio.sleep(turn.first_delay)
    await response.prepare(request)
    at = len(paced) if fault is None else fault.at
    await _write_paced(response, paced[:at], turn.token_delay)
    match fault:
        case None:
            await response.write_eof()
            return "completed"
        case Stall(seconds=seconds):
            await (for_ever() if seconds is None else asyncio.sleep(seconds))
            await _write_paced(response, paced[at:], turn.token_delay)
            await response.write_eof()
            return "completed"
        case Reset():
            _reset(request)
            return "broken"
        case Truncate() | StreamException() | Corrupt():
            await response.write(_last_words(fault, paced))
            await response.write_eof()
            return "broken"


async def for_ever() -> NoReturn:
    """Waits until cancelled."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody resolves this future")


async def _write_paced(response: web.StreamResponse, paced: list[Paced], delay: float) -> None:
    """Writes the frames, each token `delay` seconds after the one before; all that has come due goes in one write."""
    if delay == 0:
        await _write(response, [frame for frame, _ in paced])
        return
    clock = asyncio.get_running_loop().time
    due, batch = clock(), list[bytes]()
    for frame, is_token in paced:
        if is_token:
            due += delay
            ahead = due - clock()
            if ahead > 0:
                await _write(response, batch)
                batch = []
                await asyncio.sleep(ahead)
        batch.append(frame)
    await _write(response, batch)


async def _write(response: web.StreamResponse, batch: list[bytes]) -> None:
    if batch:
        await response.write(b"".join(batch))


def _last_words(fault: Truncate | StreamException | Corrupt, paced: list[Paced]) -> bytes:
    match fault:
        case StreamException(type=kind, message=message):
            return frames.exception(kind, message)
        case Corrupt(at=at):
            return frames.corrupted(paced[at][0])
        case Truncate():
            return b""


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
