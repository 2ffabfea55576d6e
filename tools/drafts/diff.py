"""The exact difference that row changes make, in the words of people: what, which field, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger import accounts, categories, preferences
from ledger.changes import Change
from ledger.rows import Row, Table, to_json
from tools.wording import one_month, outside, short_day

Entry = dict[str, Any]
"""`{"what", "field", "before", "after"}`; money as `{minor, currency}`, all else text, None for what is not there."""

Value = dict[str, int | str] | str | None


@dataclass(frozen=True, slots=True)
class _Names:
    """What ids in rows stand for, by the ledger as it is and by rows that the same changes make, and the locale."""

    categories: Mapping[str, str]
    accounts: Mapping[str, str]
    numbers: Mapping[str, int]
    locale: str


async def describe(tx: Transaction, changes: Sequence[Change]) -> list[Entry]:
    """One entry for each field of each row that `changes` would alter, in their order; nothing is left out or added.

    A budget holds from its month on, so its entries show what holds in that month before and after, whichever month's
    row says so.
    """
    names = _Names(
        {str(c.id): c.name for c in await categories.list_(tx)} | _named_in(changes, "category"),
        {str(a.id): a.name for a in await accounts.list_(tx)} | _named_in(changes, "account"),
        await _numbers(tx, changes),
        (await preferences.get(tx)).locale,
    )
    budgets = await _budgets(tx, changes)
    return [entry for change in changes for entry in _entries(change, names, budgets)]


def _named_in(changes: Sequence[Change], table: Table) -> dict[str, str]:
    rows = [(c.key, c.after or c.before or {}) for c in changes if c.table == table]
    return {str(key["id"]): str(row["name"]) for key, row in rows}


async def _numbers(tx: Transaction, changes: Sequence[Change]) -> dict[str, int]:
    """The numbers of the transactions that changed ones refer to."""
    rows = [row for c in changes if c.table == "txn" for row in (c.before, c.after) if row is not None]
    wanted = {str(row[name]) for row in rows for name in ("split_of", "refund_of") if row[name] is not None}
    if not wanted:
        return {}
    found = await tx.pg.fetch(
        "SELECT id::text AS id, no FROM txn WHERE user_id = $1 AND id = ANY ($2::text[]::uuid[])", tx.user, list(wanted)
    )
    return {row["id"]: row["no"] for row in found}


@dataclass(frozen=True, slots=True)
class _Budgets:
    """Budget rows by category, then month, as they are and as the changes would leave them."""

    before: Mapping[str, Mapping[str, Row]]
    after: Mapping[str, Mapping[str, Row]]


async def _budgets(tx: Transaction, changes: Sequence[Change]) -> _Budgets:
    touched = [change for change in changes if change.table == "budget"]
    before: dict[str, dict[str, Row]] = {str(change.key["category_id"]): {} for change in touched}
    for row in await tx.pg.fetch(
        """
        SELECT category_id::text AS category, month, amount_minor, currency FROM budget
         WHERE user_id = $1 AND category_id = ANY ($2::text[]::uuid[])
        """,
        tx.user,
        list(before),
    ):
        before[row["category"]][row["month"].isoformat()] = dict(row)
    after = {category: dict(months) for category, months in before.items()}
    for change in touched:
        months, month = after[str(change.key["category_id"])], str(change.key["month"])
        months.pop(month, None)
        if change.after is not None:
            months[month] = change.after
    return _Budgets(before, after)


def _entries(change: Change, names: _Names, budgets: _Budgets) -> Iterator[Entry]:
    row = change.after or change.before or {}
    what = _TITLES[change.table](change.key, row, names)
    for field, value in _FIELDS[change.table]:
        if change.table == "budget":
            old, new = (_holding(change.key, rows) for rows in (budgets.before, budgets.after))
        else:
            old, new = change.before, change.after
        if change.table == "preference":  # nothing stored is the defaults
            old, new = old or _UNSET, new or _UNSET
        before = None if old is None else value(old, names)
        after = None if new is None else value(new, names)
        if before != after:
            yield {"what": what, "field": field, "before": before, "after": after}


def _holding(key: Row, rows: Mapping[str, Mapping[str, Row]]) -> Row | None:
    """The budget row that a category goes by in a month: the latest not after it."""
    months = rows[str(key["category_id"])]
    latest = max((month for month in months if month <= str(key["month"])), default=None)
    return None if latest is None else months[latest]


def _money(column: str) -> Callable[[Row, _Names], Value]:
    return lambda row, _: Money(int(row[column] or 0), str(row["currency"])).json()


def _plain(column: str) -> Callable[[Row, _Names], Value]:
    """The text; an empty one is nothing."""
    return lambda row, _: str(row[column]) if row[column] not in (None, "") else None


def _category(row: Row, names: _Names) -> Value:
    found = row["category_id"]
    return names.categories.get(str(found), "a deleted category") if found else categories.UNCATEGORIZED


def _account(row: Row, names: _Names) -> Value:
    return names.accounts.get(str(row["account_id"]), "a deleted account")


def _txn(column: str) -> Callable[[Row, _Names], Value]:
    """The number of the transaction that the column names."""

    def number(row: Row, names: _Names) -> Value:
        found = row[column]
        return f"transaction {names.numbers.get(str(found), '(deleted)')}" if found else None

    return number


def _place(column: str, names: str) -> Callable[[Row, _Names], Value]:
    """The name of the account or category, None without one."""
    return lambda row, known: getattr(known, names).get(str(row[column]), "deleted") if row[column] else None


def _carries(row: Row, _: _Names) -> Value:
    carried: dict[object, str] = {"left": "what is left", "all": "what is left or overspent"}
    return carried.get(row["rollover"])


def _limit(column: str) -> Callable[[Row, _Names], Value]:
    """The amount; None where there is none."""
    return lambda row, _: Money(int(row[column] or 0), str(row["currency"])).json() if row[column] else None


def _switch(column: str) -> Callable[[Row, _Names], Value]:
    """ "on"; None where it is off."""
    return lambda row, _: "on" if row[column] else None


def _pending(row: Row, _: _Names) -> Value:
    return "yes" if row["pending"] else None


_FIELDS: Final[Mapping[Table, Sequence[tuple[str, Callable[[Row, _Names], Value]]]]] = {
    "budget": (("amount", _money("amount_minor")),),
    "txn": (
        ("amount", _money("amount_minor")),
        ("date", _plain("day")),
        ("merchant", _plain("merchant")),
        ("category", _category),
        ("account", _account),
        ("memo", _plain("memo")),
        ("pending", _pending),
        ("note", _plain("note")),
        ("tags", _plain("tags")),
        ("part of", _txn("split_of")),
        ("refund of", _txn("refund_of")),
        ("transfer", lambda row, _: "between own accounts" if row["transfer_id"] else None),
    ),
    "goal": (
        ("name", _plain("name")),
        ("amount", _money("amount_minor")),
        ("by", _plain("due")),
        ("account", _place("account_id", "accounts")),
        ("envelope", _place("category_id", "categories")),
        ("saved at the start", _money("start_minor")),
        ("start", _plain("start_day")),
    ),
    "hold": (("amount", _money("amount_minor")),),
    "import_batch": (("transactions", lambda row, _: str(row["added"]) if row["standing"] else None),),
    "preference": (
        *((preferences.NAMES[name], _plain(name)) for name in ("locale", "time_zone", "currency", "envelopes_since")),
        (preferences.NAMES["auto_apply"], _switch("auto_apply")),
        (preferences.NAMES["auto_each_minor"], _limit("auto_each_minor")),
        (preferences.NAMES["auto_day_minor"], _limit("auto_day_minor")),
        *((preferences.NAMES[switch], _switch(switch)) for switch in preferences.SWITCHES.values()),
        *(
            (preferences.NAMES[name], _plain(name))
            for name in ("weekly_day", "weekly_time", "quiet_from", "quiet_until", "messages_to")
        ),
    ),
    "rate": (("rate", _plain("rate")), ("source", _plain("source"))),
    "rule": (("merchant", _plain("merchant")), ("category", _category)),
    "category": (
        ("name", _plain("name")),
        ("group", _plain("group_name")),
        ("kind", _plain("kind")),
        ("carries", _carries),
        ("carries since", _plain("rollover_since")),
    ),
    "account": (
        ("name", _plain("name")),
        ("kind", _plain("kind")),
        ("currency", _plain("currency")),
        ("opening balance", _money("opening_minor")),
    ),
    # one that another takes the place of is as good as gone
    "user_fact": (
        ("text", lambda row, _: None if row["superseded_by"] else str(row["text"])),
        ("kind", lambda row, _: None if row["superseded_by"] else str(row["kind"])),
    ),
}


_UNSET: Final[Row] = {name: to_json(value) for name, value in asdict(preferences.Preferences()).items()}


def _budget_title(key: Row, _: Row, names: _Names) -> str:
    month = Month.of(date.fromisoformat(str(key["month"])))
    return f"{_category({'category_id': key['category_id']}, names)} budget, {one_month(month, names.locale)}"


def _txn_title(_: Row, row: Row, names: _Names) -> str:
    number = f"Transaction {row['no']}" if row["no"] is not None else "New transaction"
    day = short_day(date.fromisoformat(str(row["day"])), names.locale)
    return f"{number}: {outside(str(row['merchant'])) or 'no merchant'}, {day}"


def _rate_title(key: Row, _: Row, names: _Names) -> str:
    day = short_day(date.fromisoformat(str(key["day"])), names.locale)
    return f"{key['base']} to {key['quote']} rate, {day}"


def _hold_title(key: Row, _: Row, names: _Names) -> str:
    return f"Held for the month after {one_month(Month.of(date.fromisoformat(str(key['month']))), names.locale)}"


_TITLES: Final[Mapping[Table, Callable[[Row, Row, _Names], str]]] = {
    "budget": _budget_title,
    "txn": _txn_title,
    "goal": lambda _, row, __: f"Goal {outside(str(row['name']))}",
    "hold": _hold_title,
    "preference": lambda _, __, ___: "Your preferences",
    "rate": _rate_title,
    "rule": lambda _, row, __: f"Rule for {outside(str(row['merchant']))}",
    "category": lambda _, row, __: f"Category {row['name']}",
    "import_batch": lambda _, row, names: f"Import of {outside(str(row['source']))} into {_account(row, names)}",
    "account": lambda _, row, __: f"Account {row['name']}",
    "user_fact": lambda _, __, ___: "What I remember about you",
}
