"""`penny serve`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from penny import settings
from penny.cli.output import progress
from penny.listening import bind, check_exposure
from penny.loading import loading
from penny.telemetry import configure_logs


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    sample: Annotated[bool, typer.Option(help="Give the demo user the sample household if they have nothing.")] = False,
    workers: Annotated[int, typer.Option(help="How many processes serve.", min=1, max=64)] = 1,
    descriptor: Annotated[int | None, typer.Option(help="A worker's listening socket.", hidden=True)] = None,
) -> None:
    """Run the service: HTTP, the chat page, the replies."""
    from penny.workers import inherited, supervise, tell_parent

    chosen = settings.load()
    terminal = sys.stderr.isatty()
    configure_logs("warning" if terminal else "info")  # a person has the page; how each reply went is for a log
    if descriptor is None:
        check_exposure(chosen, host)
        listener, ready = bind(host, port), _what_to_do if terminal else _nobody_waits
    else:
        listener, ready = inherited(descriptor), tell_parent
    if workers > 1:
        code = asyncio.run(supervise(workers, listener, sample=sample, progress=progress))
        progress("stopped")
        raise typer.Exit(code)
    with loading():  # not by a parent of workers, which stays small
        from penny import server
    try:
        uvloop.run(server.serve(chosen, listener, sample=sample, progress=progress, ready=ready))
    except asyncio.CancelledError:  # SIGTERM before it was ready; all that was started has been stopped
        raise typer.Exit(128 + signal.SIGTERM) from None
    progress("stopped")


def _what_to_do() -> None:
    """Told to a person who has just started it, with the command as they can type it here."""
    command = os.path.relpath(Path(sys.executable).with_name("penny"))
    progress(f'ask there, or in another terminal: {command} ask "How much did I spend on groceries last month?"')
    progress("Ctrl-C stops it")


def _nobody_waits() -> None:
    """A log needs no more than the progress."""


def register(app: typer.Typer) -> None:
    app.command()(serve)
