"""`penny doctor`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from penny import settings
from penny.cli.output import say, say_json
from penny.cli.talk import JsonOption

if TYPE_CHECKING:
    from penny.doctor.finding import Finding

MARKS = {True: "ok   ", False: "WRONG", None: "-    "}


def doctor(
    url: Annotated[str | None, typer.Option(help="Look at the deployment at this address, from outside.")] = None,
    json_: JsonOption = False,
) -> None:
    """Check what the settings name: database, schema, clock, keys, channels, the model by a call of one token. The exit
    code is 1 when anything is wrong."""
    if not asyncio.run(_all(url, json_)):
        raise typer.Exit(1)


async def _all(url: str | None, json_: bool) -> bool:
    """Whether nothing is wrong."""
    import aiohttp

    from domain.clock import SystemClock
    from penny.doctor.finding import look
    from penny.doctor.here import Here
    from penny.doctor.there import There

    right = True
    clock = SystemClock()
    async with aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=20)) as http:
        looks = There(url, http, clock).looks() if url else Here(settings.load(), clock).looks()
        async for finding in look(looks):
            right = right and finding.ok is not False
            _say(finding, json_)
    return right


def _say(finding: Finding, json_: bool) -> None:
    if json_:
        say_json(asdict(finding))
        return
    say(f"{MARKS[finding.ok]}  {finding.name:15} {finding.said}")
    if finding.fix:
        say(f"{'':7}{'':15} -> {finding.fix}")


def register(app: typer.Typer) -> None:
    app.command()(doctor)
