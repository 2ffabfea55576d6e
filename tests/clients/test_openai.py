"""OpenAI's own packages, in Python and Node, and deep-chat in Chromium."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import AsyncOpenAI
from playwright.async_api import Page, Route, async_playwright

ARGUMENTS = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
"""The page is not really served from this machine, so the browser would not let it call the service that is."""

SITE = "http://localhost:4321/"
"""A page of another origin that the service allows."""

WORDS = "word0 word1 word2"


@pytest.fixture
async def connect(penny: Any) -> AsyncIterator[Callable[..., AsyncOpenAI]]:
    """Makes clients: `connect(person)`."""
    opened: list[AsyncOpenAI] = []

    def connected(person: Any, **options: Any) -> AsyncOpenAI:
        client = AsyncOpenAI(base_url=f"{penny.url}/openai/v1", api_key=person.token, **options)
        opened.append(client)
        return client

    yield connected
    for client in opened:
        await client.close()


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "penny", "messages": [{"role": "user", "content": text}], **more}


async def test_a_completion_whole_and_streamed(penny: Any, connect: Any, record_property: Any) -> None:
    """Both ways give the same text; usage comes when it is asked for, last."""
    record_property("openai", openai.__version__)
    print(f"openai {openai.__version__} (Python)")  # noqa: T201
    client = connect(await penny.person())
    whole = await client.chat.completions.create(**ask("say 3 0"))
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (WORDS, "stop")
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    stream = await client.chat.completions.create(**ask("say 3 0"), stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == WORDS
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert {chunk.usage for chunk in chunks[:-1]} == {None}


async def test_a_response_whole_and_streamed(penny: Any, connect: Any) -> None:
    """Both ways give the same text; the stream's events are those that the package's accumulator expects."""
    client = connect(await penny.person())
    whole = await client.responses.create(model="penny", input="say 3 0", metadata={"trip": "lisbon"})
    assert (whole.output_text, whole.status, whole.metadata) == (WORDS, "completed", {"trip": "lisbon"})
    assert whole.usage.total_tokens > 0
    async with client.responses.stream(model="penny", input="say 3 0") as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert final.output_text == WORDS
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


async def test_a_conversation_goes_on_however_it_is_named(penny: Any, connect: Any) -> None:
    """Header, metadata, `user`, conversation and the response before lead to the session; no name makes a new one."""
    person = await penny.person()
    client = connect(person)
    first = await client.responses.create(model="penny", input="say 1 0")
    session = first.penny["session_id"]
    second = await client.responses.create(model="penny", input="say 2 0", previous_response_id=first.id)
    third = await client.responses.create(model="penny", input="say 3 0", conversation=first.conversation.id)
    fourth = await client.chat.completions.create(**ask("say 4 0", metadata={"session_id": session}))
    fifth = await client.chat.completions.create(**ask("say 5 0"), extra_headers={"Penny-Session-Id": session})
    assert {answer.penny["session_id"] for answer in (second, third, fourth, fifth)} == {session}
    said = (await person.client.get(f"/v1/sessions/{session}/messages")).json()["items"]
    assert [item["text"] for item in said if item["role"] == "user"] == [f"say {n} 0" for n in range(1, 6)]
    named = [await client.chat.completions.create(**ask("say 1 0", user="u-17")) for _ in range(2)]
    assert len({answer.penny["session_id"] for answer in named}) == 1
    fresh = [await client.chat.completions.create(**ask("say 1 0")) for _ in range(2)]
    assert len({answer.penny["session_id"] for answer in [*named, *fresh]}) == 3


async def test_two_users_with_one_name_never_meet(penny: Any, connect: Any) -> None:
    """Two users who talk at once under the same names each get their own conversation."""
    one, two = await penny.person(), await penny.person()
    clients = [connect(one), connect(two)]
    answers = await asyncio.gather(
        *(c.chat.completions.create(**ask(f"say {5 + n} 0.01", user="shared")) for n, c in enumerate(clients))
    )
    assert [len(answer.choices[0].message.content.split()) for answer in answers] == [5, 6]
    sessions = [answer.penny["session_id"] for answer in answers]
    assert sessions[0] != sessions[1]
    assert (await one.client.get(f"/v1/sessions/{sessions[1]}")).status_code == 404
    theirs = await clients[1].responses.create(model="penny", input="say 1 0")
    with pytest.raises(openai.NotFoundError):
        await clients[0].responses.create(model="penny", input="say 1 0", previous_response_id=theirs.id)


async def test_a_change_is_a_proposal_beside_the_answer(penny: Any, connect: Any) -> None:
    """What the model proposes stands in `penny`, streamed and whole, and is applied over Penny's own route only."""
    person = await penny.person()
    client = connect(person)
    whole = await client.chat.completions.create(**ask("set dining to 250"))
    (proposal,) = whole.penny["proposals"]
    stream = await client.chat.completions.create(**ask("set travel to 90"), stream=True)
    (last,) = [chunk async for chunk in stream if getattr(chunk, "penny", None)]
    assert len(last.penny["proposals"]) == 1
    applied = await person.client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    assert applied.status_code == 200


