"""The file of a deployment: what is wrong with it is said in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.acknowledgements import accepted
from infra.app import EXAMPLE
from infra.deployment import MOST_TENANTS, DeploymentError, foundation, load, parse
from infra.sizes import PRODUCTION, SIZES, SMALL
from infra.stacks.alarms import connections_allowed
from infra.tests.conftest import ROOT, example


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": "huge"}, "small, staging, production"),
        ({"account": "12"}, "12 digits"),
        ({"region": "Ireland"}, "such as eu-west-1"),
        ({"regoin": "eu-west-1"}, "regoin is not known"),
        ({"region": "xx-north-9"}, "infra.certificates, and commit it"),
        ({"encryption": "yes"}, "off, read or on"),
        ({"database_iam": True, "database_proxy": True}, "exclude each other"),
        ({"certificate": "arn:aws:acm:us-east-1:111111111111:certificate/0"}, "needs one in eu-west-1"),
        ({"model": "gpt-4"}, "a model of Bedrock"),
        ({"channels": ["fax"]}, "slack, telegram"),
        ({"channels": "slack"}, "a list of texts"),
        ({"tenants": ["acme", "acme"]}, "twice"),
        ({"tenants": ["A B"]}, "lower-case"),
        ({"tenants": [f"t{n}" for n in range(MOST_TENANTS + 1)]}, "penny usage"),
        ({"fallback": ["gpt-4"]}, "a model of Bedrock"),
        ({"fallback": ["eu.anthropic.claude-sonnet-4-5-20250929-v1:0"]}, "other than"),
        ({"settings": {"PENNY_MODEL_FALLBACK": "bedrock:x"}}, "sets itself"),
        ({"settings": {"PENNY_DATABASE_CA": "/x.pem"}}, "sets itself"),
        ({"monthly_budget_usd": 0}, "whole dollars"),
        ({"auth": {}}, "jwks"),
        ({"auth": {"cognito": True, "jwks": "https://x"}}, "makes jwks"),
        ({"auth": {"jwks": "http://x", "issuer": "x", "audience": "y"}}, "https://"),
        ({"busy": {"start": 20, "end": 6}}, "start < end"),
        ({"zones": ["a"]}, "two or more"),
        ({"settings": {"PATH": "/"}}, "settings of Penny's"),
        ({"name": "Production!"}, "lower-case letters"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(changes: dict[str, Any], said: str) -> None:
    """With what it should be."""
    with pytest.raises(DeploymentError, match=said.replace("(", r"\(")):
        example(**changes)


def test_what_is_missing_is_listed() -> None:
    """All of it at once."""
    with pytest.raises(DeploymentError, match="account, region, size"):
        parse({"name": "x1"})


@pytest.mark.parametrize("content", [None, "= nonsense", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_ends_in_one_line(tmp_path: Path, content: str | bytes | None) -> None:
    """`make synth` and the others say it without a stack trace, and exit 1."""
    path = tmp_path / "x.toml"
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "infra.cdk", "synth", str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("penny: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_tag_of_the_image_comes_from_the_caller() -> None:
    """Not from the file."""
    assert load(EXAMPLE, tag="abc").tag == "abc"


@pytest.mark.parametrize("model", ["eu.anthropic.claude-x", "anthropic.claude-x"])
def test_the_model_behind_a_profile_is_known(model: str) -> None:
    """Without the geography."""
    assert foundation(model) == "anthropic.claude-x"


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda size: size.name)
def test_all_tasks_of_a_size_find_connections(size: Any) -> None:
    """As many as it may scale to, twice over while a deployment has old and new ones."""
    assert size.connections * 2 <= connections_allowed(size.acu_most)


def test_sizes_rise() -> None:
    """Production is protected and has a spare of everything; small has neither."""
    assert PRODUCTION.protected
    assert not SMALL.protected
    assert PRODUCTION.readers >= 2
    assert PRODUCTION.tasks >= 3


def test_every_acknowledgement_has_a_reason() -> None:
    """A sentence that somebody could disagree with."""
    everything = example(traces=True, exec=True, channels=["slack", "telegram"])
    for one in accepted(everything):
        assert len(one.reason.split()) >= 6, one
        assert one.reason.endswith("."), one
