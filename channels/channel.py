"""What the core asks of a messaging app, and the values that pass between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from domain.errors import InvalidInput, Unauthorized
from ledger.preferences import Notice

Payload = dict[str, Any]
"""A message as the app's API takes it, or `{"chart", "locale"}`: a chart to be drawn."""


class NotGenuine(Unauthorized):
    """The webhook's signature is missing, wrong or too old. Nothing more is said."""

    code = "not_genuine"

    def __init__(self) -> None:
        super().__init__("The signature does not count.")


class Unreadable(InvalidInput):
    """The webhook is genuine, and its body is none of the app's."""

    code = "unreadable_event"
    status = 400


class Refused(Exception):
    """The app will not take this message, now or later. `code` is short and quotes nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TryLater(Exception):
    """The app cannot take the message now; `retry_after` is in seconds, when it named a time."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as it came: header names in lower case, the raw body, the public URL it was sent to."""

    headers: Mapping[str, str]
    body: bytes
    url: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote. `event_id` is the app's, the same when it repeats the event; `address` the account that wrote,
    `chat` where, `ref` the app's id of the message. `shared`: others read along. `edited`: it replaces what was
    written under the same `ref`. `language`: what the app knows of theirs, a tag like "de". `titled`: the chat takes a
    title, which its first message gives it."""

    event_id: str
    address: str
    chat: str
    text: str
    ref: str = ""
    shared: bool = False
    edited: bool = False
    language: str = ""
    titled: bool = False


@dataclass(frozen=True, slots=True)
class Wordless:
    """Somebody sent what is not read: a picture, a recording, a file, without a word."""

    event_id: str
    address: str
    chat: str
    shared: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened a conversation where they are alone with us, and has said nothing yet."""

    event_id: str
    address: str
    chat: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Somebody took back the message `ref`."""

    event_id: str
    address: str
    chat: str
    ref: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody pressed a button under a proposal, whose hash starts with `mark`: the button names what was shown."""

    event_id: str
    address: str
    chat: str
    verdict: Literal["confirm", "reject"]
    proposal_id: UUID
    mark: str


@dataclass(frozen=True, slots=True)
class Switched:
    """Somebody wants messages unasked no more, or again: one kind of them, or all. `told`: the app has said so
    itself."""

    event_id: str
    address: str
    chat: str
    kind: Notice | Literal["all"]
    on: bool = False
    told: bool = False


Incoming = Said | Wordless | Opened | Removed | Pressed | Switched

MARK_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app's request is answered with."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a webhook holds; events that are not for us are left out."""

    events: tuple[Incoming, ...] = ()
    answer: Answer = Answer()


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as GET /v1/proposals/{id} has it, and the short code by which this chat names it."""

    proposal: dict[str, Any]
    code: str


@dataclass(frozen=True, slots=True)
class Off:
    """How a kind of messages unasked is ended: a button (`label`), or words to type, which `hint` says."""

    kind: Notice
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat is told: text in markdown, the data of charts as the event `chart` has it, proposals to decide on.
    One that was not asked for carries how it is ended. Where the app has such things, a conversation gets a `title`,
    and `prompts`: things that might be asked."""

    text: str
    charts: tuple[dict[str, Any], ...] = ()
    proposals: tuple[Shown, ...] = ()
    off: Off | None = None
    title: str = ""
    prompts: tuple[str, ...] = ()
    run: tuple[UUID, UUID] | None = None
    """The user and the run whose reply it is, for charts that the app fetches."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the app's. `proposal_id` names the proposal whose buttons it carries; an `extra` may be left out
    where the app refuses it, since the text says what it shows."""

    payload: Payload
    proposal_id: str | None = None
    extra: bool = False


def pictures(reply: Reply, locale: str) -> list[Part]:
    """A part for each chart, which the channel draws when it sends it."""
    return [Part({"chart": chart, "locale": locale}, extra=True) for chart in reply.charts]


class Channel(Protocol):
    """A messaging app. Instances hold its settings and one HTTP client."""

    name: str
    edit_seconds: float | None
    """How often a message may be edited to show progress; None: messages of this app cannot be edited."""

    templates: bool
    """Whether we may write something after `window_hours` all the same."""

    window_hours: float | None
    """How long after a person's last message the app lets us write what we like; None: at any time."""

    def verify(self, hook: Webhook) -> None:
        """Raises NotGenuine unless the app sent this, lately."""
        ...

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        """What a GET of the webhook's address is answered, where the app checks it so; None elsewhere. Raises
        NotGenuine."""
        ...

    def parse(self, hook: Webhook) -> Parsed:
        """What a genuine webhook says. Raises Unreadable."""
        ...

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        """The reply in the app's dialect, split at its limits; the same reply gives the same parts."""
        ...

    def home(self, chat: str) -> str:
        """The conversation that a chat is a part of, as a thread is; most are their own."""
        ...

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        """The reply as the app takes it when `window_hours` are over; None where it takes none, or is not set up to."""
        ...

    def progress(self, text: str, doing: str) -> Payload:
        """A message that shows how far a reply has come; `text` is markdown, `doing` what is looked at meanwhile."""
        ...

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        """Posts a message and gives the app's id of it. `key` is the same when this message is tried again. Raises
        Refused, TryLater."""
        ...

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        """Puts another message in the place of `ref`. Raises Refused (also where the app has no edits), TryLater."""
        ...

    async def check(self) -> str:
        """Asks the app whether it knows us; a sentence for an operator. Raises Refused, TryLater."""
        ...

    async def typing(self, chat: str, doing: str) -> None:
        """Shows that a reply is being written, where the app can (`doing` says it, after our name); never raises
        Refused or TryLater."""
        ...

    async def close(self) -> None:
        """Gives back what the channel holds."""
        ...
