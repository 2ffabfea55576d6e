"""Sending one row of the outbox: a reply while and after it is made, a note, what became of a proposal.

What the app has taken is noted after each part, so a process that goes on where another died sends only the rest. An
app without keys of its own against repetition may get one part twice when the process dies in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog

from agent.runner import Runner
from channels import switches
from channels.changes import outcome
from channels.channel import Channel, Off, Payload, Refused, Reply, Shown, TryLater
from channels.replying import Growing
from channels.texts import Texts, texts
from channels.watcher import within_window
from db.engine import Database, Transaction
from domain.clock import Clock
from domain.errors import NotFound
from domain.hours import quiet_until
from ledger import preferences
from memory import inbox, links, notices, outbox, shown
from memory.links import Link
from memory.outbox import Delivery
from tools.proposals.store import load, view

log = structlog.get_logger(__name__)

TYPING_SECONDS = 4.0
"""Apps forget that somebody is typing after five seconds or so."""


@dataclass
class Sending:
    """One delivery under way."""

    db: Database
    runner: Runner
    channel: Channel
    delivery: Delivery
    clock: Clock
    _progress: dict[str, Any] = field(default_factory=dict)

    async def perform(self) -> None:
        """Sends what is not sent yet. Raises Refused, TryLater, and PennyErrors of a database that is away."""
        try:
            async with self.db.read(self.delivery.user) as tx:
                body, self._progress = await outbox.content(tx, self.delivery)
                locale = (await preferences.get(tx)).locale
                linked = any(link.channel == self.channel.name for link in await links.list_(tx))
        except NotFound:
            return  # the user was erased meanwhile
        if not linked and self.delivery.kind != "note":
            return
        match self.delivery.kind:
            case "reply":
                await self._reply(texts(locale))
            case "note":
                prompts = texts(locale).prompts() if body.get("opening") else ()
                await self._parts(Reply(body["text"], title=body.get("title", ""), prompts=prompts), body["proposals"])
            case "notice":
                await self._notice(body)
            case "decided":
                await self._decided(UUID(body["proposal_id"]))

    async def _reply(self, say: Texts) -> None:
        assert self.delivery.run_id is not None
        growing = Growing(say)
        typing = asyncio.create_task(self._typing(say.say("chat.status")))
        try:
            drafted = asyncio.get_running_loop().time()
            async for frame in self.runner.events(self.delivery.user, self.delivery.run_id):
                growing.add(frame)
                now = asyncio.get_running_loop().time()
                every = self.channel.edit_seconds
                begun = growing.text or growing.doing
                if every is not None and not growing.over and begun and now - drafted >= every:
                    drafted = now
                    await self._draft(growing.text, growing.doing)
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)
        if not growing.over:
            raise TryLater("reader_let_go", 1.0)  # the server stops, or the reader was too slow
        run = self.delivery.user, self.delivery.run_id
        await self._parts(Reply(growing.text, tuple(growing.charts), run=run), growing.proposals)

    async def _notice(self, body: dict[str, Any]) -> None:
        """Sends what was not asked for, if it is still wanted, and not at night: it may have waited for long. What is
        sent is part of the chat's session first, as a reply is, so that an answer to it finds it there."""
        delivery, now, kind = self.delivery, self.clock.now(), body["kind"]
        async with self.db.transaction(delivery.user) as tx:
            # locked before it is looked whether it may go: a change of the hours meanwhile has the last word
            progress = await outbox.held(tx, delivery)
            own, known = await preferences.get(tx), await links.list_(tx)
            link = self._linked(known)
            if progress is None or kind not in own.notices or link is None:
                return
            if (over := quiet_until(now, own.zone, own.quiet_from, own.quiet_until)) is not None:
                await outbox.put_off(tx, delivery, (over - now).total_seconds(), "quiet_hours")
                return
            say = texts(own.locale)
            hint = say.say("notices.off_hint", words=switches.words(kind))
            reply = Reply(body["text"], off=Off(kind, say.say("notices.off_button"), hint))
            open_ = within_window(link, {self.channel.name: self.channel}, now)
            payload = None if open_ else self.channel.outside_window(reply, own.locale)
            if not open_ and payload is None:
                log.info("notices.window_closed", channel=self.channel.name)
                return
            self._progress = progress
            if "message" not in progress:
                await self._append(tx, body, say)
        if payload is None:
            await self._parts(reply, [])
        else:
            await self.channel.send(delivery.chat, payload, f"{delivery.id}.0")

    def _linked(self, known: list[Link]) -> Link | None:
        """The account that the delivery's chat is of, if it still is; its person may have gone on in another thread."""
        here, home = self.delivery.channel, self.channel.home
        mine = (one for one in known if one.channel == here and one.chat)
        return next((one for one in mine if home(one.chat) == home(self.delivery.chat)), None)

    async def _append(self, tx: Transaction, body: dict[str, Any], say: Texts) -> None:
        """Makes the notice part of the chat's session, once."""
        chat = await inbox.chat(tx, self.delivery.channel, self.delivery.chat)
        label, facts, figures = say.say("notices.wanted"), body.get("facts", ()), body.get("figures", ())
        message = await notices.append(tx, chat.session_id, body["kind"], label, body["text"], facts, figures)
        self._progress["message"] = str(message)
        await outbox.keep_progress(tx, self.delivery, self._progress)

    async def _typing(self, doing: str) -> None:
        while True:
            await self.channel.typing(self.delivery.chat, doing)
            await asyncio.sleep(TYPING_SECONDS)

    async def _draft(self, text: str, doing: str) -> None:
        """Shows how far the reply has come. It is a courtesy: what stands in its way is not an error."""
        payload = self.channel.progress(text, doing)
        try:
            if "draft" in self._progress:
                await self.channel.replace(self.delivery.chat, self._progress["draft"], payload)
            else:
                self._progress["draft"] = await self.channel.send(self.delivery.chat, payload, f"{self.delivery.id}.d")
                await self._keep()
        except (Refused, TryLater):
            return

    async def _parts(self, reply: Reply, proposals: list[str]) -> None:
        """Sends the whole reply part by part, the first one in the place of the draft."""
        delivery, channel = self.delivery, self.channel
        async with self.db.transaction(delivery.user) as tx:
            locale = (await preferences.get(tx)).locale
            seen = [await self._shown(tx, UUID(proposal)) for proposal in proposals]
        whole = replace(reply, proposals=tuple(one for one in seen if one is not None))
        parts = list(channel.render(whole, locale))
        ref: str | None
        for n, part in enumerate(parts[self._progress.get("taken", 0) :], self._progress.get("taken", 0)):
            try:
                if n == 0 and "draft" in self._progress:
                    ref = await self._in_place_of_draft(part.payload)
                else:
                    ref = await channel.send(delivery.chat, part.payload, f"{delivery.id}.{n}")
            except Refused:
                if not part.extra:
                    raise
                ref = None
            self._progress["taken"] = n + 1
            await self._keep(ref, part.proposal_id)
        if not parts and "draft" in self._progress:
            await self._in_place_of_draft(channel.render(Reply("…"), locale)[0].payload)

    async def _in_place_of_draft(self, payload: Payload) -> str:
        ref: str = self._progress["draft"]
        try:
            await self.channel.replace(self.delivery.chat, ref, payload)
        except Refused:  # it was deleted, or is too old to be edited
            return await self.channel.send(self.delivery.chat, payload, f"{self.delivery.id}.0")
        return ref

    async def _decided(self, proposal_id: UUID) -> None:
        """What became of a proposal that the chat shows: in the place of its buttons, where messages can be edited."""
        delivery, channel = self.delivery, self.channel
        async with self.db.transaction(delivery.user) as tx:
            place = await shown.ref_of(tx, channel.name, delivery.chat, proposal_id)
            try:
                proposal = view(await load(tx, proposal_id))
            except NotFound:
                return
            locale = (await preferences.get(tx)).locale
        if place is None:
            return
        payload = channel.render(Reply(outcome(proposal, texts(locale))), locale)[0].payload
        _, ref = place
        if ref is not None and channel.edit_seconds is not None:
            try:
                await channel.replace(delivery.chat, ref, payload)
                return
            except Refused:
                pass
        await channel.send(delivery.chat, payload, f"{delivery.id}.0")

    async def _shown(self, tx: Transaction, proposal_id: UUID) -> Shown | None:
        """The proposal as it is now, with its code in this chat; None when it is gone."""
        try:
            proposal = view(await load(tx, proposal_id))
        except NotFound:
            return None
        return Shown(proposal, await shown.show(tx, self.channel.name, self.delivery.chat, proposal_id))

    async def _keep(self, ref: str | None = None, proposal_id: str | None = None) -> None:
        async with self.db.transaction(self.delivery.user) as tx:
            await outbox.keep_progress(tx, self.delivery, self._progress)
            if ref is not None and proposal_id is not None:
                await shown.carried_by(tx, self.channel.name, self.delivery.chat, UUID(proposal_id), ref)
