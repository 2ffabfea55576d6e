"""Slack as a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from channels import chart_image
from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Reply, Webhook
from channels.markdown import split, write
from channels.slack import parse, render, send, verify

API_URL = "https://slack.com/api/"


@dataclass
class SlackChannel:
    """`signing_secret` signs what Slack sends, `bot_token` opens its API at `api_url`."""

    signing_secret: str = field(repr=False)
    bot_token: str = field(repr=False)
    api_url: str = API_URL
    name: str = "slack"
    edit_seconds: float | None = 2.0
    """Slack takes about 50 edits a minute."""
    window_hours: float | None = None
    templates: bool = False

    def __post_init__(self) -> None:
        self._client = AsyncWebClient(self.bot_token, base_url=self.api_url, timeout=15, retry_handlers=[])

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.signing_secret, hook.headers, hook.body, hook.received):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(hook.body, hook.headers.get("content-type", ""))

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply, locale)

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return None

    def progress(self, text: str) -> Payload:
        return render.message((split(write(text, render.MRKDWN), render.SECTION_LIMIT) or ["…"])[-1])

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        channel, _, thread = chat.partition(":")
        if "chart" in payload:
            return await self._picture(channel, thread, payload)
        more: dict[str, Any] = {"thread_ts": thread} if thread else {}
        answer = await send.call(
            self._client, "chat.postMessage", channel=channel, unfurl_links=False, unfurl_media=False, **payload, **more
        )
        return f"{answer['channel']}:{answer['ts']}"

    async def _picture(self, channel: str, thread: str, payload: Payload) -> str:
        """Uploads a chart; a file goes to a conversation, so that of a person is opened first."""
        if channel.startswith("U"):
            opened = await send.call(self._client, "conversations.open", users=channel)
            channel = opened["channel"]["id"]
        image = await asyncio.to_thread(chart_image.draw, payload["chart"], payload["locale"])
        return await send.upload(self._client, channel, thread, image, payload["chart"]["title"])

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        channel, _, ts = ref.partition(":")
        await send.call(self._client, "chat.update", channel=channel, ts=ts, **payload)

    async def check(self) -> str:
        answer = await send.call(self._client, "auth.test")
        return f"Slack knows us as {answer.get('user', '?')} in {answer.get('team', '?')}."

    async def typing(self, chat: str) -> None:
        return  # bots have no such sign in Slack; the message that grows shows it

    async def close(self) -> None:
        return  # the library opens a connection for each call
