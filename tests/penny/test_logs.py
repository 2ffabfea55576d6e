"""What the service writes while people talk to it: JSON lines with the run's id, metrics, and none of their words."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Script, StreamException, ToolUse, Turn

WORDS = "my therapist in Zermatt was paid from card 4242424242424242"
REPLY = "Your secret holiday in Zermatt cost a fortune."
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "PENNY_STANDARD_WEBHOOK_SECRET": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU",
    "PENNY_STANDARD_OUT_SECRET": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElK",
}


async def test_a_service_that_is_talked_to_logs_lines_of_json_and_nobodys_words(
    environment_of: Callable[..., dict[str, str]], tmp_path: Path
):
    """Replies, a tool, a proposal, failures of the model, a wrong token, a malformed body: every line can be read by a
    machine, each run's end is told, metrics come out, and no word, token, secret or card number is anywhere."""
    script = Script(
        (
            Turn(REPLY),
            Turn("", (ToolUse("add_transaction", {"amount": "12", "merchant": "Zermatt Pharmacy"}),)),
            Turn("Shall I add Zermatt Pharmacy?"),
            Turn("In Zermatt, then", fault=StreamException(2, "modelStreamErrorException", "about Zermatt")),
        ),
        then="repeat_last",
    )
    async with BedrockEmulator(script) as bedrock:
        environment = environment_of(
            PENNY_MODEL="bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            PENNY_METRICS="emf",
            PENNY_STANDARD_OUT_URL="http://127.0.0.1:9/nobody",
            AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
            **SECRETS,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", "serve", "--port", "0", env=environment, cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        said = b""
        try:
            async with asyncio.timeout(90):
                while not (found := re.search(rb"ready: (http://\S+)", said)):
                    said += await process.stderr.readline()
                    assert process.returncode is None, said.decode()
            token = await _talk(found[1].decode())
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), 90)
    told = [json.loads(line) for line in (said + err).decode().splitlines() if not line.startswith("penny: ")]
    metrics = [json.loads(line) for line in out.decode().splitlines()]

    ends = [line for line in told if line["event"] == "run.ended"]
    assert [end["status"] for end in ends] == ["finished", "finished", "failed"]
    assert all(end["run_id"] for end in ends)
    assert ends[2]["code"] == "model_unavailable"
    assert sum(line.get("RunsFinished", 0) for line in metrics) == 2
    assert sum(line.get("RunsFailed", 0) for line in metrics) == 1
    assert sum(line.get("BedrockErrors", 0) for line in metrics) == 1
    assert sum(line.get("OutputTokens", 0) for line in metrics) > 0
    everything = (said + err + out).decode()
    for hidden in (token, WORDS, REPLY, "Zermatt", "therapist", "4242", "AKIA", "postgresql://", *SECRETS.values()):
        assert hidden not in everything


async def _talk(url: str) -> str:
    """What people and programs do, right and wrong; gives the token they did it with."""
    async with httpx.AsyncClient(base_url=url, timeout=90) as client:
        token: str = (await client.get("/dev/token")).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        session = (await client.post("/v1/sessions", json={"title": WORDS})).json()["id"]
        path = f"/v1/sessions/{session}/messages"
        for text in (WORDS, "I spent 12 at the Zermatt pharmacy", "And in Zermatt?"):
            await client.post(path, json={"text": text}, headers={"Accept": "application/json"})
        await client.post(path, content=b'{"text": "Zermatt', headers={"Content-Type": "application/json"})
        await client.get("/v1/me", headers={"Authorization": f"Bearer {token}x"})
        await client.get("/v1/me", headers={"Connection": "Upgrade", "Upgrade": "Zermatt"})
        await client.post("/webhooks/standard", content=WORDS, headers={"webhook-signature": "v1,Zermatt"})
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"GET / Zermatt\r\n\r\n")  # no HTTP at all
        await reader.read()
        writer.close()
        return token
