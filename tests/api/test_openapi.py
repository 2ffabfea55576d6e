"""The OpenAPI document, and what it is used to check."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from agent.events import Event

METHODS = {"get", "post", "put", "patch", "delete"}


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """(METHOD, path, operation) of everything documented."""
    paths = app.openapi()["paths"]
    return [(m.upper(), p, o) for p, ops in paths.items() for m, o in ops.items() if m in METHODS]


async def test_the_document_is_served(anonymous: httpx.AsyncClient, app: FastAPI) -> None:
    """/openapi.json is the document, without a token, and its references lead somewhere."""
    document = (await anonymous.get("/openapi.json")).json()
    assert document == app.openapi()
    for name in re.findall(r"#/components/schemas/([\w.\[\]-]+)", str(document)):
        assert name in document["components"]["schemas"], name


def test_every_operation_is_described(app: FastAPI) -> None:
    """Each has a summary, a description and a success; under /v1 it needs a token and documents its problems."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    others = {"/openai/": "OpenAIErrorBody", "/mcp": "JsonRpcErrorBody", "/ag-ui": "RunErrorEvent"}
    for method, path, operation in operations(app):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert any(status.startswith("2") for status in operation["responses"]), where
        for status, answer in operation["responses"].items():
            shape = next((shape for start, shape in others.items() if path.startswith(start)), None)
            of_theirs = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
            expected = of_theirs if shape else problem
            assert status.startswith("2") or answer["content"] == expected, f"{where} {status}"
        if path.startswith("/v1/"):
            assert operation["security"] == [{"bearer": []}], where
            assert {"401", "422", "500", "503"} <= operation["responses"].keys(), where
            assert ("404" in operation["responses"]) or "{" not in path, where
            assert {"400", "413", "415"} <= operation["responses"].keys() or "requestBody" not in operation, where


def test_every_parameter_and_event_is_described(app: FastAPI) -> None:
    """Parameters say what they are, and streams name every type of event with the schema of its data."""
    for method, path, operation in operations(app):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{method} {path} {parameter['name']}"
    stream = app.openapi()["paths"]["/v1/runs/{run_id}/events"]["get"]["responses"]["200"]["content"]
    assert stream["text/event-stream"]["x-events"].keys() == {kind.type for kind in Event.__args__}


def test_bodies_refuse_what_they_do_not_know(app: FastAPI) -> None:
    """Every request body of Penny's own is closed: `additionalProperties: false`. Clients of other protocols send more
    than Penny reads."""
    document = app.openapi()
    for method, path, operation in operations(app):
        if "requestBody" in operation and path.startswith("/v1/"):
            (content,) = operation["requestBody"]["content"].values()
            schema = content["schema"]
            refs = re.findall(r"schemas/(\w+)", str(schema))
            assert refs, f"{method} {path}"
            assert all(document["components"]["schemas"][r]["additionalProperties"] is False for r in refs)


def body_for(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """The least body that the operation accepts, made from its schema."""
    if "requestBody" not in operation:
        return None
    (name,) = re.findall(r"schemas/(\w+)", str(operation["requestBody"]))
    schema = document["components"]["schemas"][name]
    return dict.fromkeys(schema.get("required", []), "x")


async def test_another_users_things_are_nowhere(
    app: FastAPI, client: httpx.AsyncClient, stranger: httpx.AsyncClient, session_id: str, things: dict[str, str]
) -> None:
    """On every route with an id, another user's id is 404 exactly as one that does not exist, and nothing happens."""
    document = app.openapi()
    checked = 0
    for method, path, operation in operations(app):
        names = re.findall(r"{(\w+)}", path)
        if not names:
            continue
        body = body_for(document, operation)
        answers = []
        for values in (things, {name: str(uuid4()) for name in names}):
            answer = await stranger.request(method, path.format_map(values), json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), f"{method} {path}: {answer.text}"
            answers.append(re.sub(r"[0-9a-f-]{36}|\"request_id\":\"\w+\"", "", answer.text))
        assert answers[0] == answers[1], f"{method} {path}"
        garbled = await stranger.request(method, path.format_map(dict.fromkeys(names, "no%00id")), json=body)
        assert garbled.status_code == 404, f"{method} {path}: {garbled.text}"
        checked += 1
    assert checked >= 10
    mine = await client.get(f"/v1/sessions/{session_id}")
    assert mine.status_code == 200
    assert mine.json()["title"] != "x"


@pytest.fixture
async def things(client: httpx.AsyncClient, session_id: str, proposal: dict[str, Any]) -> dict[str, str]:
    """Ids of things that `client`'s user has, by the names that paths give them."""
    said = await client.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "hello"}, headers={"prefer": "respond-async"}
    )
    applied = await client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    remembered = await client.post("/v1/facts", json={"text": "I have a dog"})
    return {
        "session_id": session_id,
        "chat_id": session_id,
        "run_id": said.json()["run_id"],
        "channel": "standard",
        "token": said.json()["run_id"],  # is no address of the run's pictures
        "proposal_id": proposal["id"],
        "journal_id": applied.json()["journal_id"],
        "fact_id": remembered.json()["id"],
    }
