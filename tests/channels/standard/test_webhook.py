"""What the webhook takes, and what it does not."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

OTHER_SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()


@pytest.fixture
async def service(serve: Any, standard: Any) -> Any:
    """A service with the channel."""
    return await serve({"standard": standard()})


def message(text: str = "hello") -> dict[str, str]:
    return {"id": uuid4().hex, "from": "nobody", "text": text}


async def test_a_wrong_signature_is_refused_without_a_hint(service: Any, program: Any) -> None:
    """Another secret, a time more than five minutes off, and no signature at all get the same 401."""
    answers = [
        await program.post(service.outside, message(), secret=OTHER_SECRET),
        await program.post(service.outside, message(), ago=timedelta(minutes=5, seconds=10)),
        await program.post(service.outside, message(), ago=timedelta(minutes=-6)),
        await service.outside.post("/webhooks/standard", json={"type": "message.received", "data": message()}),
        await service.outside.post("/webhooks/standard", content=b"", headers={"webhook-timestamp": "9" * 5000}),
    ]
    assert [a.status_code for a in answers] == [401] * 5
    assert {a.json()["detail"] for a in answers} == {"The signature does not count."}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"type": 3}',
        b'{"type": "message.received"}',
        b'{"type": "message.received", "data": {"id": "1", "from": "kim"}}',
        b'{"type": "message.received", "data": {"id": "", "from": "kim", "text": "x"}}',
        b'{"type": "proposal.decided", "data": {"id": "1", "from": "k", "proposal_id": "x", "hash": "h"}}',
    ],
)
async def test_a_genuine_body_that_is_none_of_ours_is_400(service: Any, program: Any, body: bytes) -> None:
    """It says what is wrong with it, and makes nothing."""
    answer = await program.post(service.outside, {}, body=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "unreadable_event"


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "\u202e", "x" * 129])
async def test_names_that_cannot_be_names_do_no_harm(service: Any, program: Any, name: str) -> None:
    """Control characters and overlong names end as 200 or 400, never as 5xx."""
    for data in ({**message(), "from": name}, {**message(), "id": name}):
        assert (await program.post(service.outside, data)).status_code in (200, 400)


async def test_text_that_is_not_utf8_is_refused(service: Any, program: Any) -> None:
    """Bytes that are no text were signed by nobody who follows the standard."""
    answer = await program.post(service.outside, {}, body=b'{"type": "message.received", "data": "\xff\xfe"}')
    assert answer.status_code == 401


async def test_unknown_types_are_ignored(service: Any, program: Any) -> None:
    """An event of a type that came later, or is none of ours, gets 200."""
    assert (await program.post(service.outside, {"any": 1}, "invoice.paid")).status_code == 200


async def test_a_body_over_a_mebibyte_is_refused(service: Any, program: Any) -> None:
    """413, before its signature is looked at."""
    answer = await program.post(service.outside, message("x" * 1_100_000))
    assert answer.status_code == 413


async def test_a_channel_that_is_not_set_up_is_not_there(service: Any) -> None:
    """Its webhook, and codes for it, are 404."""
    assert (await service.outside.post("/webhooks/slack", content=b"{}")).status_code == 404
    assert (await service.outside.get("/webhooks/standard")).status_code == 404
    answer = await service.client.post("/v1/links", json={"channel": "slack"})
    assert answer.status_code == 404
    assert "standard" in answer.json()["detail"]


async def test_fifty_webhooks_at_once_are_all_taken(service: Any, program: Any) -> None:
    """None is lost or refused."""
    answers = await asyncio.gather(*(program.post(service.outside, message()) for _ in range(50)))
    assert {a.status_code for a in answers} == {200}
