"""What each model can do and costs: a dated table (capabilities.toml), and honest defaults for models not in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Protocol

_GEOGRAPHY = re.compile(r"(?:us|eu|apac|au|jp|ca|sa|mx|af|me|us-gov|global)\.(?=[a-z0-9]+\.)")
_MILLION = Decimal(1_000_000)
_HOUR = 2
"""What is written to be kept for an hour costs this many times the input, with every model that can keep it so long."""


class TokenCounts(Protocol):
    """What one call used; `input` excludes what was read from or written to the prompt cache, `cache_hour` is the part
    of what was written that is kept for an hour."""

    @property
    def input(self) -> int: ...
    @property
    def output(self) -> int: ...
    @property
    def cache_read(self) -> int: ...
    @property
    def cache_write(self) -> int: ...
    @property
    def cache_hour(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_hour: Decimal

    def of(self, tokens: TokenCounts) -> Decimal:
        """The exact price of these tokens."""
        return (
            self.input * tokens.input
            + self.output * tokens.output
            + self.cache_read * tokens.cache_read
            + self.cache_write * (tokens.cache_write - tokens.cache_hour)
            + self.cache_hour * tokens.cache_hour
        ) / _MILLION


@dataclass(frozen=True, slots=True)
class Caching:
    """Prompt caching: prefixes of at least `minimum` tokens, at most `points` marks, also after the `tools` or not, for
    an `hour` where that is asked for, or only for five minutes."""

    minimum: int
    points: int = 4
    tools: bool = True
    hour: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One model's. The defaults are what holds for a model that the table does not know: tools are tried, nothing else
    is assumed, and its cost is unknown."""

    context: int = 100_000
    output: int = 4_096
    tools: bool = True
    system: bool = True
    chat: bool = True
    streaming: bool = True
    thinking: Literal["budget", "effort"] | None = None
    caching: Caching | None = None
    price: Price | None = None
    long_after: int | None = None
    long_price: Price | None = None
    regional_premium: Decimal = field(default_factory=Decimal)


UNKNOWN = Capabilities()


def base_id(model: str) -> str:
    """The foundation model's id in a model's name ("bedrock:..."), its id, or an ARN; without its geography."""
    short = model.removeprefix("bedrock:").rpartition("/")[2]
    return _GEOGRAPHY.sub("", short, count=1)


def is_regional(model: str) -> bool:
    """Whether the id is that of a profile which stays in one geography."""
    short = model.removeprefix("bedrock:").rpartition("/")[2]
    found = _GEOGRAPHY.match(short)
    return found is not None and found[0] != "global."


def capabilities(model: str) -> Capabilities:
    """What the model can do; UNKNOWN for one that is not in the table."""
    return _table().get(base_id(model), UNKNOWN)


def cost(model: str, tokens: TokenCounts) -> Decimal | None:
    """What one call of the model cost, in US dollars, exact; None when its price is not known.

    `model` is a name as runs have it ("bedrock:us.anthropic.claude-..."), an id, or an inference profile's ARN; behind
    an application profile's ARN the model is not visible, so pass what answered (`response_metadata["priced_as"]`).
    The offline model costs nothing. Prices may depend on the call's length, so add up calls, not their tokens.
    """
    if model == "local":
        return Decimal(0)
    known = capabilities(model)
    price = known.price
    if known.long_after is not None and tokens.input + tokens.cache_read + tokens.cache_write > known.long_after:
        price = known.long_price
    if price is None:
        return None
    return price.of(tokens) * (1 + known.regional_premium) if is_regional(model) else price.of(tokens)


@cache
def _table() -> Mapping[str, Capabilities]:
    data = tomllib.loads(files("agent").joinpath("capabilities.toml").read_text(encoding="utf-8"))
    return {name: _capabilities(row) for name, row in data["models"].items()}


def _capabilities(row: Mapping[str, Any]) -> Capabilities:
    plain = {key: value for key, value in row.items() if key not in ("caching", "price", "long", "regional_premium")}
    long = row.get("long")
    return Capabilities(
        **plain,
        caching=Caching(**row["caching"]) if "caching" in row else None,
        price=_price(row["price"]) if "price" in row else None,
        long_after=long["after"] if long else None,
        long_price=_price(long) if long else None,
        regional_premium=Decimal(row.get("regional_premium", "0")),
    )


def _price(row: Mapping[str, str]) -> Price:
    """Without prices of its own, what is cached costs as any input."""
    return Price(
        Decimal(row["input"]),
        Decimal(row["output"]),
        Decimal(row.get("cache_read", row["input"])),
        Decimal(row.get("cache_write", row["input"])),
        _HOUR * Decimal(row["input"]),
    )
