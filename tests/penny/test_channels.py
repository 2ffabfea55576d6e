"""`penny channels` and `penny outbox`, and which channels the settings switch on."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from channels.slack import SlackChannel
from domain.clock import SystemClock
from domain.errors import SetupError
from penny.channels import make_channels, missing
from penny.settings import Settings, load

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **given: str) -> Settings:
    """The settings of an environment with only these."""
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(f"PENNY_{name}", value)
    return load()


def test_without_settings_no_channel_is_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing needs to be set up to run Penny."""
    assert make_channels(settings(monkeypatch, tmp_path), SystemClock()) == {}


def test_a_half_set_up_channel_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the names of the variables, and never a secret."""
    half = settings(monkeypatch, tmp_path, STANDARD_WEBHOOK_SECRET=SECRET)
    with pytest.raises(SetupError, match="PENNY_STANDARD_OUT_URL and PENNY_STANDARD_OUT_SECRET") as caught:
        make_channels(half, SystemClock())
    assert SECRET not in caught.value.message
    assert missing(half, "standard") == ["PENNY_STANDARD_OUT_URL", "PENNY_STANDARD_OUT_SECRET"]


def test_a_secret_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is said how to make one."""
    weak = settings(
        monkeypatch,
        tmp_path,
        STANDARD_WEBHOOK_SECRET="secret",
        STANDARD_OUT_URL="http://x",
        STANDARD_OUT_SECRET=SECRET,
    )
    with pytest.raises(SetupError, match="openssl rand -base64 32"):
        make_channels(weak, SystemClock())


async def test_a_set_up_channel_is_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its name leads to it."""
    whole: dict[str, Any] = {"STANDARD_WEBHOOK_SECRET": SECRET, "STANDARD_OUT_SECRET": SECRET}
    made = make_channels(settings(monkeypatch, tmp_path, STANDARD_OUT_URL="http://x", **whole), SystemClock())
    assert list(made) == ["standard"]


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets Manager, by moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


async def test_a_secret_holds_a_channels_settings(
    manager: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The current version of the secret, after a rotation too, together with what the environment says."""
    manager.create_secret(Name="slack", SecretString='{"signing_secret": "old"}')
    manager.put_secret_value(SecretId="slack", SecretString='{"signing_secret": "new", "bot_token": "xoxb-1"}')
    given = settings(monkeypatch, tmp_path, SLACK_SECRET_ID="slack", SLACK_API_URL="http://here/")
    made = make_channels(given, SystemClock())["slack"]
    assert isinstance(made, SlackChannel)
    assert (made.signing_secret, made.bot_token, made.api_url) == ("new", "xoxb-1", "http://here/")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("no json", "JSON object"),
        ("[1]", "may hold"),
        ('{"bot_tokn": "x"}', "may hold"),
        ('{"bot_token": 3}', "may hold"),
    ],
)
def test_a_secret_of_another_form_is_refused(
    manager: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: str, said: str
) -> None:
    """It is said what it may hold, never what it holds."""
    manager.create_secret(Name="slack", SecretString=held)
    with pytest.raises(SetupError, match=said) as caught:
        make_channels(settings(monkeypatch, tmp_path, SLACK_SECRET_ID="slack"), SystemClock())
    assert "tokn" not in caught.value.message


def test_a_secret_that_is_not_there_is_named(manager: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its setting."""
    with pytest.raises(SetupError, match="'gone' of PENNY_TELEGRAM_SECRET_ID cannot be read"):
        make_channels(settings(monkeypatch, tmp_path, TELEGRAM_SECRET_ID="gone"), SystemClock())


async def test_the_manifest_is_printed_for_the_address_and_view(penny: Any) -> None:
    """As YAML, to be pasted; without an https address, and for another app, it is said what to do."""
    given = {"PENNY_PUBLIC_URL": "https://penny.example/", "PENNY_SLACK_VIEW": "agent"}
    done = await penny("channels", "manifest", "slack", "--locale", "de", **given)
    made = yaml.safe_load(done.out)
    assert made["settings"]["interactivity"]["request_url"] == "https://penny.example/webhooks/slack"
    assert "agent_view" in made["features"]
    assert made["display_information"]["description"] == "Ihr Budget im Gespräch"
    for arguments, env, said in (
        (["slack"], {}, "PENNY_PUBLIC_URL"),
        (["slack"], {"PENNY_PUBLIC_URL": "http://penny.example"}, "https"),
        (["telegram"], given, "docs/channels/"),
    ):
        done = await penny("channels", "manifest", *arguments, **env)
        assert done.code != 0
        assert said in done.err
