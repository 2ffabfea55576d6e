"""The messaging apps that are set up: a channel is on when its secrets are there."""

from __future__ import annotations

from channels.channel import Channel
from domain.clock import Clock
from domain.errors import SetupError
from penny.settings import Settings


def make_channels(settings: Settings, clock: Clock) -> dict[str, Channel]:
    """The channels whose secrets are set, by name, in the registry's order. Raises SetupError for one that is half set
    up. Imports only what is used."""
    made: dict[str, Channel] = {}
    if _all(settings, "standard_webhook_secret", "standard_out_url", "standard_out_secret"):
        from channels.standard import StandardChannel
        from channels.standard.verify import is_secret

        secrets = [settings.standard_webhook_secret, settings.standard_out_secret]
        for name, secret in zip(("WEBHOOK", "OUT"), secrets, strict=True):
            if secret is None or not is_secret(secret.get_secret_value()):
                raise SetupError(
                    f"PENNY_STANDARD_{name}_SECRET has to be base64 of at least 24 random bytes; make one with "
                    "`openssl rand -base64 32`."
                )
        made["standard"] = StandardChannel(
            secret=_secret(settings, "standard_webhook_secret"),
            out_url=settings.standard_out_url or "",
            out_secret=_secret(settings, "standard_out_secret"),
            clock=clock,
        )
    return made


def _all(settings: Settings, *names: str) -> bool:
    """True when all are set, False when none is. Raises SetupError otherwise, naming those that are missing."""
    missing = [name for name in names if getattr(settings, name) is None]
    if missing and len(missing) < len(names):
        wanted = " and ".join(f"PENNY_{name.upper()}" for name in missing)
        raise SetupError(
            f"The channel {names[0].partition('_')[0]!r} also needs {wanted}; or set none of its settings."
        )
    return not missing


def _secret(settings: Settings, name: str) -> str:
    value: str = getattr(settings, name).get_secret_value()
    return value
