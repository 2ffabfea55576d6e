"""No setting that holds a secret is in anything that Penny says: errors, reports, representations, logs."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from domain.errors import SetupError
from penny import settings
from penny.redaction import redact
from penny.settings import Settings

SECRET = "Tr0ub4dor-horse-battery-9Zq"
NAMES = sorted(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation))


def value_of(name: str) -> str:
    """A secret as the setting takes it; of a database the password."""
    return f"postgresql://someone:{SECRET}@127.0.0.1:1/nowhere" if "url" in name else SECRET


def test_every_setting_that_is_a_secret_by_its_name_is_one_by_its_type() -> None:
    """A new one that forgets to be is found here. Some name where a secret is, or count tokens of a model."""
    telling = ("secret", "token", "key", "password")
    named = {name for name in Settings.model_fields if any(part in telling for part in name.split("_"))}
    plain = {name for name in named if name not in NAMES}
    assert plain == {name for name in plain if name.endswith("secret_id")} | (
        plain & {"database_secret", "database_login_secret", "encryption_key", "model_max_tokens", "thinking_tokens"}
    )
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_in_no_representation(name: str) -> None:
    """repr, str, dump to JSON, a line of the log, an exception that carries the settings."""
    made = Settings(_env_file=None, **{name: value_of(name)})  # type: ignore[call-arg, arg-type]
    held = getattr(made, name)
    assert isinstance(held, SecretStr)
    assert SECRET in held.get_secret_value()
    told = [
        repr(made),
        str(made),
        made.model_dump_json(),
        json.dumps(made.model_dump(), default=str),
        f"{held} {held!r}",
    ]
    told.append(json.dumps(redact(None, "", {"settings": made, "one": held, "dumped": made.model_dump()}), default=str))
    try:
        raise ValueError(made)
    except ValueError:
        told.append(traceback.format_exc())
    for text in told:
        assert SECRET not in text


@pytest.mark.parametrize("name", [*NAMES, "limits_runs", "home", "metrics", "lease_seconds", "auth"])
def test_a_value_that_cannot_be_used_is_not_quoted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error names the setting: what is wrong with it may be that it is another one's secret."""
    monkeypatch.setenv(f"PENNY_{name.upper()}", SECRET)
    said = f"PENNY_{name.upper()}"
    try:
        settings.load()
    except SetupError as error:
        said = error.message
    assert SECRET not in said
    assert name.upper() in said


@given(st.sampled_from(NAMES), st.text(min_size=1, max_size=8, alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
def test_a_misspelt_name_is_told_without_its_value(name: str, more: str) -> None:
    """Also where the value is a secret."""
    with pytest.raises(SetupError) as refused:
        settings.load({f"PENNY_{name.upper()}{more}X": SECRET})
    assert SECRET not in refused.value.message


async def test_commands_tell_no_secret(penny: Callable) -> None:
    """All of them set, and a database that is not there: doctor, channels, migrate and a question."""
    given = {f"PENNY_{name.upper()}": value_of(name) for name in NAMES if name != "database_reader_url"}
    given |= {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SECRET, "AWS_ACCESS_KEY_ID": "AKIA" + "X" * 16}
    for arguments in (("doctor",), ("doctor", "--json"), ("channels", "list"), ("migrate",), ("ask", "hello")):
        done = await penny(*arguments, **given)
        assert SECRET not in done.out + done.err, arguments
        assert "Traceback" not in done.err, arguments
