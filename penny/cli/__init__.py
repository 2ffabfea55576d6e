"""The `penny` command: its parts, and how an error of theirs reaches a person."""

from __future__ import annotations

import sys

import typer

from domain.errors import PennyError
from penny.cli import (
    channels,
    data,
    decisions,
    doctor,
    evals,
    facts,
    keys,
    prompts,
    runs,
    serve,
    setup,
    talk,
    transfer,
    usage,
)
from penny.cli.output import progress
from penny.telemetry import configure_logs

app = typer.Typer(
    help="Penny, a conversational budget assistant.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (serve, talk, decisions, transfer, setup, facts, usage, data, keys, runs, prompts, channels, evals, doctor):
    part.register(app)


def main() -> None:
    """Runs the command. Errors go to standard error as one sentence, exit code 1; wrong usage exits with 2."""
    configure_logs()
    try:
        app()
    except PennyError as error:
        progress(error.message)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        sys.exit(130)
