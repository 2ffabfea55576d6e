"""What a tool is: a name, arguments in a person's terms, and a function that answers with a ToolResult."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from db.engine import Database
from domain.clock import Clock
from domain.money import Money
from ledger.preferences import Preferences
from tools.result import ToolResult

_KEPT = (
    "type",
    "description",
    "enum",
    "const",
    "items",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minLength",
    "maxLength",
)


PROPOSALS_A_TURN = 5


@dataclass(frozen=True)
class ToolContext:
    """Whose call this is and when; nothing in it ever comes from the model.

    `today` is the user's calendar day; `said` are the user's own words in this session, this turn's message last;
    `step` is the ordinal of the graph's step and `call_id` the model's name for the call. `untrusted` is True unless it
    is known that nothing that came from outside (a merchant, a memo, rows of any tool) stands before the model: nothing
    is then applied without asking, whatever the user's preferences. `proposals` is how many the turn may make.
    `records_begin` is the day of the oldest transaction, when somebody has looked already.
    """

    db: Database
    user: UUID
    today: date
    preferences: Preferences
    clock: Clock
    session_id: UUID | None = None
    run_id: UUID | None = None
    step: int = 0
    call_id: str = ""
    prompt_version: str = ""
    said: tuple[str, ...] = ()
    untrusted: bool = True
    proposals: int = PROPOSALS_A_TURN
    records_begin: date | None = None

    def show(self, amount: Money) -> str:
        """The amount as this user's locale writes it."""
        return amount.format(self.preferences.locale)

    def amount(self, value: Decimal) -> Money:
        """The decimal in the user's own currency. Raises InvalidInput when it has too many decimals or is too large."""
        return Money.of(value, self.preferences.currency)


class Args(BaseModel):
    """Arguments of a tool: unknown ones are refused; null and empty text count as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if v is not None and not (isinstance(v, str) and not v.strip())}


def plain_number(value: Any) -> Any:
    """Text such as "$1,200.50" without its sign and thousands separators; "42,50" stays as it is and is refused."""
    if isinstance(value, str):
        text = value.strip().strip("$€£¥ ")
        return text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    return value


Amount = Annotated[Decimal, Field(gt=0, lt=10**12, allow_inf_nan=False), BeforeValidator(plain_number)]
"""A positive amount in major units of the user's currency."""

AnyAmount = Annotated[Decimal, Field(ge=0, lt=10**12, allow_inf_nan=False), BeforeValidator(plain_number)]
"""Like Amount, zero included."""

Phrase = Annotated[str, Field(max_length=80)]
"""A name or a period in the user's words."""

A = TypeVar("A", bound=Args)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """One thing the model may call.

    `description` is what the model reads, `label` says a call in words for people ("Looking at Groceries in October"),
    `writes` is True when the tool makes a proposal.
    """

    name: str
    description: str
    args: type[A]
    run: Callable[[ToolContext, A], Awaitable[ToolResult]]
    label: Callable[[A], str]
    writes: bool = False

    def spec(self) -> dict[str, Any]:
        """`{"name", "description", "input_schema"}`; the schema is one flat object without references."""
        schema = self.args.model_json_schema()
        properties = {name: _flat(prop) for name, prop in schema.get("properties", {}).items()}
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": {
                "type": "object",
                "properties": properties,
                "required": schema.get("required", []),
                "additionalProperties": False,
            },
        }


def _flat(prop: dict[str, Any]) -> dict[str, Any]:
    """A property without titles, defaults and unions: an optional value has its own schema, a decimal is a number."""
    kept = {key: prop[key] for key in _KEPT if key in prop}
    choices = [choice for choice in prop.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        numbers = [choice for choice in choices if choice.get("type") == "number"]
        kept = _flat((numbers or choices)[0]) | kept
    return kept