async def test_errors_are_those_that_the_package_raises(penny: Any, connect: Any) -> None:
    """A wrong model, a wrong key, an unsupported parameter and a message too long are the package's own exceptions."""
    person = await penny.person()
    client = connect(person, max_retries=0)
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(**ask("hi") | {"model": "gpt-4o"})
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(openai.BadRequestError) as unsupported:
        await client.chat.completions.create(**ask("hi", tools=[tool]))
    assert (unsupported.value.code, unsupported.value.param) == ("unsupported_parameter", "tools")
    with pytest.raises(openai.BadRequestError) as long:
        await client.responses.create(model="penny", input="x" * 9000)
    assert long.value.code == "invalid_input"
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="nonsense").models.list()
    assert [model.id async for model in await client.models.list()] == ["penny"]


async def test_a_request_sent_again_is_one_run(penny: Any, connect: Any) -> None:
    """The same Idempotency-Key gives the same run, with a named conversation and without."""
    client = connect(await penny.person())
    for more in ({}, {"user": "keyed"}):
        key = {"Idempotency-Key": uuid4().hex}
        answers = [await client.chat.completions.create(**ask("say 2 0", **more), extra_headers=key) for _ in range(2)]
        assert len({answer.id for answer in answers}) == 1


async def test_the_documented_python_program(penny: Any, example: Any, tmp_path: Path) -> None:
    """docs/clients/openai.md, Python: an answer, then a proposal in the same conversation."""
    person = await penny.person()
    out = await _ran([sys.executable, "-c", example("openai.md", "ask.py")], penny, person)
    assert "Proposed, not applied yet: " in out


async def test_the_documented_node_program(penny: Any, node: Any, example: Any) -> None:
    """docs/clients/openai.md, Node: streamed text, the proposal, the usage."""
    print(f"openai {node.version('openai')} (Node)")  # noqa: T201
    person = await penny.person()
    ran = await node(example("openai.md", "ask.mjs"), PENNY_URL=penny.url, PENNY_TOKEN=person.token)
    assert "Proposed, not applied yet: " in ran.out
    assert " tokens" in ran.out


async def test_the_documented_curl_call(penny: Any, example: Any) -> None:
    """docs/clients/openai.md, curl: a completion."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    out = await _ran(["sh", "-c", example("openai.md", "ask.sh")], penny, await penny.person())
    assert json.loads(out)["choices"][0]["message"]["content"] == WORDS


@pytest.mark.browser
async def test_the_documented_element_in_a_browser(penny: Any, node: Any, example: Any, page: Page) -> None:
    """docs/clients/openai.md, deep-chat: what is typed is answered, streamed, on a page of another origin."""
    print(f"deep-chat {node.version('deep-chat')}")  # noqa: T201
    person = await penny.person()
    bundle = (node.folder / "node_modules/deep-chat/dist/deepChat.bundle.js").read_text()
    html = (
        f"<!doctype html><script>window.PENNY_URL={json.dumps(penny.url)};"
        f"window.PENNY_TOKEN={json.dumps(person.token)}</script>"
        f'<script type="module" src="/deepChat.bundle.js"></script>{example("openai.md", "deep-chat.html")}'
    )

    async def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            await route.fulfill(body=bundle, content_type="text/javascript")
        elif route.request.url == SITE:
            await route.fulfill(body=html, content_type="text/html")
        elif route.request.url.startswith(penny.url):
            await route.continue_()
        else:  # the element's font, from another site
            await route.abort()

    await page.route("**", serve)
    await page.goto(SITE)
    await page.locator("deep-chat #text-input").fill("say 3 0.01")
    await page.locator("deep-chat #text-input").press("Enter")
    await page.locator("deep-chat .ai-message-text", has_text=WORDS).wait_for(timeout=20_000)
    await page.locator("deep-chat #text-input").fill("say 2 0")
    await page.locator("deep-chat #text-input").press("Enter")
    await page.wait_for_function(
        "document.querySelector('deep-chat').shadowRoot.querySelectorAll('.ai-message-text').length === 2",
        timeout=60_000,
    )


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of the system's Chromium. Without one the test is skipped, but on CI it fails."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        reason = "This test needs Chromium: apt-get install chromium (or Chrome) puts one in PATH."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        opened = await browser.new_page()
        yield opened
        await browser.close()


async def _ran(command: list[str], penny: Any, person: Any) -> str:
    environment = {**os.environ, "PENNY_URL": penny.url, "PENNY_TOKEN": person.token}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, f"{out.decode()}{err.decode()}"
    return out.decode()
