"""`penny facts`: what Penny remembers of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from penny.cli.decisions import with_database
from penny.cli.output import say, say_json
from penny.cli.talk import JsonOption, UserOption
from penny.settings import DEMO_USER

if TYPE_CHECKING:
    from db.engine import Database
    from memory.facts import Fact

commands = typer.Typer(help="What Penny remembers of you.", no_args_is_help=True, rich_markup_mode=None)


@commands.command("list")
def list_(user: UserOption = DEMO_USER, json_: JsonOption = False) -> None:
    """List what is remembered, the oldest first."""
    from memory import facts

    async def act(db: Database, person: UUID) -> tuple[Fact, ...]:
        async with db.read(person) as tx:
            return await facts.list_(tx)

    found = with_database(user, act)
    for fact in found:
        if json_:
            say_json(_json(fact))
        else:
            say(f"{fact.id}  {fact.kind:9}  {fact.text}")
    if not found and not json_:
        say("Nothing is remembered.")


@commands.command()
def add(
    text: Annotated[str, typer.Argument(help="What to remember, in a sentence.")],
    kind: Annotated[str, typer.Option(help="payday, household, goal, merchant, tone or other.")] = "other",
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Have something remembered."""
    from domain.errors import InvalidInput
    from memory.facts import KINDS
    from tools import facts as acts

    known = next((each for each in KINDS if each == kind), None)
    if known is None:
        raise InvalidInput(f"A fact's kind is one of {', '.join(KINDS)}.")

    async def act(db: Database, person: UUID) -> Fact:
        async with db.transaction(person) as tx:
            return await acts.add(tx, known, text, "cli")

    made = with_database(user, act)
    if json_:
        say_json(_json(made))
    else:
        say(f"Remembered: {made.text}")


@commands.command()
def forget(
    fact: Annotated[str, typer.Argument(metavar="ID", help="The fact to forget.")],
    user: UserOption = DEMO_USER,
) -> None:
    """Have a fact forgotten."""
    from domain.ids import parse_id
    from tools import facts as acts

    async def act(db: Database, person: UUID) -> None:
        async with db.transaction(person) as tx:
            await acts.drop(tx, parse_id(fact, "fact"), "cli")

    with_database(user, act)
    say("Forgotten. Take it back with: penny undo")


def _json(fact: Fact) -> dict[str, Any]:
    return {"id": fact.id, "kind": fact.kind, "text": fact.text, "created_at": fact.created_at}


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="facts")
