"""Telegram as a channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, LinkPreviewOptions

from channels import chart_image
from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, TryLater, Webhook
from channels.replying import so_far
from channels.telegram import parse, render, send, verify

API_URL = "https://api.telegram.org"
TIMEOUT_SECONDS = 15.0
UPDATES = ("message", "edited_message", "callback_query")
"""The kinds of updates that Penny takes."""


@dataclass
class TelegramChannel:
    """`bot_token` opens the Bot API at `api_url`, `webhook_secret` comes with every update."""

    bot_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_url: str = API_URL
    name: str = "telegram"
    edit_seconds: float | None = 2.0
    """Telegram takes about one message a second in a chat, and counts edits."""
    window_hours: float | None = None
    templates: bool = False

    _bot: Bot | None = None

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.webhook_secret, hook.headers):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(hook.body)

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply, locale)

    def home(self, chat: str) -> str:
        return chat

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return None

    def progress(self, text: str, doing: str) -> Payload:
        return render.message((render.texts(so_far(text, doing)) or ["…"])[-1])

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        if "chart" in payload:
            image = await asyncio.to_thread(chart_image.draw, payload["chart"], payload["locale"])
            photo = BufferedInputFile(image, "chart.png")
            sent = await send.call(
                lambda: self._api().send_photo(chat, photo, caption=payload["chart"]["title"][:1024])
            )
            return str(sent.message_id)
        sent = await send.call(
            lambda: self._api().send_message(
                chat,
                payload["text"],
                parse_mode=payload["parse_mode"],
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_markup(payload),
            )
        )
        return str(sent.message_id)

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        try:
            await send.call(
                lambda: self._api().edit_message_text(
                    payload["text"],
                    chat_id=chat,
                    message_id=int(ref),
                    parse_mode=payload["parse_mode"],
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=_markup(payload),
                )
            )
        except Refused as refused:
            if not send.unchanged(refused):
                raise

    async def check(self) -> str:
        me = await send.call(lambda: self._api().get_me())
        hook = await send.call(lambda: self._api().get_webhook_info())
        said = f"Telegram knows us as @{me.username}; it sends updates to {hook.url or 'nowhere yet: set the webhook'}."
        lacking = [kind for kind in UPDATES if hook.allowed_updates and kind not in hook.allowed_updates]
        if lacking:
            said += f" It keeps {', '.join(lacking)} back: set the webhook again with these in allowed_updates."
        if hook.last_error_message:
            said += f" Its last trouble with that address: {hook.last_error_message}."
        return said

    async def typing(self, chat: str, doing: str) -> None:
        with contextlib.suppress(Refused, TryLater):
            await send.call(lambda: self._api().send_chat_action(chat, "typing"))

    async def close(self) -> None:
        if self._bot is not None:
            await self._bot.session.close()

    def _api(self) -> Bot:
        """The client, made when it is first needed: its token is checked for its form, its session needs a loop."""
        if self._bot is None:
            server = TelegramAPIServer.from_base(self.api_url.rstrip("/"))
            self._bot = Bot(self.bot_token, session=AiohttpSession(api=server, timeout=TIMEOUT_SECONDS))
        return self._bot


def _markup(payload: Payload) -> InlineKeyboardMarkup | None:
    return InlineKeyboardMarkup.model_validate(payload["reply_markup"]) if "reply_markup" in payload else None
