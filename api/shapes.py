"""Types that several routes share: text that can be stored, identifiers in paths, pages, amounts."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from domain.ids import parse_id
from domain.money import Money

T = TypeVar("T")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text that PostgreSQL can store and JSON can carry."""


class Input(BaseModel):
    """A request's body; a field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """A response's body; further members may come with later versions."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Page(Output, Generic[T]):
    """One page of a list; `next` is the cursor of the next page, null on the last."""

    items: list[T]
    next: str | None


class Amount(Output):
    """An exact amount: so many minor units (cents, yen, fils) of a currency (ISO 4217)."""

    minor: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> Amount:
        return cls(minor=money.minor, currency=money.currency)


def _named(what: str) -> Any:
    return BeforeValidator(lambda text: parse_id(text, what) if isinstance(text, str) else text)


SessionId = Annotated[UUID, _named("session"), Path(description="The session's id.")]
RunId = Annotated[UUID, _named("run"), Path(description="The run's id.")]
ProposalId = Annotated[UUID, _named("proposal"), Path(description="The proposal's id.")]
FactId = Annotated[UUID, _named("fact"), Path(description="The fact's id.")]
JournalId = Annotated[UUID, _named("journal entry"), Path(description="The journal entry's id.")]

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
