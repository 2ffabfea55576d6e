"""A case: a household, a conversation, and what has to come of it. Values only; YAML is read in lab.cases.parse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

TODAY = date(2026, 11, 22)
"""The day of every case that names no other; the sample household's known answers are told for it."""

Value = str | None | tuple[str, ...]
"""What an argument or a column has to be: this, left out (None), or one of several. As written, never a float."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account that the household has; `opening` in its own currency."""

    name: str
    kind: str = "checking"
    opening: Decimal = Decimal(0)
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    name: str
    kind: str = "spending"
    group: str = ""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """From `month` on ("2026-11"), in the household's currency."""

    category: str
    month: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TxnRow:
    """A posting, `amount` negative for money that left, in its account's currency; without an account: the first."""

    day: date
    amount: Decimal
    merchant: str
    category: str | None = None
    account: str | None = None
    memo: str = ""
    pending: bool = False


@dataclass(frozen=True, slots=True)
class GoalRow:
    name: str
    amount: Decimal
    date: date | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class RateRow:
    """On `day` one `base` was worth `rate` of `quote`."""

    base: str
    quote: str
    rate: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn, stored as it stands; no model is asked for it."""

    user: str
    penny: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is there before the first message. `household` is `sample` (18 months of a family) or `empty`; the rows are
    added to it. `filler` is how many earlier turns of small talk the session has, before `history`."""

    household: Literal["sample", "empty"] = "sample"
    today: date = TODAY
    locale: str = "en-US"
    currency: str = "USD"
    time_zone: str = "America/New_York"
    accounts: tuple[AccountRow, ...] = ()
    categories: tuple[CategoryRow, ...] = ()
    budgets: tuple[BudgetRow, ...] = ()
    transactions: tuple[TxnRow, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    goals: tuple[GoalRow, ...] = ()
    rates: tuple[RateRow, ...] = ()
    history: tuple[Exchange, ...] = ()
    filler: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that is wanted: arguments that are not named may be anything, those that are None left out."""

    tool: str
    args: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure: as written ("412.30 USD", "12 %", "3", "2026-11-25"), or `of` what it is, worked out from the rows of
    the household by lab.cases.answers ("spent" with category and month)."""

    text: str = ""
    of: str = ""
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that is wanted: its kind, and lines of its difference, each with some of its four columns."""

    kind: str
    diff: tuple[Mapping[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """What a step has to come to. None means that nothing is asked of it; an empty tuple of `tools` or `proposals` that
    there may be none. Each of `tools` and `words` is a choice. `has` and `lacks` are (table, row) of the user's export.
    """

    tools: tuple[tuple[Call, ...], ...] | None = None
    in_order: bool = False
    not_tools: tuple[str, ...] = ()
    figures: tuple[Answer, ...] = ()
    not_figures: tuple[Answer, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    not_words: tuple[str, ...] = ()
    proposals: tuple[Proposed, ...] | None = None
    has: tuple[tuple[str, Mapping[str, Value]], ...] = ()
    lacks: tuple[tuple[str, Mapping[str, Value]], ...] = ()
    language: str | None = None
    max_words: int | None = None
    min_words: int | None = None
    grounded: bool = True
    """Whether every figure of the reply has to be backed by a fact or the user's own words."""


@dataclass(frozen=True, slots=True)
class Say:
    """The user says something. `example` is a reply that would do; without it, the tools' own words would."""

    text: str
    expect: Expect = field(default_factory=Expect)
    example: str = ""


@dataclass(frozen=True, slots=True)
class Decide:
    """The user confirms or rejects what is pending: all of it, or the last proposal; then `expect` must hold."""

    act: Literal["confirm", "reject"]
    which: Literal["all", "last"] = "all"
    expect: Expect = field(default_factory=Expect)


@dataclass(frozen=True, slots=True)
class Rule:
    """When the reply is such, the persona goes to the state `go`: proposal, question, words, tool, otherwise."""

    when: str
    go: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class PersonaState:
    """The persona says one of `say`, or decides, and then goes where the first rule that holds leads."""

    name: str
    say: tuple[str, ...] = ()
    act: Literal["", "confirm", "reject"] = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Persona:
    """A user who has a goal and reacts: a small state machine that begins in its first state and is done in `done`.
    `goal` is what a model is told that plays the user instead. It has to be done within `turns` messages."""

    goal: str
    states: tuple[PersonaState, ...]
    turns: int = 6
    expect: Expect = field(default_factory=Expect)
    examples: tuple[str, ...] = ()


Step = Say | Decide | Persona


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the lab. `about` says what is asked and why; `where` is the file and line it comes from."""

    name: str
    about: str
    steps: tuple[Step, ...]
    tags: tuple[str, ...] = ()
    given: Given = field(default_factory=Given)
    where: str = ""

    def to_yaml(self) -> str:
        """The case as an item of a file's list `cases`; `load` reads it back as it is."""
        from lab.cases.write import dump

        return dump(self)
