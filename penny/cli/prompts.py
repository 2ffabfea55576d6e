"""`penny prompts`: versions of the system prompt and of the embedded model's routing prompt, what differs, trying one;
and rolling a system prompt out."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penny import settings
from penny.cli.database import with_database, with_worker
from penny.cli.output import progress, say, say_json
from penny.cli.talk import JsonOption, SessionOption, UserOption
from penny.cli.usage import IssuerOption, TenantOption
from penny.settings import DEMO_USER

if TYPE_CHECKING:
    from prompts.library import Kind, Prompt
    from prompts.stopping import Counts

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A name (v2, routing/v3), a version (v2-3f9a1c20) or a file of your own (.md, .yaml)."
    ),
]

commands = typer.Typer(help="Versions of prompts: compare, try, roll out, roll back.", no_args_is_help=True)


def found(name: str, first: Kind = "system") -> Prompt:
    """The prompt that is meant: a file by path, one of this code's by name or version (`first` says of which kind when
    several have the name), or a version that a run was made with once. Raises NotFound, PromptError."""
    from domain.errors import NotFound
    from penny import prompt_names
    from prompts import store

    if prompt := prompt_names.find(name, first):
        return prompt
    if re.fullmatch(r".+-[0-9a-f]{8}", name):

        async def act(worker: Any) -> list[Prompt]:
            return await store.kept(worker, name)

        if kept := with_worker(act):
            return kept[0]
    raise NotFound(f"There is no prompt {name}; there are {prompt_names.names()}, and files by their path.")


@commands.command(name="list")
def list_(json_: JsonOption = False) -> None:
    """List versions: whose they are, and how the replies of the last 30 days ended; then the embedded model's."""
    from penny import prompt_names
    from prompts import store

    base = prompt_names.in_use("system")
    own = {prompt.version: prompt for prompt in prompt_names.own(["system"])}

    async def act(worker: Any) -> tuple[dict[str, Prompt], dict[str, Counts], list[store.Past]]:
        known = own | {prompt.version: prompt for prompt in await store.kept(worker)}
        return known, {v: await store.counts(worker, v) for v in known}, await store.history(worker)

    known, counts, past = with_worker(act)
    latest = {each.version: each for each in reversed(past)}
    for version, prompt in sorted(known.items(), key=lambda each: (each[0] not in own, each[0])):
        seen, rollout = counts[version], latest.get(version)
        state = "base" if version == base.version else _state(rollout)
        if json_:
            rolled = rollout and {
                "status": rollout.status, "share": rollout.share / 10_000, "users": rollout.users,
                "reason": rollout.reason, "began_at": rollout.began_at, "changed_at": rollout.changed_at,
            }  # fmt: skip
            say_json(
                {"version": version, "name": prompt.name, "kind": prompt.kind, "base": version == base.version,
                 "in_code": version in own, "replies": seen.replies, "failed": seen.failed,
                 "unverified": seen.unverified, "rollout": rolled}
            )  # fmt: skip
            continue
        where = "" if version in own else "  (not in this code)"
        bad = f"{seen.failed} failed, {seen.unverified} with unverified figures" if seen.replies else ""
        say(f"{version:16} {state:24} {seen.replies:>7,} replies  {bad}{where}".rstrip())
        if rollout is not None and rollout.reason:
            say(f"  stopped {rollout.changed_at:%Y-%m-%d %H:%M}: {rollout.reason}")
    _list_routing(json_)


def _list_routing(json_: bool) -> None:
    """They come with the code and go with it: nothing of them is rolled out."""
    from penny import prompt_names

    base = prompt_names.in_use("routing")
    for prompt in prompt_names.own(["routing"]):
        used = prompt.version == base.version
        if json_:
            said = {"version": prompt.version, "name": prompt.name, "kind": prompt.kind, "base": used, "in_code": True}
            say_json(said)
        else:
            say(f"{f'routing/{prompt.version}':24} {'in use by the embedded model' if used else '-'}")


def _state(rollout: Any) -> str:
    if rollout is None:
        return "-"
    if rollout.status != "running":
        return str(rollout.status.replace("_", " "))
    users = f" and {_people(rollout.users)}" if rollout.users else ""
    return f"rolling out to {rollout.share / 100:g}%{users}"


