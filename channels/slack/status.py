"""The line under a thread that says what Penny is doing. Slack takes it away when a message comes, and after two
minutes."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from slack_sdk.web.async_client import AsyncWebClient

from channels.channel import Refused
from channels.slack.send import call

LASTS_SECONDS = 100.0
KEPT = 1000


class Status:
    """What is shown in which chat: set once a reply, and again before it lapses, until there is a message to see."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._shown: OrderedDict[str, float] = OrderedDict()
        self._there = True

    async def show(self, chat: str, channel: str, thread: str, doing: str) -> None:
        """Shows it, unless it is shown. Raises Refused, TryLater."""
        now = time.monotonic()
        if not self._there or now - self._shown.get(chat, -math.inf) < LASTS_SECONDS:
            return
        self._note(chat, now)
        try:
            await call(self._client, "assistant.threads.setStatus", channel_id=channel, thread_ts=thread, status=doing)
        except Refused as refused:
            self._there = refused.code not in ("unknown_method", "missing_scope", "not_allowed_token_type")
            raise

    def seen(self, chat: str) -> None:
        """A message shows how far the reply has come: no line is needed any more."""
        self._note(chat, math.inf)

    def over(self, chat: str) -> None:
        """The reply is whole; the next one has a line again."""
        self._shown.pop(chat, None)

    def _note(self, chat: str, at: float) -> None:
        self._shown[chat] = at
        while len(self._shown) > KEPT:
            self._shown.popitem(last=False)
