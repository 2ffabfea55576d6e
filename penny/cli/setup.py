"""`penny accounts`, `categories`, `rates`, `preferences`, `rollups`: a user's ledger, set up from the terminal."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from domain.errors import InvalidInput
from penny.cli.decisions import with_database
from penny.cli.output import say, say_json
from penny.cli.talk import JsonOption, UserOption
from penny.settings import DEMO_USER

if TYPE_CHECKING:
    from db.engine import Database, Transaction
    from domain.money import Money
    from ledger.accounts import Account
    from ledger.rates import Rate

T = TypeVar("T")

_COLUMNS = ("date", "base", "quote", "rate")


def _group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


accounts = _group("Accounts and balances.")
categories = _group("Categories.")
rates = _group("Exchange rates.")
rollups = _group("The sums that reports are read from.")


@accounts.command("list")
def list_accounts(user: UserOption = DEMO_USER, json_: JsonOption = False) -> None:
    """List accounts with their balances, and what they are worth together."""
    from ledger import preferences, worth

    async def look(tx: Transaction) -> Any:
        own = await preferences.get(tx)
        return own, await worth.of_user(tx, _today(own), own.currency)

    own, (found, net) = _within(user, look)

    def shown(money: Money) -> str:
        return money.format(own.locale)

    none = "There are no accounts yet; add one with `penny accounts add NAME`."
    _print(found, json_, _account, lambda a: f"{shown(a.balance):>18}  {a.kind:10}  {a.name}", none)
    if json_:
        total = net.total.json() if net.total else None
        say_json({"net_worth": total, "by_currency": [money.json() for money in net.by_currency], "date": net.day})
    if json_ or not found:
        return
    say(f"{shown(net.total) if net.total else ' + '.join(map(shown, net.by_currency)):>18}  net worth")
    for one in net.conversions:
        say(f"{'':18}  1 {one.original.currency} = {one.rate:f} {one.amount.currency} on {one.day}")
    if net.missing:
        say(net.missing.message)


@accounts.command("add")
def add_account(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[str, typer.Option(help="checking, savings, credit, cash, investment or loan.")] = "checking",
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code; default: your currency.")] = None,
    opening: Annotated[str, typer.Option(help="What it holds now, like 1250.00; negative for a debt.")] = "0",
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Add an account."""
    from domain.money import Money
    from ledger import preferences, setup

    async def add(tx: Transaction) -> Account:
        held = Money.of(opening, currency or (await preferences.get(tx)).currency)
        return await setup.add_account(tx, name, kind, held, "cli")

    made = _within(user, add, write=True)
    say_json(_account(made)) if json_ else say(f"Added the account {made.name} with {made.balance.format()}.")


@categories.command("list")
def list_categories(user: UserOption = DEMO_USER, json_: JsonOption = False) -> None:
    """List categories: spending, income, transfers."""
    from ledger import categories

    none = "There are no categories yet; add one with `penny categories add NAME`."
    _print(
        _within(user, categories.list_),
        json_,
        asdict,
        lambda c: f"{c.kind:9}  {c.name}{f'  ({c.group})' if c.group else ''}",
        none,
    )


