"""What the clients' tests stand on."""

from __future__ import annotations

from typing import Any


async def test_node_scripts_reach_the_service_and_their_packages(penny: Any, node: Any) -> None:
    """A script runs on a Node that all the packages support, imports one of them, and talks to the service."""
    script = """
        import OpenAI from "openai";
        const health = await fetch(process.env.PENNY_URL + "/healthz");
        console.log(JSON.stringify({ node: process.versions.node, status: health.status, openai: typeof OpenAI }));
    """
    ran = await node(script, PENNY_URL=penny.url)
    assert '"status":200' in ran.out
    assert '"openai":"function"' in ran.out
    assert int(ran.out.split('"node":"')[1].split(".")[0]) >= 22


async def test_a_person_gets_a_reply_from_the_emulator(penny: Any) -> None:
    """A new user says something over HTTP and the model behind the emulator answers."""
    person = await penny.person()
    session = (await person.client.post("/v1/sessions", json={})).json()["id"]
    said = await person.client.post(f"/v1/sessions/{session}/messages", json={"text": "say 3 0"})
    assert (said.status_code, said.json()["reply"]) == (200, "word0 word1 word2")
