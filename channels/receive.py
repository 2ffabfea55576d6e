"""What becomes of an event from a messaging app: a message to Penny, a decision, a link; each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

import structlog

from agent.runner import Runner
from channels import commands, switches
from channels.channel import Channel, Incoming, Opened, Pressed, Removed, Said, Switched, Wordless
from channels.commands import Command
from channels.texts import texts
from db.engine import Database, Transaction
from domain.errors import Conflict, PennyError, Unavailable
from ledger import preferences, setup
from memory import inbox, links, outbox, shown
from memory.runs import Accepted
from tools.proposals import claim, decline

log = structlog.get_logger(__name__)

PENDING_SHOWN = 5
NAME_LENGTH = 256
TITLE_LENGTH = 80

Verdict = Literal["confirm", "reject"]


class _SeenBefore(Conflict):
    """The app repeated an event that was acted on."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a chat is told without a model: a text, proposals to decide on, or both; `opening`: what might be asked."""

    text: str
    proposals: tuple[str, ...] = ()
    opening: bool = False


Act = Callable[[Transaction], Awaitable[Note | None]]


@dataclass(frozen=True)
class Receiver:
    """Acts on events. `wake` tells the sender that there is something to send; `tell` writes to a chat that belongs to
    nobody yet, without a promise."""

    db: Database
    runner: Runner
    wake: Callable[[], None]
    tell: Callable[[Channel, str, str], None]

    async def receive(self, channel: Channel, event: Incoming) -> None:
        """Acts on the event; with the same event again nothing happens. Raises Unavailable when the app should send it
        again later."""
        if not all(map(_is_a_name, (event.event_id, event.address, event.chat))):
            log.info("channel.nameless", channel=channel.name)
            return
        if isinstance(event, Said) and (switch := switches.typed(event.text)) is not None:
            event = Switched(event.event_id, event.address, event.chat, *switch)
        alone = event.chat if isinstance(event, Said) and not event.shared else None
        user = await links.user_of(self.db, channel.name, event.address, alone)
        command = commands.understood(event.text) if isinstance(event, Said) else None
        if command and command.verb == "link" and isinstance(event, Said):
            await self._link(channel, event, command.code)
        elif user is not None:
            await self._of_user(channel, user, event, command)
        elif isinstance(event, Opened) or (isinstance(event, Said | Wordless) and not event.shared):
            language = "" if isinstance(event, Opened) else event.language
            self.tell(channel, event.chat, texts(language).say("chat.how_to_link"))
        self.wake()

    async def _of_user(self, channel: Channel, user: UUID, event: Incoming, command: Command | None) -> None:
        act: Act | None = None
        match event:
            case Pressed():
                act = partial(_decide, channel.name, event.verdict, event.proposal_id, event.mark)
            case Switched():
                act = partial(_switch, channel.name, event)
            case Removed():
                act = partial(self._take_back, channel.name, event)
            case Opened():
                act = _opening
            case Wordless() if not event.shared:
                act = _saying("chat.not_read")
            case Said() if command is not None:
                act = await self._commanded(channel.name, user, event, command)
        if act is not None:
            await self._once(channel.name, user, event, act)
        elif isinstance(event, Said):
            await self._say(channel.name, user, event)

    async def _once(self, channel: str, user: UUID, event: Incoming, act: Act) -> None:
        """Acts on the event in the transaction that notes it, and queues what the chat is told of it."""
        async with self.db.transaction(user) as tx:
            if not await inbox.received(tx, channel, event.event_id):
                log.info("channel.seen_before", channel=channel)
            elif (note := await act(tx)) is not None:
                await _tell(tx, channel, event, note)

    async def _link(self, channel: Channel, event: Said, code: str) -> None:
        chat = "" if event.shared else event.chat
        user = await links.redeem(self.db, channel.name, event.address, chat, code)
        if user is None:
            self.tell(channel, event.chat, texts(event.language).say("chat.bad_code"))
        else:
            await self._once(channel.name, user, event, _saying("chat.linked"))

    async def _say(self, channel: str, user: UUID, event: Said) -> None:
        edit_of: UUID | None = None
        async with self.db.transaction(user) as tx:
            chat = await inbox.chat(tx, channel, event.chat)
            if event.edited and await inbox.run_of(tx, channel, event.ref):
                edit_of = await inbox.latest_words(tx, channel, event.ref)
                if edit_of is None:
                    await _tell(tx, channel, event, await _said(tx, "chat.too_late_to_edit"))
                    return
        if event.shared and not chat.money_allowed:
            await self._once(channel, user, event, _saying("chat.in_private"))
            return

        async def along(tx: Transaction, accepted: Accepted) -> None:
            if not await inbox.received(tx, channel, event.event_id, accepted.run_id, event.ref or None):
                raise _SeenBefore("This event was received before.")
            if event.titled and accepted.turn == 1:
                title = {"text": "", "proposals": [], "title": event.text[:TITLE_LENGTH]}
                await outbox.add(tx, channel, event.chat, "note", f"title {chat.session_id}", body=title)
            await outbox.add(tx, channel, event.chat, "reply", f"reply {accepted.run_id}", run_id=accepted.run_id)

        try:
            await self.runner.submit(
                user,
                chat.session_id,
                event.text,
                client_id=f"{channel} {event.event_id}",
                edit_of=edit_of,
                along=along,
            )
        except _SeenBefore:
            log.info("channel.seen_before", channel=channel)
        except Unavailable:
            raise
        except PennyError as refused:  # too long, empty: the person can mend it
            await self._once(channel, user, event, _quoting(refused.message))

    async def _commanded(self, channel: str, user: UUID, event: Said, command: Command) -> Act | None:
        """The act that the chat itself understands; None when it is something to say to Penny after all."""
        match command.verb:
            case "yes" | "no":
                async with self.db.read(user) as tx:
                    waiting = await shown.named(tx, channel, event.chat, command.code)
                if not waiting and not command.code:
                    return None
                return partial(_typed_decision, channel, event.chat, command)
            case "unlink":
                return partial(_unlink, channel, event.address)
            case "pending":
                return _pending
            case "new":
                return partial(_new, channel, event.chat)
            case "allow" | "forbid":
                return partial(_allow, channel, event.chat, command.verb == "allow")
            case _:
                return None

    async def _take_back(self, channel: str, event: Removed, tx: Transaction) -> None:
        """A message that was taken back is not answered, if its reply is still being made."""
        run_id = await inbox.run_of(tx, channel, event.ref)
        if run_id:
            await self.runner.cancel(tx.user, run_id)


