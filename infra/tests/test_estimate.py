"""What the sizes cost, computed from the dated prices."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal

from infra.estimate import DOCUMENT, document, estimate, reply_cost
from infra.sizes import PRODUCTION, SMALL
from infra.tests.conftest import ROOT, Templates

TABLE = tomllib.loads((ROOT / "infra" / "prices.toml").read_text())
MODELS = tomllib.loads((ROOT / "agent" / "capabilities.toml").read_text())["models"]


def test_the_document_is_what_the_prices_say() -> None:
    """`python -m infra.estimate --write` makes it anew."""
    assert DOCUMENT.read_text() == document()


def test_the_prices_are_dated_and_have_sources() -> None:
    """So that somebody can look whether they still hold."""
    assert isinstance(TABLE["as_of"], date)
    assert len(TABLE["sources"]) > 5
    assert list(TABLE["seen"]) == list(TABLE["price"])


def test_one_line_by_hand() -> None:
    """One task of half a vCPU and a gigabyte for 730 hours."""
    tasks = estimate(SMALL, TABLE, MODELS)[0].dollars
    assert tasks == 730 * (Decimal("0.04048") / 2 + Decimal("0.004445"))


def test_a_reply_by_hand() -> None:
    """Each kind of token at its own price."""
    reply = {"input": 1000, "cache_read": 1000, "cache_write": 1000, "output": 1000}
    price = {"input": "3", "cache_read": "0.3", "cache_write": "3.75", "output": "15"}
    assert reply_cost(reply, price) == Decimal("0.02205")


def test_what_is_counted_is_what_is_made(production: Templates) -> None:
    """NAT gateways, endpoints, keys and alarms of the estimate are those of the templates."""
    from infra import estimate as module

    interface = [e for e in production.of("AWS::EC2::VPCEndpoint").values() if e["VpcEndpointType"] == "Interface"]
    assert len(interface) == module.ENDPOINTS
    assert len(production.of("AWS::EC2::NatGateway")) == PRODUCTION.nat_gateways
    assert len(production.of("AWS::KMS::Key")) <= module.KEYS
    assert abs(len(production.of("AWS::CloudWatch::Alarm")) - module.ALARMS) <= 4
    assert len(production.one("AWS::WAFv2::WebACL")["Rules"]) == module.RULES
