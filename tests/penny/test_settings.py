"""Settings: every name is documented, an unknown one is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import SetupError
from penny.settings import Settings, load

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env file of this checkout, no PENNY_ names of this shell."""
    monkeypatch.chdir(tmp_path)
    for name in list(__import__("os").environ):
        if name.startswith("PENNY_"):
            monkeypatch.delenv(name)


def test_defaults_need_nothing():
    """Without any setting Penny is local, embedded, on its platform's directories."""
    settings = load({})
    assert settings.model == "local"
    assert settings.database_url is None
    assert settings.home.is_absolute()


def test_an_unknown_name_is_an_error_that_suggests_the_right_one():
    """PENNY_MODL is not ignored."""
    with pytest.raises(SetupError, match="did you mean PENNY_MODEL"):
        load({"PENNY_MODL": "local"})


def test_an_unknown_name_in_the_env_file_is_an_error(tmp_path: Path):
    """.env is checked as the environment is."""
    (tmp_path / ".env").write_text("PENNY_HOEM=/x\n")
    with pytest.raises(SetupError, match="PENNY_HOME"):
        load({})


def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch):
    """The message says which setting and why, and never its value."""
    monkeypatch.setenv("PENNY_LEASE_SECONDS", "s3cret")
    with pytest.raises(SetupError, match="PENNY_LEASE_SECONDS") as caught:
        load()
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_documented(field: str):
    """docs/configuration.md names each one."""
    assert f"PENNY_{field.upper()}" in DOCS.read_text()