async def _tell(tx: Transaction, channel: str, event: Incoming, note: Note) -> None:
    """Queues the note, once for the event."""
    body = {"text": note.text, "proposals": list(note.proposals), "opening": note.opening}
    await outbox.add(tx, channel, event.chat, "note", f"note {event.event_id}", body=body)


def _is_a_name(text: str) -> bool:
    """Whether the app can mean it, and PostgreSQL can store it: no app has longer names, or control characters in
    them."""
    return 0 < len(text) <= NAME_LENGTH and text.isprintable()


def _quoting(text: str) -> Act:
    async def act(_: Transaction) -> Note:
        return Note(text)

    return act


def _saying(text: str) -> Act:
    """To say a text of channels/texts."""
    return partial(_said, text=text)


async def _said(tx: Transaction, text: str, proposals: tuple[str, ...] = (), **values: str) -> Note:
    """A text of channels/texts in the user's language."""
    return Note(texts((await preferences.get(tx)).locale).say(text, **values), proposals)


async def _typed_decision(channel: str, chat: str, command: Command, tx: Transaction) -> Note | None:
    waiting = await shown.named(tx, channel, chat, command.code)
    if not waiting:
        if command.code:
            return await _said(tx, "proposals.no_code", code=command.code)
        return await _said(tx, "chat.nothing_waits")
    if len(waiting) > 1:
        say = texts((await preferences.get(tx)).locale)
        codes = ", ".join(f"“{say.answer(command.verb, one.code)}”" for one in waiting)
        return await _said(tx, "proposals.which", codes=codes)
    verdict: Verdict = "confirm" if command.verb == "yes" else "reject"
    return await _decide(channel, verdict, waiting[0].proposal_id, waiting[0].hash, tx)


async def _decide(channel: str, verdict: Verdict, proposal_id: UUID, mark: str, tx: Transaction) -> Note | None:
    """Confirms or rejects. The outcome reaches every chat that shows the proposal by way of the database; what is told
    here is only why nothing came of it."""
    hash_ = await tx.pg.fetchval("SELECT hash FROM proposal WHERE user_id = $1 AND id = $2", tx.user, proposal_id)
    if hash_ is None:
        return await _said(tx, "proposals.gone")
    if verdict == "reject":
        refused: object = await decline(tx, proposal_id)
    else:
        refused = await claim(tx, proposal_id, hash_ if mark and hash_.startswith(mark) else mark, channel)
    if not isinstance(refused, PennyError):
        return None
    fresh = refused.details.get("proposal") if refused.code == "proposal_stale" else None
    locale = (await preferences.get(tx)).locale
    return Note(texts(locale).refusal(refused.code, refused.message), (fresh["id"],) if fresh else ())


async def _switch(channel: str, event: Switched, tx: Transaction) -> Note | None:
    """Turns messages unasked off or on: a change of preferences like others, in the journal."""
    kept = (await preferences.get(tx)).switched(switches.kinds(event.kind), event.on)
    await setup.change_preferences(tx, kept, channel)
    if event.told:
        return None
    words = switches.words(event.kind, on=not event.on)
    return await _said(tx, f"notices.{'on' if event.on else 'off'}_{event.kind}", words=words)


async def _opening(_: Transaction) -> Note:
    return Note("", opening=True)


async def _unlink(channel: str, address: str, tx: Transaction) -> Note:
    await links.unlink(tx, channel, address)
    return await _said(tx, "chat.unlinked")


async def _pending(tx: Transaction) -> Note:
    rows = await tx.pg.fetch(
        """
        SELECT id FROM proposal WHERE user_id = $1 AND status = 'pending' AND expires_at > clock_timestamp()
         ORDER BY id DESC LIMIT $2
        """,
        tx.user,
        PENDING_SHOWN,
    )
    if not rows:
        return await _said(tx, "chat.nothing_waits")
    return Note("", tuple(str(row["id"]) for row in rows))


async def _new(channel: str, chat: str, tx: Transaction) -> Note:
    await inbox.chat(tx, channel, chat, fresh=True)
    return await _said(tx, "chat.fresh")


async def _allow(channel: str, chat: str, allowed: bool, tx: Transaction) -> Note:
    await inbox.allow_money(tx, channel, chat, allowed)
    return await _said(tx, "chat.allowed" if allowed else "chat.forbidden")
