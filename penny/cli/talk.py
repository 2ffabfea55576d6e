"""`penny ask` and `penny chat`: the same service, in this process, without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from penny import settings
from penny.cli.output import progress, say
from penny.settings import DEMO_USER

if TYPE_CHECKING:
    from prompts.library import Prompt

UserOption = Annotated[str, typer.Option("--user", help="Whose money it is: the subject of development tokens.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine output: one JSON object a line.")]
SessionOption = Annotated[str | None, typer.Option(help="Go on in this session; without it a new one is made.")]


def ask(
    text: Annotated[str, typer.Argument(help="What to ask or to change.")],
    session: SessionOption = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Send one message; the reply streams to standard output."""
    if not say_once(text, session, user, json_):
        raise typer.Exit(1)


def say_once(text: str, session: str | None, user: str, json_: bool, *, prompt: Prompt | None = None) -> bool:
    """Sends one message, with a prompt of its own if one is given; True when the reply ended well."""
    from agent.local.routing import routing_of
    from domain.ids import parse_id
    from penny import conversation
    from penny.bootstrap import bootstrap, warm_up
    from penny.models import routed

    chosen = settings.load()
    routing = routing_of(prompt) if prompt and prompt.kind == "routing" else None

    async def run() -> bool:
        async with bootstrap(
            chosen,
            progress=conversation.quiet_unless_slow(progress),
            model=routed(chosen, lambda: routing) if routing else None,
            prompt=(lambda: prompt) if prompt and not routing else None,
        ) as services:
            person = await services.user(user)
            at: UUID = parse_id(session, "session") if session else await conversation.new_session(services, person)
            await warm_up(services.model, conversation.quiet_unless_slow(progress))
            if not json_:
                progress(f"session {at}")
            printer = conversation.JsonPrinter() if json_ else conversation.TextPrinter()
            return await conversation.say_and_print(services, person, at, text, printer)

    return asyncio.run(run())


def chat(
    session: SessionOption = None,
    user: UserOption = DEMO_USER,
    prompt: Annotated[
        Path | None, typer.Option(help="Another prompt file: .md, or .yaml for the embedded model.")
    ] = None,
    tools: Annotated[Path | None, typer.Option(help="A YAML file of other tool descriptions.")] = None,
    watch: Annotated[bool, typer.Option(help="Read prompts, descriptions and Penny's code again when saved.")] = False,
) -> None:
    """Talk in the terminal; proposals ask for y or n. /help lists the commands: /undo, /why, /prompt, /trace, /rewind,
    /fork, /save case, /new, /quit."""
    from penny import chat as code

    talk = code.Talk(session)
    with asyncio.Runner() as runner:
        fresh: Any = code
        while fresh:
            chosen = settings.load()
            fresh = fresh.Chat(chosen, runner, user=user, talk=talk, prompt=prompt, tools=tools, watch=watch).run()
    say()


def register(app: typer.Typer) -> None:
    app.command()(ask)
    app.command()(chat)
