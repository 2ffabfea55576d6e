"""Settings: environment variables with the prefix PENNY_, or a .env file. This is the only place that reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from dotenv import dotenv_values
from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from rapidfuzz.process import extractOne

from domain.errors import SetupError

PREFIX = "PENNY_"
ENV_FILE = Path(".env")

DEMO_USER = "demo"
"""Whose money commands and the demo page mean unless told otherwise."""


class Settings(BaseSettings):
    """What can be set; docs/configuration.md has the same list, and a test holds them together."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    model: str = Field(
        "local", description="`local`, `bedrock:<model id or inference profile ARN>` or `scripted:<file>`"
    )
    model_fallback: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="models that stand in, in this order, while the one before is throttled or out; commas between"
    )
    model_base: str | None = Field(None, description="the model behind an application inference profile's ARN")
    model_profiles: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description='application inference profiles by tenant, `{"acme": "arn:aws:bedrock:..."}`; others: PENNY_MODEL',
    )
    model_idle_seconds: float = Field(
        60, ge=1, le=600, description="after so many seconds without a sign a reply of the model counts as broken"
    )
    model_max_tokens: int = Field(2000, ge=100, le=64_000, description="the longest piece of a reply, in tokens")
    model_cache: Literal["5m", "1h"] = Field(
        "5m", description="how long Bedrock keeps prompts that it has read; `1h` where the model can, at a higher price"
    )
    thinking_tokens: int = Field(
        0, ge=0, le=100_000, description="how much a model that can may think before it answers, in tokens; 0: as it is"
    )
    guardrail: str | None = Field(None, description="a Bedrock guardrail, `<id or ARN>:<version>`")
    guardrail_trace: bool = Field(False, description="have the guardrail tell its reasons, for the log")
    database_url: SecretStr | None = Field(None, description="`postgresql://...`; absent: embedded, under PENNY_HOME")
    database_reader_url: SecretStr | None = Field(
        None, description="`postgresql://...` of a replica, where reports are read; absent: the database itself"
    )
    database_secret: str | None = Field(
        None, description='Secrets Manager id of `{"username", "password"}`, fetched again when the database refuses it'
    )
    database_ca: str | None = Field(
        None, description="PEM file of who must have made the database's certificate, or `rds` or `rds-proxy`"
    )
    database_iam: bool = Field(False, description="log in with tokens of IAM in place of a password")
    database_login_secret: str | None = Field(
        None, description="for `penny migrate`: Secrets Manager id of the login that it makes for the service"
    )
    database_login_iam: str | None = Field(
        None, description="for `penny migrate`: the user that it makes for the service, which IAM's tokens let in"
    )
    database_pool: int = Field(10, ge=2, le=500, description="connections of a process for users' work, at most")
    encryption_key: str | None = Field(
        None,
        description="encrypts what users write: `kms:<key id, ARN or alias>` or `file:<path>`; absent: stored plain",
    )
    encryption: Literal["on", "read"] = Field(
        "on", description="with a key: `on`, or `read`: what is encrypted is read, and nothing more is encrypted"
    )
    home: Path = Field(
        default_factory=lambda: user_data_path("penny", appauthor=False),
        description="where the embedded database lives (default: the platform's data directory)",
    )
    cache: Path = Field(
        default_factory=lambda: user_cache_path("penny", appauthor=False),
        description="where the embedded model's file lives, shared by all checkouts (default: the platform's cache)",
    )
    local_gguf: Path | None = Field(None, description="another GGUF file for `local`")
    drain_seconds: float = Field(110, ge=0, le=3600, description="time for running replies after SIGTERM, in seconds")
    lease_seconds: float = Field(
        10, ge=1, le=600, description="after so many seconds without a heartbeat another process takes a run over"
    )
    event_retention_days: int = Field(7, ge=1, le=3650, description="how long the events of runs are kept, in days")
    auth: str = Field(
        "dev", description="`dev` (loopback only), `jwks:<url or file>` or `hs256:<file or Secrets Manager id>`"
    )
    auth_issuer: str = Field("penny-dev", description="the `iss` that tokens must have")
    auth_audience: str = Field("penny", description="the `aud` that tokens must have")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins whose pages may call, separated by commas"
    )
    grounding: Literal["annotate", "strict", "off"] = Field(
        "annotate",
        description="`annotate` marks figures that no fact backs, `strict` holds each sentence until they are verified",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses or networks whose X-Forwarded-For is believed, separated by commas"
    )
    limits_requests_per_user: int | None = Field(None, ge=0, description="requests a minute; 0 is no limit")
    limits_requests_per_tenant: int | None = Field(None, ge=0, description="requests a minute; 0 is no limit")
    limits_requests_per_address: int | None = Field(None, ge=0, description="requests a minute; 0 is no limit")
    limits_open_per_user: int | None = Field(None, ge=0, description="requests and streams at once; 0 is no limit")
    limits_open_per_tenant: int | None = Field(None, ge=0, description="requests and streams at once; 0 is no limit")
    limits_open_per_address: int | None = Field(None, ge=0, description="requests and streams at once; 0 is no limit")
    limits_runs: int = Field(500, ge=1, description="replies that one process makes at once")
    limits_runs_per_user: int = Field(5, ge=1, description="replies made for one user at once, on all servers")
    limits_tokens_day: int = Field(
        2_000_000, ge=0, description="tokens a day (UTC) of one user, cached ones a tenth; 0: any number"
    )
    limits_tokens_day_tenant: int = Field(0, ge=0, description="tokens a day (UTC) of all users of a tenant; 0: any")
    limits_cost_usd_day: Decimal = Field(
        Decimal(0), ge=0, description="US dollars a day (UTC) of one user, at the model's prices; 0: any amount"
    )
    limits_cost_usd_day_tenant: Decimal = Field(
        Decimal(0), ge=0, description="US dollars a day (UTC) of all users of a tenant; 0: any amount"
    )
    limits_tool_loops: int = Field(8, ge=1, le=32, description="rounds of tool calls in one reply")
    limits_proposals: int = Field(5, ge=1, le=50, description="changes proposed in one reply")
    limits_message_length: int = Field(8000, ge=1, le=100_000, description="characters of one message")

    metrics: Literal["off", "emf"] = Field(
        "off", description="`emf` writes metrics for CloudWatch to standard output, once a minute"
    )
    traces: Literal["off", "otlp"] = Field(
        "off", description="`otlp` sends traces to where OpenTelemetry's own variables say"
    )

    public_url: str | None = Field(None, description="the address that apps know the service by, as they sign it")
    standard_secret_id: str | None = Field(None, description="Secrets Manager id of the channel's settings as JSON")
    slack_secret_id: str | None = Field(None, description="the same for Slack")
    telegram_secret_id: str | None = Field(None, description="the same for Telegram")
    whatsapp_secret_id: str | None = Field(None, description="the same for WhatsApp")
    twilio_secret_id: str | None = Field(None, description="the same for Twilio")
    standard_webhook_secret: SecretStr | None = Field(None, description="signs what the channel `standard` is sent")
    standard_out_url: str | None = Field(None, description="where the channel `standard` sends its events")
    standard_out_secret: SecretStr | None = Field(None, description="signs what the channel `standard` sends")
    slack_signing_secret: SecretStr | None = Field(None, description="signs what Slack sends")
    slack_bot_token: SecretStr | None = Field(None, description="the bot's token (xoxb-...)")
    slack_view: Literal["messages", "agent", "assistant"] = Field(
        "messages",
        description="how people see Penny in Slack: `messages`, or in paid workspaces `agent` or the older `assistant`",
    )
    telegram_bot_token: SecretStr | None = Field(None, description="the bot's token")
    telegram_webhook_secret: SecretStr | None = Field(None, description="comes with every update of Telegram's")
    telegram_api_url: str = Field("https://api.telegram.org", description="where the Bot API is")
    whatsapp_app_secret: SecretStr | None = Field(None, description="signs what Meta sends")
    whatsapp_verify_token: SecretStr | None = Field(None, description="what Meta's check of the address names")
    whatsapp_access_token: SecretStr | None = Field(None, description="opens the Graph API")
    whatsapp_phone_number_id: str | None = Field(None, description="Meta's id of our number")
    whatsapp_api_url: str = Field("https://graph.facebook.com/v24.0", description="where the Graph API is")
    whatsapp_template: str | None = Field(
        None, description="approved template for messages unasked, with its languages: `penny_notice:en,de`"
    )
    twilio_account_sid: str | None = Field(None, description="the account (AC...)")
    twilio_auth_token: SecretStr | None = Field(None, description="signs what Twilio sends, and opens its API")
    twilio_from: str | None = Field(None, description="our number, or a messaging service (MG...)")
    twilio_mms: bool = Field(False, description="send charts as pictures to numbers of the United States and Canada")
    twilio_api_url: str = Field("https://api.twilio.com", description="where Twilio's API is")
    slack_api_url: str = Field("https://slack.com/api/", description="where Slack's Web API is")

    @field_validator("cors_origins", "trusted_proxies", "model_fallback", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("model_profiles", mode="before")
    @classmethod
    def _profiles(cls, value: Any) -> Any:
        try:
            return orjson.loads(value) if isinstance(value, str) else value
        except orjson.JSONDecodeError:
            raise ValueError('it has to be JSON like {"acme": "arn:aws:bedrock:..."}') from None

    @field_validator("home", "cache", "local_gguf", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SetupError for an unknown PENNY_ name or a value that cannot be used."""
    given = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted({*given, *dotenv_values(ENV_FILE)}):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = extractOne(name.upper(), known)
            raise SetupError(f"{name} is not a setting of Penny; did you mean {near[0]}? See docs/configuration.md.")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SetupError(f"{name} cannot be used: {first['msg']}. See docs/configuration.md.") from None
