"""OpenAI's wires: what events become, and what bad requests get."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from agent import events as ev
from api.protocols.openai_chat import Completion
from api.protocols.openai_outcome import STARTS_OVER
from api.protocols.openai_responses import Reply

CHAT, RESPONSES = "/openai/v1/chat/completions", "/openai/v1/responses"
STARTED = ev.RunStarted("r", "s", "m", "fake", "1")
WITHDRAWN = (STARTED, ev.TextDelta("You have $90"), ev.TextRetracted(9), ev.TextDelta("$80."))
ENDS = (ev.RunFailed("model_unavailable", "Try again.", True), ev.RunCancelled())


def said(text: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"model": "penny", "messages": [{"role": "user", "content": text}]} | more


def test_withdrawn_text_is_said_to_be_in_both_wires() -> None:
    """Text cannot be taken back: the stream says that it starts over; the whole text is the reply and nothing else."""
    events = (*WITHDRAWN, ev.RunFinished("m", "You have $80."))
    completion, reply = Completion("r", "s", 1), Reply("r", "s", 1)
    chunks = [chunk for event in events for chunk in completion.encode(event)]
    streamed = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert streamed == f"You have $90{STARTS_OVER}You have $80."
    assert completion.whole()["choices"][0]["message"]["content"] == "You have $80."
    told = [event for each in events for event in reply.encode(each)]
    assert "".join(e["delta"] for e in told if e["type"].endswith("delta")) == streamed
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "You have $80."
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.type)
def test_a_run_that_ends_badly_ends_the_stream_with_an_error(end: ev.Event) -> None:
    """Chat completions get an error chunk, responses `response.failed`; neither says that it is complete."""
    completion, reply = Completion("r", "s", 1, include_usage=True), Reply("r", "s", 1)
    for event in (STARTED, ev.TextDelta("You have")):
        list(completion.encode(event))
        list(reply.encode(event))
    assert list(completion.encode(end))[-1].keys() == {"error"}
    failed = list(reply.encode(end))[-1]
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")


@pytest.mark.parametrize(
    ("outcome", "reason", "detail"),
    [
        ("cut", "length", "max_output_tokens"),
        ("filtered", "content_filter", "content_filter"),
        ("guardrail", "content_filter", "content_filter"),
        ("refused", "stop", None),
        (None, "stop", None),
    ],
)
def test_a_reply_that_fell_short_says_how(outcome: str | None, reason: str, detail: str | None) -> None:
    """A cut or filtered reply has OpenAI's finish reason, and as a response is `incomplete`, streamed and whole."""
    completion, reply = Completion("r", "s", 1), Reply("r", "s", 1)
    told: list[dict[str, Any]] = []
    for event in (STARTED, ev.TextDelta("You have"), ev.RunFinished("m", "You have", outcome)):
        chunks = list(completion.encode(event))
        told += reply.encode(event)
    assert chunks[-1]["choices"][0]["finish_reason"] == reason
    assert completion.whole()["choices"][0]["finish_reason"] == reason
    status = "incomplete" if detail else "completed"
    assert told[-1]["type"] == f"response.{status}"
    assert reply.whole()["status"] == status
    assert reply.whole()["incomplete_details"] == ({"reason": detail} if detail else None)


async def test_a_failed_run_is_not_to_be_asked_for_again(client: httpx.AsyncClient, parts: Any) -> None:
    """The error has OpenAI's shape and tells its clients not to repeat the request, for the message is stored."""
    parts.runner.script = [("run.failed", {"code": "model_unavailable", "message": "Try again.", "retryable": True})]
    for path, body in ((CHAT, said()), (RESPONSES, {"model": "penny", "input": "hello"})):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, "model"),
        (said() | {"model": 5}, "model"),
        (said() | {"messages": []}, "messages"),
        (said() | {"messages": "hi"}, "messages"),
        (said() | {"messages": [5]}, "messages.0"),
        (said() | {"messages": [{"role": "system", "content": "hi"}]}, "messages"),
        (said() | {"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "content": "x"}]}, "messages"),
        (said(None), "messages"),
        (said([]), "messages"),
        (said([5]), "messages"),
        (said([{"type": "image_url", "image_url": {"url": "https://x"}}]), "messages"),
        (said([{"type": "text"}]), "messages"),
        (said("a\u0000b"), "messages"),
        (said(n=2), "n"),
        (said(tools=[{"type": "function"}]), "tools"),
        (said(response_format={"type": "json_object"}), "response_format"),
        (said(logprobs=True), "logprobs"),
        (said(stop="\n"), "stop"),
        (said(stream="maybe"), "stream"),
        (said(stream_options=5), "stream_options"),
        (said(metadata={"session_id": 5}), "metadata"),
        (said(metadata=5), "metadata"),
        (said(user=""), "user"),
        (said(metadata={"session_id": "a\nb"}), None),
    ],
)
async def test_completions_that_cannot_be_made(client: httpx.AsyncClient, body: dict[str, Any], param: str) -> None:
    """Each is a 400 in OpenAI's shape that names the parameter; nothing is said."""
    await refused(client, CHAT, body, param)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "assistant", "content": "hi"}]}, "input"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"text": {"format": {"type": "json_schema"}}}, "text"),
        ({"background": True}, "background"),
        ({"store": False}, "store"),
        ({"conversation": {}}, "conversation"),
        ({"conversation": 5}, None),
        ({"previous_response_id": 5}, "previous_response_id"),
    ],
)
async def test_responses_that_cannot_be_made(
    client: httpx.AsyncClient, change: dict[str, Any], param: str | None
) -> None:
    """The same for responses."""
    await refused(client, RESPONSES, {"model": "penny", "input": "hi"} | change, param)


async def refused(client: httpx.AsyncClient, path: str, body: dict[str, Any], param: str | None) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code", "request_id"}
    assert error["type"] == "invalid_request_error"
    assert param is None or error["param"].startswith(param)
    assert (await client.get("/v1/sessions")).json()["items"] == []


async def test_every_error_has_openais_shape(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    """No token, no such address, wrong method, wrong type, broken JSON, and a body that is too large."""
    answers = {
        401: await anonymous.get("/openai/v1/models"),
        404: await client.get("/openai/v1/assistants"),
        405: await client.get(CHAT),
        415: await client.post(CHAT, content=b"x=1", headers={"content-type": "text/plain"}),
        400: await client.post(CHAT, content=b"{", headers={"content-type": "application/json"}),
        413: await client.post(CHAT, content=orjson.dumps(said("x" * 9_000_000))),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]["code"], answer.text


async def test_an_unknown_response_is_404_for_everybody(client: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    """`previous_response_id` of another user is as unknown as one that never was, or that cannot be one."""
    mine = (await client.post(RESPONSES, json={"model": "penny", "input": "hi"})).json()
    for id_ in (mine["id"], "resp_01999999-0000-7000-8000-000000000000", "nonsense"):
        body = {"model": "penny", "input": "hi", "previous_response_id": id_}
        assert (await stranger.post(RESPONSES, json=body)).status_code == 404
    body = {"model": "penny", "input": "hi", "previous_response_id": mine["id"]}
    assert (await client.post(RESPONSES, json=body)).status_code == 200
