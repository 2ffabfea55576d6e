"""`penny channels` and `penny outbox`: whether messaging apps are set up, and what they could not be sent."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from penny import settings
from penny.cli.database import with_worker
from penny.cli.output import say, say_json
from penny.cli.talk import JsonOption

channels = typer.Typer(help="Messaging apps: list, check.", no_args_is_help=True)
outbox = typer.Typer(help="Messages to chats: list them, send dead ones again.", no_args_is_help=True)


@channels.command(name="list")
def list_(json_: JsonOption = False) -> None:
    """List the channels, and what each still needs."""
    from penny.channels import NEEDS, missing, with_secrets

    loaded = with_secrets(settings.load())
    for name in NEEDS:
        lacking = missing(loaded, name)
        if json_:
            say_json({"channel": name, "on": not lacking, "missing": lacking})
        else:
            say(f"{name:10} {'on' if not lacking else 'off: needs ' + ', '.join(lacking)}")


@channels.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    to: Annotated[str | None, typer.Option(metavar="CHAT", help="Also send a message to this chat.")] = None,
) -> None:
    """Say what the channel lacks; with nothing lacking, ask the app whether it knows us."""
    from channels.channel import Refused, Reply, TryLater
    from domain.clock import SystemClock
    from domain.errors import SetupError
    from penny.channels import make_channels, missing, with_secrets

    loaded = with_secrets(settings.load())
    if lacking := missing(loaded, name):
        raise SetupError(f"The channel {name} is off; set {' and '.join(lacking)}.")

    async def ask() -> str:
        made = make_channels(loaded, SystemClock())
        channel = made[name]
        try:
            said = await channel.check()
            if to is not None:
                for part in channel.render(Reply("This is Penny, trying whether messages arrive here."), "en-US"):
                    await channel.send(to, part.payload, "check")
                said += f" A message went to {to}."
            return said
        finally:
            for one in made.values():
                await one.close()

    try:
        say(asyncio.run(ask()))
    except (Refused, TryLater) as error:
        raise SetupError(f"{name} does not take our messages: {error.code}.") from None


@channels.command()
def manifest(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel: slack.")],
    locale: Annotated[str, typer.Option(metavar="TAG", help="The language of what people see.")] = "en",
) -> None:
    """Print what Slack makes the app from, for the address in PENNY_PUBLIC_URL and the view in PENNY_SLACK_VIEW."""
    import yaml

    from channels.slack.manifest import manifest as made
    from channels.texts import texts
    from domain.errors import InvalidInput, SetupError

    if name != "slack":
        raise InvalidInput(f"Only slack is set up by a manifest; docs/channels/ has the steps for {name[:32]!r}.")
    loaded = settings.load()
    if loaded.public_url is None or not loaded.public_url.startswith("https://"):
        raise SetupError("Set PENNY_PUBLIC_URL to the https address by which Slack reaches Penny.")
    say(yaml.safe_dump(made(loaded.public_url, loaded.slack_view, texts(locale)), allow_unicode=True, sort_keys=False))


@outbox.command(name="list")
def list_outbox(
    status: Annotated[str | None, typer.Option(help="waiting, sent or dead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json_: JsonOption = False,
) -> None:
    """List messages to chats of all users, the newest first, without their words."""
    from memory import outbox as rows

    async def act(worker: Any) -> list[dict[str, Any]]:
        return await rows.overview(worker, status, limit)

    found = with_worker(act)
    for row in found:
        if json_:
            say_json(row)
        else:
            error = f"  {row['error']}" if row["error"] else ""
            say(
                f"{row['id']}  {row['channel']:9} {row['kind']:8} {row['status']:8} try {row['attempt']}  "
                f"{row['created_at']:%Y-%m-%d %H:%M:%S}{error}"
            )
    if not found and not json_:
        say("There are no messages." if status is None else f"There are no {status} messages.")


@outbox.command()
def replay(row: Annotated[str, typer.Argument(metavar="ID", help="The message.")]) -> None:
    """Send a dead message again; a server takes it up within seconds."""
    from domain.ids import parse_id
    from memory import outbox as rows

    row_id = parse_id(row, "message")

    async def act(worker: Any) -> None:
        await rows.replay(worker, row_id)

    with_worker(act)
    say("It will be sent again.")


def register(app: typer.Typer) -> None:
    app.add_typer(channels, name="channels")
    app.add_typer(outbox, name="outbox")
