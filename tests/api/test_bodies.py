"""Bodies that never end or come all at once: strangers may send them too, for a body is read before a token is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from api.bodies import Bodies, Body

PIECE = {"type": "http.request", "body": b"x" * 1000, "more_body": True}


def dripping(seconds: float) -> Any:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return PIECE

    return receive


async def read(body: Body) -> int:
    """To the end; how much it was."""
    size = 0
    while True:
        message = await body.receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            return size


async def test_a_body_that_drips_is_given_up() -> None:
    """408, whether nothing comes or too little."""
    for pause in (3600.0, 0.1):  # ten kilobytes a second
        with pytest.raises(HTTPException) as refused:
            await read(Body(dripping(pause), 10**9, Bodies(patience_seconds=0.2)))
        assert refused.value.status_code == 408


async def test_bodies_together_are_bounded() -> None:
    """503 for the one that is too much; what is over makes room."""
    bodies = Bodies(at_most=5_500)
    first, second = Body(dripping(0), 10_000, bodies), Body(dripping(0), 10_000, bodies)
    for _ in range(3):
        await first.receive()
    with pytest.raises(HTTPException) as refused:
        await read(second)
    assert (refused.value.status_code, refused.value.headers["Retry-After"]) == (503, "2")
    second.release()
    assert bodies.held == 3_000
    await first.receive()
    first.release()
    assert bodies.held == 0


async def test_after_the_body_whoever_waits_waits_without_end() -> None:
    """As a stream's watch for its client's leaving does."""
    left = asyncio.Event()
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    body = Body(receive, 100, Bodies(patience_seconds=0.05))
    await body.receive()
    watching = asyncio.create_task(body.receive())
    await asyncio.sleep(0.3)
    assert not watching.done()
    left.set()
    assert (await watching)["type"] == "http.disconnect"
