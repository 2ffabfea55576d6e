"""`penny channels` and `penny outbox`, and which channels the settings switch on."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

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
