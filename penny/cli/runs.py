"""`penny runs`: what an operator does about replies, whoever's they are. The list shows no words of anybody's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
import typer

from penny.cli.database import with_database, with_worker
from penny.cli.output import say, say_json
from penny.cli.talk import JsonOption

T = TypeVar("T")

FOLLOW_SECONDS = 0.1

RunArgument = Annotated[str, typer.Argument(metavar="ID", help="The run.")]

commands = typer.Typer(help="Look after replies: list, show, follow, cancel, retry.", no_args_is_help=True)


async def _owner(db: Any, run_id: UUID) -> UUID:
    """Whose run it is. Raises NotFound."""
    from memory import queue

    worker = await db.worker_connection()
    try:
        return await queue.user_of(worker, run_id)
    finally:
        await worker.close()


def _with_run(run: str, act: Callable[[Any, UUID], Awaitable[T]]) -> T:
    """`act` in a transaction of the run's user."""
    from domain.ids import parse_id

    run_id = parse_id(run, "run")

    async def within(db: Any) -> T:
        async with db.transaction(await _owner(db, run_id)) as tx:
            return await act(tx, run_id)

    return with_database(within)


@commands.command(name="list")
def list_(
    status: Annotated[str | None, typer.Option(help="queued, running, finished, failed or cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json_: JsonOption = False,
) -> None:
    """List runs of all users, the newest first."""
    from memory import queue

    async def act(worker: Any) -> list[dict[str, Any]]:
        return await queue.overview(worker, status, limit)

    found = with_worker(act)
    for run in found:
        if json_:
            say_json(run)
        else:
            late = "  abandoned" if run["abandoned"] else ""
            say(
                f"{run['id']}  {run['status']:9}  attempt {run['attempt']}  {run['created_at']:%Y-%m-%d %H:%M:%S}{late}"
            )
    if not found and not json_:
        say("There are no runs." if status is None else f"There are no {status} runs.")


@commands.command()
def show(run: RunArgument, json_: JsonOption = False) -> None:
    """Show how a run stands."""
    from memory import runs

    found = _with_run(run, runs.get)
    if json_:
        say_json(found)
        return
    for name, value in found.items():
        say(f"{name:15} {orjson.dumps(value).decode() if isinstance(value, dict) else value}")


@commands.command()
def follow(
    run: RunArgument, after: Annotated[int, typer.Option(min=0, help="Leave out events up to this.")] = 0
) -> None:
    """Print a run's events, one JSON object a line, until it ends."""
    from domain.ids import parse_id
    from memory import events

    run_id = parse_id(run, "run")

    async def act(db: Any) -> None:
        user, seen, ended = await _owner(db, run_id), after, False
        while not ended:
            async with db.read(user) as tx:
                await events.day_of(tx, run_id)
                frames, ended = await events.read(tx, run_id, seen)
            for frame in frames:
                seen = frame.seq
                say_json({"seq": frame.seq, "type": frame.type, "data": orjson.loads(frame.data)})
            if not ended:
                await asyncio.sleep(FOLLOW_SECONDS)

    with_database(act)


@commands.command()
def cancel(run: RunArgument) -> None:
    """Stop a run; the server that makes it does so within a second, and one that waits ends at once."""
    from memory import cancelling

    said = {"over": "It was over already.", "asked": "It will stop.", "ended": "It was waiting, and is cancelled."}
    say(said[_with_run(run, cancelling.cancel)])


@commands.command()
def retry(run: RunArgument, json_: JsonOption = False) -> None:
    """Answer the message of a failed or cancelled run again, as a new run that a server takes up."""
    from agent.intake import try_again
    from memory import runs
    from memory.acceptance import Terms

    async def act(tx: Any, run_id: UUID) -> Any:
        first = await runs.get(tx, run_id)
        terms = Terms("", 0, first["model"], first["prompt_version"], queue_only=True)
        return await try_again(tx, run_id, terms)

    accepted = _with_run(run, act)
    if json_:
        say_json({"run_id": str(accepted.run_id)})
    else:
        say(f"Queued as {accepted.run_id}; follow it with: penny runs follow {accepted.run_id}")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="runs")
