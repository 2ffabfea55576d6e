"""The table of what models can do and cost."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest
from langchain_aws.data._profiles import _PROFILES

from agent.capabilities import UNKNOWN, base_id, capabilities, cost
from memory.runs import Tokens

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
TABLE = tomllib.loads(files("agent").joinpath("capabilities.toml").read_text())


@pytest.mark.parametrize(
    "name",
    [
        SONNET,
        f"us.{SONNET}",
        f"bedrock:global.{SONNET}",
        f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{SONNET}",
        f"bedrock:arn:aws:bedrock:us-east-1::foundation-model/{SONNET}",
    ],
)
def test_a_model_is_known_by_each_of_its_names(name: str) -> None:
    """Ids, geographies, profiles' ARNs and runs' names lead to one row."""
    assert base_id(name) == SONNET
    assert capabilities(name) == capabilities(SONNET) != UNKNOWN


def test_costs_are_exact_and_know_the_cache() -> None:
    """Each kind of token at its own price, in decimals."""
    tokens = Tokens(input=1_001, output=333, cache_read=20_000, cache_write=77)
    # 3 and 15 dollars a million, cache 0.30 and 3.75
    assert cost(SONNET, tokens) == Decimal("0.014286750") + 0
    assert cost(SONNET, Tokens()) == 0


def test_a_profile_that_stays_in_a_geography_costs_its_premium() -> None:
    """us. costs a tenth more than global. for the models that AWS prices so."""
    tokens = Tokens(input=1_000_000)
    assert cost(f"bedrock:global.{SONNET}", tokens) == Decimal(3)
    assert cost(f"bedrock:us.{SONNET}", tokens) == Decimal("3.3")
    assert cost("us.amazon.nova-pro-v1:0", tokens) == Decimal("0.8")


def test_a_long_call_has_the_long_price() -> None:
    """Above the threshold, all of the call's tokens cost more; what was read from the cache counts as length."""
    haiku = "anthropic.claude-haiku-5-5"
    assert cost(haiku, Tokens(input=1_000, cache_read=99_000)) == Decimal("0.00109")
    assert cost(haiku, Tokens(input=1_001, cache_read=99_000)) == Decimal("0.0054505")


def test_what_is_not_known_is_not_guessed() -> None:
    """An unknown model and a hidden one have no cost and few abilities; the offline model is free."""
    for name in (
        "bedrock:someone.new-model-v9:0",
        "bedrock:arn:aws:bedrock:us-east-1:1:application-inference-profile/a1",
    ):
        assert capabilities(name) is UNKNOWN
        assert cost(name, Tokens(1, 1)) is None
    assert cost("scripted", Tokens(1, 1)) is None
    assert cost("local", Tokens(1, 1)) == 0


def test_the_table_says_its_date_and_sources() -> None:
    """So that a reader knows how old a price is."""
    assert isinstance(TABLE["as_of"], date)
    assert TABLE["sources"]


@pytest.mark.parametrize("name", list(TABLE["models"]))
def test_a_row_is_consistent(name: str) -> None:
    """Prices of the cache lie as providers set them; what LangChain's own profile knows agrees."""
    row = capabilities(name)
    assert row.price is not None
    assert 0 < row.price.cache_read <= row.price.input <= row.price.cache_write
    assert row.price.input <= row.price.output
    assert row.caching is None or (row.caching.minimum >= 512 and row.caching.points == 4)
    assert row.output <= row.context
    if known := _PROFILES.get(name):
        assert (row.context, row.output) == (known["max_input_tokens"], known["max_output_tokens"])
        assert row.tools == known["tool_calling"]
        assert (row.thinking is not None) == known["reasoning_output"]