def _people(count: int) -> str:
    return "1 user" if count == 1 else f"{count:,} users"


@commands.command()
def show(name: NameArgument) -> None:
    """Print a version's text."""
    prompt = found(name)
    progress(prompt.version)
    say(prompt.text)


@commands.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A name, a version or a file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A name, a version or a file.")],
) -> None:
    """Show what differs between two versions, line by line."""
    before, after = found(old), found(new)
    lines = list(
        unified_diff(before.text.splitlines(), after.text.splitlines(), before.version, after.version, lineterm="")
    )
    for line in lines:
        say(line)
    if not lines:
        progress(f"{before.version} and {after.version} are the same text")


@commands.command(name="try")
def try_(
    name: NameArgument,
    text: Annotated[str, typer.Argument(help="What to say.")],
    session: SessionOption = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Answer one message with a version; nobody else gets it."""
    from penny.cli.talk import say_once

    embedded = settings.load().model == "local"
    prompt = found(name, "routing" if embedded else "system")
    progress(f"prompt {prompt.version}")
    if embedded and prompt.kind == "system":
        progress("the embedded model reads no system prompt: its answer is what it is without it (see routing prompts)")
    if not say_once(text, session, user, json_, prompt=prompt):
        raise typer.Exit(1)


def share_of(text: str) -> int:
    """A share as users of 10,000: "10%", "0.5%". Raises typer.BadParameter."""
    given = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?)\s*%", text.strip())
    share = round(float(given[1]) * 100) if given else -1
    if not 0 <= share <= 10_000:
        raise typer.BadParameter("a share is written like 10% or 0.5%, from 0% to 100%")
    return share


@commands.command()
def rollout(
    name: NameArgument,
    share: Annotated[str | None, typer.Option(help="Of the users, like 10%; again with more to widen it.")] = None,
    user: Annotated[list[str] | None, typer.Option("--user", help="This user too, whatever the share.")] = None,
    least: Annotated[
        int, typer.Option("--least", min=5, max=2000, help="Replies before it is compared with the base.")
    ] = 20,
    issuer: IssuerOption = None,
    tenant: TenantOption = "",
    json_: JsonOption = False,
) -> None:
    """Give a version to a share of the users, on all servers within seconds. It stops by itself when its replies fail,
    or have unverified figures, more often than the base's."""
    from domain.errors import InvalidInput
    from penny.cli.usage import issuer_of
    from prompts import library, store

    if share is None and not user:
        raise typer.BadParameter("say for whom: --share 10%, or --user NAME")
    wanted = None if share is None else share_of(share)
    prompt, base = found(name), library.load()
    chosen = settings.load()
    if prompt.kind != "system":
        raise InvalidInput(
            f"{name} is a {prompt.kind} prompt: it is the embedded model's, which is one for a machine, and goes with "
            "the code. Name it in ROUTING (prompts/library.py) when penny eval says that it is better."
        )
    if prompt.version == base.version:
        raise typer.BadParameter(f"{prompt.version} is the base: everybody has it")

    async def act(db: Any) -> store.Running:
        users = [await db.resolve_user(issuer or issuer_of(chosen), tenant, each) for each in user or ()]
        worker = await db.worker_connection()
        try:
            return await store.roll_out(worker, prompt, base.version, share=wanted, users=users, least=least)
        finally:
            await worker.close()

    at = with_database(act)
    if json_:
        say_json({"version": at.version, "base": at.base, "share": at.share / 10_000, "users": len(at.users)})
    else:
        users = f" and {_people(len(at.users))} by name" if at.users else ""
        say(f"{at.version} goes to {at.share / 100:g}% of the users{users}; the others keep {at.base}.")
        say("Watch it with: penny prompts list. End it with: penny prompts rollback")


@commands.command()
def rollback(json_: JsonOption = False) -> None:
    """End the rollout that is under way: everybody has the base again within seconds."""
    from prompts import store

    version = with_worker(store.roll_back)
    if json_:
        say_json({"rolled_back": version})
    else:
        say(f"{version} is rolled back; replies that are being made are finished with it.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="prompts")
