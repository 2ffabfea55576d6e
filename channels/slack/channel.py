"""Slack as a channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from channels import chart_image
from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, TryLater, Webhook
from channels.markdown import split, write
from channels.replying import so_far
from channels.slack import parse, render, send, verify
from channels.slack.manifest import scopes_of
from channels.slack.pace import Pace
from channels.slack.parse import View
from channels.slack.status import Status
from channels.slack.stream import Streams, settled

API_URL = "https://slack.com/api/"

EDITS_A_MINUTE = 40
"""Slack takes about 50 a minute in a workspace; the rest is for replies that are whole."""

STREAMED = "stream"
"""Ends the name of a message that is streamed: "D1:1700000000.000100:stream"."""


@dataclass
class SlackChannel:
    """`signing_secret` signs what Slack sends, `bot_token` opens its API at `api_url`; `view` is how people see Penny
    there."""

    signing_secret: str = field(repr=False)
    bot_token: str = field(repr=False)
    api_url: str = API_URL
    view: View = "messages"
    name: str = "slack"
    edit_seconds: float | None = 2.0
    window_hours: float | None = None
    templates: bool = False

    def __post_init__(self) -> None:
        self._client = AsyncWebClient(self.bot_token, base_url=self.api_url, timeout=15, retry_handlers=[])
        self._streams = Streams(self._client)
        self._status = Status(self._client)
        self._edits = Pace(EDITS_A_MINUTE)

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.signing_secret, hook.headers, hook.body, hook.received):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(hook.body, hook.headers.get("content-type", ""), self.view)

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply, locale)

    def home(self, chat: str) -> str:
        return chat.partition(":")[0]

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return None

    def progress(self, text: str, doing: str) -> Payload:
        shown = (split(write(so_far(text, doing), render.MRKDWN), render.SECTION_LIMIT) or ["…"])[-1]
        return {"draft": render.message(shown), "stream": settled(text)}

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        channel, _, thread = chat.partition(":")
        if "title" in payload or "prompts" in payload:
            return await self._decorate(channel, thread, payload)
        if "chart" in payload:
            return await self._picture(channel, thread, payload)
        if "draft" in payload:
            self._status.seen(chat)
            if thread and channel.startswith("D"):
                ts = await self._streams.start(channel, thread, payload["stream"])
                if ts is not None:
                    return f"{channel}:{ts}:{STREAMED}"
            payload = payload["draft"]
        else:
            self._status.over(chat)
        more: dict[str, Any] = {"thread_ts": thread} if thread else {}
        answer = await send.call(
            self._client, "chat.postMessage", channel=channel, unfurl_links=False, unfurl_media=False, **payload, **more
        )
        return f"{answer['channel']}:{answer['ts']}"

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        channel, ts, kind = (*ref.split(":"), "")[:3]
        if "draft" in payload:
            await self._grow(channel, ts, kind == STREAMED, payload)
            return
        self._status.over(chat)
        if kind == STREAMED:
            await self._streams.stop(channel, ts)
        await send.call(self._client, "chat.update", channel=channel, ts=ts, **payload)

    async def _grow(self, channel: str, ts: str, streamed: bool, payload: Payload) -> None:
        if streamed:
            if await self._streams.grow(channel, ts, payload["stream"]):
                return
            await self._streams.stop(channel, ts)
        if self._edits.may():
            try:
                await send.call(self._client, "chat.update", channel=channel, ts=ts, **payload["draft"])
            except TryLater as later:
                self._edits.wait(later.retry_after or 0.0)
                raise

    async def _decorate(self, channel: str, thread: str, payload: Payload) -> str:
        """Gives the thread its title, or shows what might be asked there."""
        where = {"channel_id": channel, "thread_ts": thread}
        if "title" in payload:
            await send.call(self._client, "assistant.threads.setTitle", **where, title=payload["title"])
        else:
            prompts = [{"title": prompt, "message": prompt} for prompt in payload["prompts"]]
            await send.call(self._client, "assistant.threads.setSuggestedPrompts", **where, prompts=prompts)
        return ""

    async def _picture(self, channel: str, thread: str, payload: Payload) -> str:
        """Uploads a chart; a file goes to a conversation, so that of a person is opened first."""
        if channel.startswith("U"):
            opened = await send.call(self._client, "conversations.open", users=channel)
            channel = opened["channel"]["id"]
        image = await asyncio.to_thread(chart_image.draw, payload["chart"], payload["locale"])
        return await send.upload(self._client, channel, thread, image, payload["chart"]["title"])

    async def check(self) -> str:
        answer, scopes = await send.identity(self._client)
        said = f"Slack knows us as {answer.get('user', '?')} in {answer.get('team', '?')}."
        lacking = [scope for scope in scopes_of(self.view) if scope not in scopes] if scopes else []
        if lacking:
            said += f" The app lacks the scopes {', '.join(lacking)}: install it again, with the manifest as it is now."
        return said

    async def typing(self, chat: str, doing: str) -> None:
        channel, _, thread = chat.partition(":")
        if thread:  # elsewhere bots have no such sign in Slack; the message that grows shows it
            with contextlib.suppress(Refused, TryLater):
                await self._status.show(chat, channel, thread, doing)

    async def close(self) -> None:
        return  # the library opens a connection for each call
