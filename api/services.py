"""What the HTTP service is given when it is made; penny/bootstrap.py makes the real ones, tests their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from agent.intake import Along, Confirmed
    from api.auth import DevAccess, Identity
    from api.protocols.mcp.wire import McpWire
    from channels.channel import Channel
    from channels.receive import Receiver
    from db.engine import Database
    from domain.clock import Clock
    from memory.acceptance import IfRunning
    from memory.frames import Frame
    from memory.runs import Accepted


class Runner(Protocol):
    """Makes replies; agent.runner.Runner is the real one."""

    async def submit(
        self,
        user: UUID,
        session_id: UUID,
        text: str,
        *,
        client_id: str | None = None,
        if_running: IfRunning = "enqueue",
        edit_of: UUID | None = None,
        along: Along | None = None,
    ) -> Accepted:
        """Stores the message and starts (or queues) its run, which goes on whether or not anybody listens."""
        ...

    async def retry(self, user: UUID, run_id: UUID) -> Accepted:
        """Says the message of a failed or cancelled run again."""
        ...

    async def confirm(
        self, user: UUID, proposal_id: UUID, hash_: str, *, approval: str, follow_up: bool = False
    ) -> Confirmed:
        """Carries the proposal out; with `follow_up` a run answers the decision."""
        ...

    def events(self, user: UUID, run_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """The run's events with a sequence number above `after`; ends after the terminal event."""
        ...

    def feed(self, user: UUID, session_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """What happened in the session after the event `after`, and what happens; ends when the server does."""
        ...

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        """Asks the run to stop, wherever it runs."""
        ...


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The language model as clients show it. `small` is True for the embedded one; `note` is a sentence for people."""

    name: str
    small: bool
    status: Literal["ready", "loading", "failed"]
    note: str = ""


@dataclass(slots=True)
class Readiness:
    """Whether this process should be sent requests; its owner moves it from starting to ready to draining."""

    state: Literal["starting", "ready", "draining"] = "starting"


class Services(Protocol):
    """The parts that the routes call. `dev` is None outside the `dev` mode of authentication."""

    @property
    def db(self) -> Database: ...
    @property
    def runner(self) -> Runner: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def authenticate(self) -> Callable[[str], Awaitable[Identity]]: ...
    @property
    def model_status(self) -> Callable[[], ModelStatus]: ...
    @property
    def readiness(self) -> Readiness: ...
    @property
    def public_url(self) -> str | None: ...
    @property
    def channels(self) -> Mapping[str, Channel]: ...
    @property
    def receiver(self) -> Receiver: ...
    @property
    def dev(self) -> DevAccess | None: ...
    @property
    def authorization_server(self) -> str | None: ...
    @property
    def mcp(self) -> McpWire: ...
