"""The messaging apps that are set up: a channel is on when its secrets are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from pydantic import SecretStr

from channels.channel import Channel
from channels.registry import CHANNELS
from domain.clock import Clock
from domain.errors import InvalidInput, SetupError
from penny.secrets_manager import secret_value
from penny.settings import PREFIX, Settings

NEEDS: Mapping[str, tuple[str, ...]] = {
    "standard": ("standard_webhook_secret", "standard_out_url", "standard_out_secret"),
    "slack": ("slack_signing_secret", "slack_bot_token"),
    "telegram": ("telegram_bot_token", "telegram_webhook_secret"),
    "whatsapp": (
        "whatsapp_app_secret",
        "whatsapp_verify_token",
        "whatsapp_access_token",
        "whatsapp_phone_number_id",
    ),
    "twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from", "public_url"),
}
"""The settings without which a channel is off."""


def make_channels(settings: Settings, clock: Clock) -> dict[str, Channel]:
    """The channels whose settings are there, by name, in the registry's order. Raises SetupError for one that is half
    set up. Imports only what is used, and asks Secrets Manager where settings say so: call it in a thread."""
    settings = with_secrets(settings)
    made = {}
    for name in CHANNELS:
        if name not in NEEDS:
            continue
        lacking = missing(settings, name)
        if not lacking:
            try:
                made[name] = _MAKERS[name](settings, clock)
            except ModuleNotFoundError as error:
                raise SetupError(
                    f"The channel {name} needs the package {error.name}; install Penny with its extra `channels`."
                ) from None
        elif len(lacking) < len([setting for setting in NEEDS[name] if setting.startswith(name)]):
            raise SetupError(f"The channel {name} also needs {' and '.join(lacking)}; or set none of its settings.")
    return made


def with_secrets(settings: Settings) -> Settings:
    """The settings with what the secrets named by PENNY_<CHANNEL>_SECRET_ID hold: JSON objects such as
    {"signing_secret": "...", "bot_token": "..."}. Raises SetupError, Unavailable."""
    found: dict[str, object] = {}
    for name, needs in NEEDS.items():
        secret_id = getattr(settings, f"{name}_secret_id")
        if secret_id is None:
            continue
        setting = f"{PREFIX}{name.upper()}_SECRET_ID"
        known = [need.removeprefix(f"{name}_") for need in needs if need.startswith(f"{name}_")]
        try:
            held = orjson.loads(secret_value(secret_id, setting))
            wrong = [key for key in held if key not in known or not isinstance(held[key], str)]
        except (orjson.JSONDecodeError, TypeError):
            raise SetupError(f"The secret of {setting} has to be a JSON object.") from None
        if wrong or not isinstance(held, dict):
            raise SetupError(f"The secret of {setting} may hold these texts: {', '.join(known)}.")
        for key, value in held.items():
            secret = Settings.model_fields[f"{name}_{key}"].annotation == SecretStr | None
            found[f"{name}_{key}"] = SecretStr(value) if secret else value
    return settings.model_copy(update=found) if found else settings


def missing(settings: Settings, name: str) -> list[str]:
    """The variables that the channel still needs. Raises InvalidInput for a channel that there is none of."""
    if name not in NEEDS:
        raise InvalidInput(f"There is no channel {name[:32]!r}; there are: {', '.join(NEEDS)}.")
    return [f"{PREFIX}{setting.upper()}" for setting in NEEDS[name] if getattr(settings, setting) is None]


def _standard(settings: Settings, clock: Clock) -> Channel:
    from channels.standard import StandardChannel
    from channels.standard.verify import is_secret

    for setting in ("standard_webhook_secret", "standard_out_secret"):
        if not is_secret(_text(settings, setting)):
            raise SetupError(
                f"{PREFIX}{setting.upper()} has to be base64 of at least 24 random bytes; make one with "
                "`openssl rand -base64 32`."
            )
    return StandardChannel(
        secret=_text(settings, "standard_webhook_secret"),
        out_url=_text(settings, "standard_out_url"),
        out_secret=_text(settings, "standard_out_secret"),
        clock=clock,
    )


def _slack(settings: Settings, clock: Clock) -> Channel:
    from channels.slack import SlackChannel

    return SlackChannel(
        signing_secret=_text(settings, "slack_signing_secret"),
        bot_token=_text(settings, "slack_bot_token"),
        api_url=settings.slack_api_url,
        view=settings.slack_view,
    )


def _telegram(settings: Settings, clock: Clock) -> Channel:
    from aiogram.utils.token import TokenValidationError, validate_token

    from channels.telegram import TelegramChannel

    token = _text(settings, "telegram_bot_token")
    try:
        validate_token(token)
    except TokenValidationError:
        raise SetupError(
            "PENNY_TELEGRAM_BOT_TOKEN is no bot's token; @BotFather gives one like 123456:ABC..."
        ) from None
    return TelegramChannel(token, _text(settings, "telegram_webhook_secret"), settings.telegram_api_url)


def _whatsapp(settings: Settings, clock: Clock) -> Channel:
    from channels.whatsapp import WhatsAppChannel

    return WhatsAppChannel(
        app_secret=_text(settings, "whatsapp_app_secret"),
        verify_token=_text(settings, "whatsapp_verify_token"),
        access_token=_text(settings, "whatsapp_access_token"),
        phone_number_id=_text(settings, "whatsapp_phone_number_id"),
        api_url=settings.whatsapp_api_url,
        template=settings.whatsapp_template,
    )


def _twilio(settings: Settings, clock: Clock) -> Channel:
    from channels.pictures import PictureAddresses
    from channels.twilio import TwilioChannel

    pictures = None
    if settings.twilio_mms:
        if not _text(settings, "public_url").startswith("https://"):
            raise SetupError("PENNY_TWILIO_MMS needs an https address in PENNY_PUBLIC_URL: pictures show money.")
        from channels import chart_image  # noqa: F401 -- what is missing is said now, not at the first chart

        pictures = PictureAddresses(_text(settings, "twilio_auth_token"), _text(settings, "public_url"), clock)
    return TwilioChannel(
        pictures=pictures,
        account_sid=_text(settings, "twilio_account_sid"),
        auth_token=_text(settings, "twilio_auth_token"),
        sender=_text(settings, "twilio_from"),
        api_url=settings.twilio_api_url,
    )


_MAKERS: Mapping[str, Callable[[Settings, Clock], Channel]] = {
    "standard": _standard,
    "slack": _slack,
    "telegram": _telegram,
    "whatsapp": _whatsapp,
    "twilio": _twilio,
}


def _text(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
