"""Replies that grow in a thread by Slack's own streaming: text is only ever added, and Slack ends a stream after some
minutes by itself. What cannot go on as a stream goes on by edits, and the whole reply takes its place at the end."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from channels.channel import Refused, TryLater
from channels.markdown import Dialect, aligned, split, write
from channels.slack.pace import Pace
from channels.slack.send import call

APPEND_LIMIT = 12_000
APPENDS_A_MINUTE = 80
"""Slack takes 12,000 characters at once, and about a hundred such calls a minute."""

KEPT = 1000
"""Streams that this process remembers."""

NOT_HERE = frozenset({"unknown_method", "missing_scope", "not_allowed_token_type", "feature_not_enabled"})
"""Errors that say that there are no streams for us at all."""


def _escape(text: str) -> str:
    """A thin gap keeps Slack from reading a link or a mention that the reply only quotes."""
    return text.replace("](", "]\u200a(").replace("<", "<\u200a")


MARKDOWN = Dialect(
    escape=_escape,
    bold=lambda text: f"**{text}**",
    italic=lambda text: f"*{text}*",
    code=lambda text: f"`{text}`",
    table=lambda rows: f"```\n{_escape(aligned(rows))}\n```",
    bullet="- ",
)


def settled(text: str) -> str:
    """Of a reply that is being made, in Slack's markdown, what more text will not change: not the last word, nor a
    line that may become a table."""
    blocks: Sequence[str] = write(text, MARKDOWN)
    if blocks and blocks[-1].startswith("|"):
        blocks = [*blocks[:-1], ""]
    whole = split([*blocks], len(text) * 8 + 1000)
    joined = whole[0] if whole else ""
    link = joined.find("]\u200a(")  # a link whose end is not there yet, with its address
    joined = joined if link < 0 else joined[: joined.rfind("[", 0, link)]
    return joined[: max(joined.rfind(" "), joined.rfind("\n"), 0)]


class Streams:
    """The streams that this process has begun."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._said: OrderedDict[str, str | None] = OrderedDict()
        """What each says, by its ts; None when it is stopped."""
        self._pace = Pace(APPENDS_A_MINUTE)
        self._there = True

    async def start(self, channel: str, thread: str, text: str) -> str | None:
        """Begins a message in the thread, and gives its ts; None where Slack has no streams for us. Raises TryLater,
        also while there is nothing to say."""
        if not self._there:
            return None
        if not text:
            raise TryLater("nothing_yet")
        try:
            begun = await call(
                self._client,
                "chat.startStream",
                channel=channel,
                thread_ts=thread,
                markdown_text=text[:APPEND_LIMIT],
            )
        except Refused as refused:
            self._there = refused.code not in NOT_HERE
            return None
        ts = str(begun["ts"])
        self._said[ts] = text[:APPEND_LIMIT]
        while len(self._said) > KEPT:
            self._said.popitem(last=False)
        return ts

    async def grow(self, channel: str, ts: str, text: str) -> bool:
        """Adds what the text has more; False when the message cannot go on as a stream. Raises TryLater."""
        said = self._said.get(ts)
        if said is None or not text.startswith(said):
            return False
        more = text[len(said) :][:APPEND_LIMIT]
        if not more or not self._pace.may():
            return True
        try:
            await call(self._client, "chat.appendStream", channel=channel, ts=ts, markdown_text=more)
        except TryLater as later:
            self._pace.wait(later.retry_after or 0.0)
            raise
        except Refused:  # Slack has ended it by itself
            return False
        self._said[ts] = said + more
        return True

    async def stop(self, channel: str, ts: str) -> None:
        """Ends the stream, so that the message can be edited; one that is ended already stays so. Raises TryLater."""
        if ts in self._said and self._said[ts] is None:
            return
        with contextlib.suppress(Refused):
            await call(self._client, "chat.stopStream", channel=channel, ts=ts)
        self._said[ts] = None
