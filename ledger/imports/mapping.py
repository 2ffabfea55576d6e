"""The mapping file: what the user says about a CSV or QIF file, over what would be found from the data."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import InvalidInput

Role = Literal[
    "date", "amount", "debit", "credit", "direction", "balance", "payer", "merchant", "memo", "category", "currency",
    "status", "id",
]  # fmt: skip

MAX_CHARACTERS: Final = 10_000


class Mapping(BaseModel):
    """All optional. `columns` gives a column (its heading, or its number from 1) for a role; null: no column has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    columns: dict[Role, str | int | None] = Field(default_factory=dict)
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    encoding: str | None = Field(None, max_length=32)
    header: int | None = Field(None, ge=0, le=1000)
    """The line of the headings, from 1; 0 when there are none."""
    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    decimal: Literal[".", ","] | None = None
    sign: Literal["as_is", "inverted"] | None = None


def parse(text: str) -> Mapping:
    """The mapping that the JSON says. Raises InvalidInput, naming the first thing that is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput("The mapping is too long.")
    try:
        return Mapping.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:32] for part in first["loc"]) or "the JSON"
        raise InvalidInput(f"The mapping is not usable: {where}: {first['msg']}.") from None
