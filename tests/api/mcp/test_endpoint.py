"""What /mcp refuses, how it says so, and what its schemas keep out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from mcp.shared.auth import ProtectedResourceMetadata

from api.app import create_app
from api.protocols.mcp.tools import OUTPUT_SCHEMA
from tools.catalog import CATALOG

Rpc = Callable[..., Awaitable[httpx.Response]]

JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'

BAD_BODIES = [
    b"",
    b"{",
    b"null",
    b'"text"',
    b"[]",
    b"[" + CALL + b"]",
    b"\xff\xfe",
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\xc3("}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}',
    b'{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"result":{}}',
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}',
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b"9" * 5000,
]


@pytest.mark.parametrize("version", [None, "2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_a_body_that_is_no_message_is_refused(
    client: httpx.AsyncClient, body: bytes, version: str | None
) -> None:
    """400 as a JSON-RPC error that says what a message is."""
    headers = JSON | ({"MCP-Protocol-Version": version} if version else {})
    answer = await client.post("/mcp", content=body, headers=headers)
    assert answer.status_code == 400
    error = answer.json()
    assert error.keys() == {"jsonrpc", "id", "error"}
    assert error["error"]["code"] in (-32700, -32600)
    assert error["error"]["data"]["code"] in ("not_json", "bad_request")


@pytest.mark.parametrize(
    ("method", "headers", "content", "status", "code"),
    [
        ("GET", {"Accept": "text/event-stream"}, None, 405, "method_not_allowed"),
        ("DELETE", {}, None, 405, "method_not_allowed"),
        ("PUT", JSON, CALL, 405, "method_not_allowed"),
        ("POST", JSON | {"Content-Type": "text/plain"}, CALL, 415, "unsupported_media_type"),
        ("POST", {"Accept": "*/*"}, CALL, 415, "unsupported_media_type"),
        ("POST", JSON | {"Accept": "text/html"}, CALL, 406, "not_acceptable"),
        ("POST", JSON | {"Origin": "https://evil.example"}, CALL, 403, "origin_not_allowed"),
        ("POST", JSON | {"Origin": "http://127.0.0.1:8000"}, CALL, 403, "origin_not_allowed"),
        ("POST", JSON | {"Origin": "null"}, CALL, 403, "origin_not_allowed"),
        ("POST", JSON | {"Origin": "http://[bad"}, CALL, 403, "origin_not_allowed"),
        ("POST", JSON, b'{"a":"' + b"x" * 70_000 + b'"}', 413, "too_large"),
        ("POST", JSON | {"Authorization": "Bearer nonsense"}, CALL, 401, "unauthorized"),
        ("POST", JSON | {"Authorization": "Basic dTpw"}, CALL, 401, "unauthorized"),
    ],
)
async def test_what_is_refused_before_the_protocol(
    client: httpx.AsyncClient, method: str, headers: dict[str, str], content: bytes | None, status: int, code: str
) -> None:
    """Each refusal is a JSON-RPC error with a stable code and the HTTP status that fits."""
    answer = await client.request(method, "/mcp", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["data"]["code"] == code
    assert error["data"]["request_id"] == answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


async def test_a_client_without_a_token_is_led_to_the_authorization_server(parts: Any, anonymous: Any) -> None:
    """Where an identity provider gives the tokens, the 401 names the metadata, and the metadata names the provider."""
    parts.authorization_server, parts.public_url = "https://id.example", "https://penny.example/"
    refused = await anonymous.post("/mcp", content=CALL, headers=JSON)
    where = "https://penny.example/.well-known/oauth-protected-resource/mcp"
    assert refused.headers["www-authenticate"] == f'Bearer realm="penny", resource_metadata="{where}"'
    found = ProtectedResourceMetadata.model_validate((await anonymous.get(where)).json())
    assert str(found.resource) == "https://penny.example/mcp"
    assert [str(server).rstrip("/") for server in found.authorization_servers] == ["https://id.example"]
    wrong = await anonymous.post("/mcp", content=CALL, headers=JSON | {"Authorization": "Bearer nonsense"})
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


async def test_where_a_host_app_gives_tokens_nobody_is_led_anywhere(anonymous: httpx.AsyncClient) -> None:
    """There is no metadata then, and the 401 is a plain one."""
    refused = await anonymous.post("/mcp", content=CALL, headers=JSON)
    assert refused.headers["www-authenticate"] == 'Bearer realm="penny"'
    assert (await anonymous.get("/.well-known/oauth-protected-resource/mcp")).status_code == 404


async def test_only_listed_sites_may_call(parts: Any, token: str) -> None:
    """A page of an origin in the list may call, and its browser is told so; in dev mode pages of this machine may."""
    transport = httpx.ASGITransport(create_app(parts, cors_origins=["https://app.example"]))
    async with httpx.AsyncClient(transport=transport, base_url="http://penny") as client:
        headers = JSON | {"Origin": "https://app.example", "Authorization": f"Bearer {token}"}
        answer = await client.post("/mcp", content=CALL, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "mcp-protocol-version"}
        assert (await client.options("/mcp", headers=headers | asked)).status_code == 200


async def test_in_dev_mode_pages_of_this_machine_may_call(dev_client: httpx.AsyncClient, token: str) -> None:
    """An inspector on another port of this machine is not a stranger; a name that leads here is."""
    headers = JSON | {"Authorization": f"Bearer {token}"}
    for origin, status in (("http://localhost:6274", 200), ("http://rebound.example:8000", 403)):
        answer = await dev_client.post("/mcp", content=CALL, headers=headers | {"Origin": origin})
        assert answer.status_code == status


@pytest.mark.parametrize("version", ["2099-01-01", "nonsense", "2024-01-01"])
async def test_a_revision_nobody_knows_is_refused_with_those_that_are(rpc: Rpc, version: str) -> None:
    """400 with the revisions that this server speaks."""
    answer = await rpc("tools/list", headers={"MCP-Protocol-Version": version})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32022, -32020)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {}),
        ("tools/call", {"name": 7}),
        ("tools/call", {"name": "set_budget", "arguments": []}),
        ("tools/call", {"name": "set_budget", "arguments": "x"}),
        ("resources/read", {}),
        ("resources/read", {"uri": ["x"]}),
        ("prompts/get", {"name": "monthly_review", "arguments": {"month": 7}}),
        ("tools/list", {"cursor": 7}),
        ("no/such", {}),
        ("logging/setLevel", {"level": "debug"}),
    ],
)
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
async def test_wrong_parameters_are_the_clients_fault(
    rpc: Rpc, method: str, params: dict[str, Any], version: str
) -> None:
    """An error of the protocol, never a 5xx, and nothing of ours in it."""
    answer = await rpc(method, headers={"MCP-Protocol-Version": version}, **params)
    assert answer.status_code in (200, 400, 404)
    assert answer.json()["error"]["code"] in (-32601, -32602, -32020), answer.text
    assert not re.search(r"pydantic|Traceback|\.py", answer.text)


async def test_a_defect_gives_nothing_away(rpc: Rpc, parts: Any) -> None:
    """An exception that nobody foresaw is an internal error without its text, in both forms of the protocol."""

    class Broken:
        def now(self) -> None:
            raise RuntimeError("secret of the house")

    parts.clock = Broken()
    for version in ("2025-06-18", "2026-07-28"):
        answer = await rpc("tools/call", headers={"MCP-Protocol-Version": version}, name="list_accounts", arguments={})
        assert answer.json()["error"]["code"] == -32603
        assert "secret" not in answer.text


def test_no_schema_takes_or_gives_a_users_id_or_sql() -> None:
    """Neither arguments nor results speak of users, tenants, SQL, addresses or code."""

    def names(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(names, schema)) if schema else set()
        if not isinstance(schema, dict):
            return set()
        own = set(schema.get("properties", {}))
        return own.union(*map(names, schema.values())) if schema else own

    for tool in CATALOG:
        schema = tool.spec()["input_schema"]
        assert schema["additionalProperties"] is False
        assert not {n for n in names(schema) if re.search(r"user|tenant|sql|query|url|uri|code|token|owner", n)}, (
            tool.name
        )
    assert not {n for n in names(OUTPUT_SCHEMA) if re.search(r"user|tenant|sql|query|url|token|owner", n)}


async def test_nothing_is_kept_between_requests(rpc: Rpc, client: httpx.AsyncClient) -> None:
    """No session id is given, and a call needs no greeting before it, in either form."""
    for version in ("2025-11-25", "2026-07-28"):
        answer = await rpc("tools/call", headers={"MCP-Protocol-Version": version}, name="list_accounts", arguments={})
        assert answer.status_code == 200
        assert answer.json()["result"]["structuredContent"]["ok"] is True
        assert "mcp-session-id" not in answer.headers
    note = await client.post("/mcp", content=b'{"jsonrpc":"2.0","method":"notifications/initialized"}', headers=JSON)
    assert note.status_code == 202


async def test_a_server_without_mcp_clients_does_not_load_it(parts: Any) -> None:
    """The protocol's server opens with the first request and ends with the service, also when nobody came."""
    await parts.mcp.close()
    assert parts.mcp._task is None
