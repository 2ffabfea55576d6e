"""The composition root: everything is made and wired here, once, by the service, the commands and the tests alike."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from agent.graph import build_graph
from agent.limits import Allowance, Limits
from agent.model import Model
from agent.runner import Runner
from agent.start import Agent
from agent.traced import TracedModel
from api.auth import DEV_ISSUER, Authenticator, DevAccess, Identity
from api.auth_keys import PUBLIC_ALGORITHMS, LoadedKeys
from api.protocols.mcp.wire import McpWire
from api.services import ModelStatus, Readiness
from channels.channel import Channel
from channels.receive import Receiver
from channels.sender import Sender
from channels.watcher import Watcher
from db.engine import Database
from domain.clock import Clock, SystemClock
from domain.errors import SetupError
from domain.failpoints import Reached, inert
from domain.metrics import UNTOLD, Metrics
from domain.tracing import UNTRACED, Tracer
from memory.usage import Caps
from penny.channels import make_channels
from penny.database import Progress, open_database
from penny.emf import Emf
from penny.keys import dev_key, jwks_from, secret_from
from penny.metering import standing, told
from penny.models import make_model, status_of
from penny.settings import Settings
from prompts import library
from prompts.library import Prompt
from prompts.rollout import Rollouts


@dataclass(frozen=True)
class Services:
    """Everything that is open while Penny runs; api.services.Services says what HTTP uses of it."""

    settings: Settings
    db: Database
    model: Model
    runner: Runner
    clock: Clock
    authenticate: Callable[[str], Awaitable[Identity]]
    dev: DevAccess | None
    channels: Mapping[str, Channel]
    receiver: Receiver
    sender: Sender
    readiness: Readiness = field(default_factory=Readiness)
    mcp: McpWire = field(default_factory=McpWire)

    @property
    def public_url(self) -> str | None:
        """The address by which others know the service."""
        return self.settings.public_url

    @property
    def authorization_server(self) -> str | None:
        """Who gives tokens to clients that ask for one themselves, where an identity provider does."""
        return self.settings.auth_issuer if self.settings.auth.startswith("jwks:") else None

    def model_status(self) -> ModelStatus:
        """The language model as clients show it."""
        return status_of(self.model)

    async def user(self, name: str) -> UUID:
        """The user that development tokens for `name` speak for."""
        return await self.db.resolve_user(DEV_ISSUER, "", name)


@asynccontextmanager
async def bootstrap(
    settings: Settings,
    *,
    progress: Progress = lambda _: None,
    clock: Clock | None = None,
    model: Model | None = None,
    prompt: Callable[[], Prompt] | None = None,
    reached: Reached = inert,
    tracer: Tracer | None = None,
) -> AsyncIterator[Services]:
    """Opens everything, and closes it in the reverse order. Tests give a clock, a model, a prompt or failpoints of
    their own."""
    async with AsyncExitStack() as stack:
        emf = Emf() if settings.metrics == "emf" else None
        metrics: Metrics = emf or UNTOLD
        database = await stack.enter_async_context(open_database(settings, progress, metrics=metrics))
        clock = clock or SystemClock()
        model = model or make_model(settings, metrics)
        if tracer is None and settings.traces == "otlp":
            tracer = await _traces(stack)
        if tracer is not None:
            model = TracedModel(model, tracer)
        stack.push_async_callback(model.close)
        loaded = library.load()
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        runner = Runner(
            Agent(
                db=database,
                model=model,
                prompt=prompt or (lambda: loaded),
                clock=clock,
                graph=build_graph(),
                owner=owner,
                reached=reached,
                grounding=settings.grounding,
                allowance=allowance(settings),
                rollouts=Rollouts(follow=prompt is None),
                metrics=metrics,
                tracer=tracer or UNTRACED,
            ),
            lease_seconds=settings.lease_seconds,
            limits=Limits(
                settings.limits_runs,
                settings.limits_runs_per_user,
                settings.limits_message_length,
                settings.event_retention_days,
            ),
        )
        await runner.start()
        stack.push_async_callback(runner.stop)
        authenticate, dev = await _authentication(settings, database, clock)
        channels = await asyncio.to_thread(make_channels, settings, clock)
        sender = Sender(database, runner, channels, owner, clock=clock, metrics=metrics)
        await sender.start()
        stack.push_async_callback(sender.stop)
        watcher = Watcher(database, channels, clock, sender.wake)
        await watcher.start()
        stack.push_async_callback(watcher.stop)
        receiver = Receiver(database, runner, sender.wake, sender.tell)
        services = Services(settings, database, model, runner, clock, authenticate, dev, channels, receiver, sender)
        stack.push_async_callback(services.mcp.close)
        if emf is not None:
            await stack.enter_async_context(told(emf, lambda: standing(database, runner)))
        services.readiness.state = "ready"
        yield services


def allowance(settings: Settings) -> Allowance:
    """What one reply may take; a cap of 0 is none."""
    caps = Caps(
        settings.limits_tokens_day or None,
        settings.limits_cost_usd_day or None,
        settings.limits_tokens_day_tenant or None,
        settings.limits_cost_usd_day_tenant or None,
    )
    return Allowance(caps, settings.limits_tool_loops, settings.limits_proposals)


async def _traces(stack: AsyncExitStack) -> Tracer:
    try:
        from penny import traces
    except ModuleNotFoundError as error:
        raise SetupError(f"PENNY_TRACES=otlp needs the package {error.name}; install Penny's extra `otel`.") from None
    made = traces.otlp()
    stack.push_async_callback(asyncio.to_thread, made.close)
    return made


async def _authentication(settings: Settings, db: Database, clock: Clock) -> tuple[Authenticator, DevAccess | None]:
    mode, _, where = settings.auth.partition(":")
    if mode == "dev" and not where:
        dev = DevAccess(dev_key(settings.home), audience=settings.auth_audience)
        return Authenticator.hs256(
            dev.key, issuer=DEV_ISSUER, audience=settings.auth_audience, resolve=db.resolve_user, clock=clock
        ), dev
    keys: LoadedKeys | None = None
    if mode == "hs256" and where:
        load = secret_from(where)
        await load()  # what is wrong with it is said now, not to the first user
        keys = LoadedKeys(load, ("HS256",))
    elif mode == "jwks" and where:
        keys = LoadedKeys(jwks_from(where), PUBLIC_ALGORITHMS)
    if keys is not None:
        issuer, audience = settings.auth_issuer, settings.auth_audience
        return Authenticator(keys, issuer, audience, db.resolve_user, clock), None
    raise SetupError(
        f"PENNY_AUTH={settings.auth!r} is not known; use dev, jwks:<url or file> or hs256:<file or secret>."
    )


async def warm_up(model: Model, progress: Progress) -> None:
    """Readies a model that needs it: fetches its file once, starts its process. Raises SetupError, ModelUnavailable."""
    ready = getattr(model, "warm_up", None)
    if ready is not None:
        await ready(progress)