@categories.command("add")
def add_category(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    group: Annotated[str, typer.Option(help="A heading it stands under.")] = "",
    kind: Annotated[str, typer.Option(help="spending, income or transfer.")] = "spending",
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Add a category."""
    from ledger import setup

    made = _within(user, lambda tx: setup.add_category(tx, name, group, kind, "cli"), write=True)
    say_json(asdict(made)) if json_ else say(f"Added the category {made.name}.")


@rates.command("list")
def list_rates(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """List exchange rates, the newest first."""
    from ledger import rates

    found, _ = _within(user, lambda tx: rates.list_(tx, limit=limit))
    _print(
        found,
        json_,
        lambda r: {"date": r.day, "base": r.base, "quote": r.quote, "rate": f"{r.value:f}", "source": r.source},
        lambda r: f"{r.day}  1 {r.base} = {r.value:f} {r.quote}{f'  ({r.source})' if r.source else ''}",
        "There are no rates yet; add one with `penny rates add EUR USD 1.0842`.",
    )


@rates.command("add")
def add_rate(
    base: Annotated[str, typer.Argument(help="The currency of which one unit is valued.")],
    quote: Annotated[str, typer.Argument(help="The currency it is valued in.")],
    rate: Annotated[str, typer.Argument(help="What one unit is worth, like 1.0842.")],
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: today.")] = None,
    source: Annotated[str, typer.Option(help="Where it is from.")] = "",
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Add an exchange rate, in place of one of the same currencies and day."""

    def read(today: date) -> list[Rate]:
        from ledger.rates import Rate

        return [Rate.of(base, quote, day.date() if day else today, rate, source)]

    _enter(read, user, json_)


@rates.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with date, base, quote, rate.")],
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Add the exchange rates of a CSV file, all or none."""

    def read(_: date) -> list[Rate]:
        from ledger.rates import Rate

        found = []
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as lines:
            table = csv.DictReader(lines)
            if not set(_COLUMNS) <= set(table.fieldnames or ()):
                raise InvalidInput(f"The first line of {file.name} has to name the columns {', '.join(_COLUMNS)}.")
            for row in table:
                on, base, quote, rate = (row[name] or "" for name in _COLUMNS)
                try:
                    found.append(Rate.of(base, quote, date.fromisoformat(on.strip()), rate.strip(), file.name))
                except (InvalidInput, ValueError) as error:
                    why = error.message if isinstance(error, InvalidInput) else f"{on[:16]!r} is not a date."
                    raise InvalidInput(f"Line {table.line_num} of {file.name}: {why}") from None
        return found

    _enter(read, user, json_)


def preferences(
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="May be repeated.")] = None,
    user: UserOption = DEMO_USER,
    json_: JsonOption = False,
) -> None:
    """Show preferences, or change them, messages unasked and quiet hours too: `--set weekly_summary=on`, `--set
    quiet_from=none --set quiet_until=none`. What lets changes be applied without asking is not set here."""
    from ledger import preferences, setup

    settable = [name for name in preferences.NAMES if not name.startswith(("auto_", "envelopes_"))]

    pairs = [text.partition("=") for text in set_ or ()]

    async def change(tx: Transaction) -> Any:
        kept = await preferences.get(tx)
        for name, sign, value in pairs:
            if not sign or name not in settable:
                raise InvalidInput(f"{name[:32]!r} cannot be set here; use NAME=VALUE with {', '.join(settable)}.")
            kept = replace(kept, **{name: _preferred(name, value)})
        return await setup.change_preferences(tx, kept, "cli") if pairs else kept

    kept = asdict(_within(user, change, write=True))
    if json_:
        say_json(kept)
    else:
        say("\n".join(f"{name} = {value}" for name, value in kept.items()))


def _preferred(name: str, value: str) -> Any:
    """What a preference is to be, from the command line."""
    from ledger import preferences

    if name in preferences.SWITCHES.values():
        if value not in ("on", "off"):
            raise InvalidInput(f"{name} is on or off, not {value[:16]!r}.")
        return value == "on"
    return None if value == "none" and name in preferences.MAY_BE_NONE else value


@rollups.command("verify")
def verify(user: UserOption = DEMO_USER, json_: JsonOption = False) -> None:
    """Compare the sums with the transactions; exit code 1 when any is wrong."""
    from ledger import rollups

    found = _within(user, rollups.verify)
    right = "Every sum is what the transactions add up to."
    _print(found, json_, asdict, lambda one: f"{one.what}: is {one.kept}, should be {one.true}", right)
    if found:
        raise typer.Exit(1)


@rollups.command("rebuild")
def rebuild(user: UserOption = DEMO_USER, json_: JsonOption = False) -> None:
    """Make the sums anew from the transactions."""
    from ledger import rollups

    size = _within(user, rollups.rebuild, write=True)
    say_json(asdict(size)) if json_ else say(
        f"Made {size.months:,} monthly sums and {size.merchants:,} merchants anew."
    )


def _enter(read: Any, user: str, json_: bool) -> None:
    from ledger import preferences, setup

    async def enter(tx: Transaction) -> int:
        now = _today(await preferences.get(tx))
        return await setup.enter_rates(tx, read(now), now, "cli")

    count = _within(user, enter, write=True)
    say_json({"rates": count}) if json_ else say(f"{count:,} {'rate is' if count == 1 else 'rates are'} stored.")


def _within(user: str, act: Callable[[Transaction], Awaitable[T]], *, write: bool = False) -> T:
    """What `act` finds, or does, in one transaction of the user's."""

    async def acting(db: Database, person: UUID) -> T:
        async with db.transaction(person) if write else db.read(person) as tx:
            return await act(tx)

    return with_database(user, acting)


def _print(found: Sequence[T], json_: bool, data: Callable[[T], Any], line: Callable[[T], str], none: str) -> None:
    """Each as a JSON object or a line; `none` is said, to people, when there is nothing."""
    for one in found:
        say_json(data(one)) if json_ else say(line(one))
    if not found and not json_:
        say(none)


def _account(a: Account) -> dict[str, Any]:
    return {"id": a.id, "name": a.name, "kind": a.kind, "balance": a.balance.json()}


def _today(own: Any) -> date:
    from domain.clock import SystemClock, today

    return today(SystemClock(), own.time_zone)


def register(app: typer.Typer) -> None:
    app.add_typer(accounts, name="accounts")
    app.add_typer(categories, name="categories")
    app.add_typer(rates, name="rates")
    app.command()(preferences)
    app.add_typer(rollups, name="rollups")
