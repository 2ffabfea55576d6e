"""Traces: a reply is one, with its model calls and tools; off they cost no import, and no word is in them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import requests
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Refusal, Script, ToolUse, Turn
from penny.traces import _Signed

WORDS = "what about Zermatt"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


class Collector:
    """An OTLP receiver over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.url, self.raw = "", b""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def attributes(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes}


async def test_a_reply_is_a_trace_with_its_model_calls_and_tools(
    serve: Callable[..., Awaitable[Any]], collector: Collector
):
    """The real server sends it by OTLP: names and attributes of the conventions, the run's id, errors by code, no word;
    what is left at the end is sent before the process is gone, and lines of the log carry the trace's id."""
    script = Script(
        (
            Turn("", (ToolUse("list_accounts", {}),)),
            Turn("In Zermatt, nothing."),
            Turn("x", refusal=Refusal("AccessDeniedException", times=9)),
        )
    )
    async with BedrockEmulator(script) as bedrock:
        server = await serve(
            PENNY_MODEL=f"bedrock:{MODEL}",
            PENNY_TRACES="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing",
        )
        session = await server.new_session()
        answer = await server.ask(session, WORDS)
        await server.stream(session, WORDS)
        assert await server.stop() == 0
    spans = {}
    for span in collector.spans:
        spans.setdefault(span.name, []).append(span)
    first, second = sorted(spans["invoke_agent penny"], key=lambda span: span.start_time_unix_nano)
    assert attributes(first)["penny.run_id"] == answer["run_id"]
    assert attributes(first)["gen_ai.conversation.id"] == session
    assert attributes(second)["error.type"] == "model_refused"
    chats = sorted(spans[f"chat {MODEL}"], key=lambda span: span.start_time_unix_nano)
    assert [chat.parent_span_id for chat in chats] == [first.span_id, first.span_id, second.span_id]
    told = attributes(chats[1])
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "aws.bedrock"
    assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == MODEL
    assert told["gen_ai.usage.output_tokens"] > 0
    (tool,) = spans["execute_tool list_accounts"]
    assert tool.parent_span_id == first.span_id
    assert attributes(tool)["gen_ai.tool.name"] == "list_accounts"
    token = server.client.headers["authorization"].split()[1]
    assert not [words for words in (b"Zermatt", WORDS.encode(), token.encode()) if words in collector.raw]
    ends = [json.loads(line) for line in server.said if '"run.ended"' in line]
    assert [end["trace_id"] for end in ends] == [first.trace_id.hex(), second.trace_id.hex()]


def test_without_traces_nothing_of_ours_is_imported_for_them():
    """No exporter, no thread. (LangSmith, which langchain-core brings, looks for OpenTelemetry's SDK by itself.)"""
    code = "import sys, penny.server; sys.exit(bool({'penny.traces', 'opentelemetry.exporter'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_requests_to_x_ray_are_signed_and_no_others(monkeypatch: pytest.MonkeyPatch):
    """X-Ray's own OTLP endpoint takes spans from the task's role; a collector gets no credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def sent(url: str) -> Any:
        headers = {"Content-Type": "application/x-protobuf"}
        return requests.Request("POST", url, data=b"spans", headers=headers, auth=_Signed()).prepare().headers

    signed = sent("https://xray.eu-central-1.amazonaws.com/v1/traces")["Authorization"]
    assert "/eu-central-1/xray/aws4_request" in signed
    assert "Authorization" not in sent("http://127.0.0.1:4318/v1/traces")
    assert "Authorization" not in sent("https://xray.evil.example/v1/traces")
