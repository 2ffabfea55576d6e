"""A Claude (or other) model on Bedrock, as Penny's graph sees models."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import botocore.session
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from langchain_core.messages import AIMessageChunk

from agent.bedrock.chat import AsyncChatBedrockConverse
from agent.bedrock.failures import EXPECTED, NO_CREDENTIALS, throttled, translated
from agent.bedrock.place import Place, behind, check_profiles, is_application_profile, maker_and_base, region_of
from agent.bedrock.shaping import Shape
from agent.bedrock.signing import Filling, watch
from agent.bedrock.thinking import longest, think
from agent.bedrock.wire import BedrockWire, Retries, Route
from agent.capabilities import capabilities, cost
from agent.model import Abilities, ModelRequest, ProfileUnknown
from domain.errors import SetupError
from domain.metrics import UNTOLD, Metrics
from memory.runs import Tokens

log = structlog.get_logger(__name__)

MAX_TOKENS = 2_000
_STUB: dict[str, Any] = {"tools": [{"toolSpec": {"name": "tools", "inputSchema": {"json": {}}}}]}
_REGION = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Credentials given outright, in place of those that AWS's usual chain finds."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A Bedrock guardrail that judges the user's words and the answer; `trace` has its reasons told in the metadata."""

    id: str
    version: str
    trace: bool = False

    def config(self, *, streams: bool) -> dict[str, Any]:
        """As converse takes it. A stream is held back until it is judged, so that nothing has to be unsaid."""
        told = {"guardrailIdentifier": self.id, "guardrailVersion": self.version}
        told["trace"] = "enabled" if self.trace else "disabled"
        return {**told, "streamProcessingMode": "sync"} if streams else told


class BedrockModel:
    """`bedrock:<model id or inference profile ARN>`.

    What is not given is found as AWS's tools find it: region, credentials, AWS_PROFILE, CA bundle, proxies,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME. Construction may fetch credentials and therefore block: do it once, at start.
    `base` is the model behind an application inference profile, else asked of AWS; `profiles` are application profiles
    of the same model, by the tenant whose calls are billed to them. `thinking` is how many tokens it may
    think in before it answers, 0 for not asking it to. With `cache_hour` prompts are cached for an hour where the
    model can, and else for five minutes. Temperature is 0, for the same question should get the same answer; models
    that refuse it, or think, are not sent it.
    Raises SetupError when region, credentials, profile or endpoint are missing or wrong.
    """

    def __init__(
        self,
        model_id: str,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        profile: str | None = None,
        keys: AwsKeys | None = None,
        base: str | None = None,
        profiles: Mapping[str, str] | None = None,
        idle_seconds: float = 60.0,
        retries: Retries | None = None,
        max_tokens: int = MAX_TOKENS,
        thinking: int = 0,
        cache_hour: bool = False,
        guardrail: Guardrail | None = None,
        metrics: Metrics = UNTOLD,
    ) -> None:
        self.name = f"bedrock:{model_id}"
        self._metrics = metrics
        try:
            session = _session(profile, region or region_of(model_id), keys)
            self.priced_as = base or _priced_as(model_id, session, endpoint_url)
            self._chat = _chat(model_id, self.priced_as, session, endpoint_url, idle_seconds, retries or Retries())
            self._chat.wire.failed = self._count
        except (BotoCoreError, ValueError) as error:
            raise SetupError(f"AWS is not set up for {self.name}: {error}") from error
        known = capabilities(self.priced_as)
        self.abilities = Abilities(known.tools, known.context)
        self._shape = Shape(self.name, known, guarded=guardrail is not None, hour=cache_hour)
        self._thinking = think(str(self._chat.base_model_id), known, thinking)
        self._chat.streams = known.streaming
        self._chat.max_tokens = longest(str(self._chat.base_model_id), known, max_tokens, thinking)
        if self._thinking:
            self._chat.temperature = None
        if guardrail:
            self._chat.guardrail_config = guardrail.config(streams=known.streaming)
        self._written: tuple[Sequence[dict[str, Any]], Filling] | None = None
        client = self._chat.client.meta
        self._place = Place(model_id, client.region_name, client.endpoint_url)
        check_profiles(profiles or {}, client.region_name)
        self._tenants = {
            tenant: (self._chat.model_copy(update={"model_id": arn}), replace(self._place, model_id=arn, tenant=tenant))
            for tenant, arn in (profiles or {}).items()
        }

    @property
    def has_price(self) -> bool:
        """Whether what its calls cost is known."""
        return cost(self.priced_as, Tokens(input=1)) is not None

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """Text as it comes; tool calls whole, with the stop reason and the usage, in the last chunk.

        `response_metadata["stopReason"]` is Bedrock's (`end_turn`, `tool_use`, `max_tokens`...). Input tokens include
        those of the prompt cache, as LangChain counts. Thinking comes as `reasoning_content` blocks, which are no text.
        Raises ModelThrottled, ModelUnavailable, ModelRefused.
        """
        options: dict[str, Any] = {}
        if request.tools and self._shape.known.tools:
            options = {"toolConfig": _STUB, "filling": self._tools(request.tools)}
        if self._thinking and not request.minutes and self._shape.may_think(request.turn):
            options["additional_model_request_fields"] = self._thinking
        chat, place = self._tenants.get(request.situation.tenant, (self._chat, self._place))
        try:
            async with aclosing(chat.chunks(self._shape.messages(request), None, **options)) as chunks:
                async for chunk in chunks:
                    if chunk.response_metadata:  # only the last one has any
                        chunk.response_metadata |= {"answered_by": self.name, "priced_as": self.priced_as}
                    yield chunk
        except EXPECTED as error:
            failure = translated(error, place)
            if isinstance(failure, ProfileUnknown):
                log.error("model.profile_unknown", tenant=place.tenant, profile=place.model_id)
            raise failure from error

    def _count(self, error: Exception) -> None:
        """Each try that failed, also one that is repeated."""
        self._metrics.count("BedrockThrottles" if throttled(error) else "BedrockErrors", model=self.name)

    def _tools(self, tools: Sequence[dict[str, Any]]) -> Filling:
        """The tools as they stand in a request; they are the same in every one."""
        if self._written is None or self._written[0] is not tools:
            whole = json.dumps({"tools": [_tool_spec(tool) for tool in tools]}).encode()
            self._written = tools, Filling(json.dumps(_STUB).encode(), whole)
        return self._written[1]

    async def close(self) -> None:
        """Closes the connections to Bedrock."""
        await self._chat.wire.close()


def _tool_spec(tool: dict[str, Any]) -> dict[str, Any]:
    schema = {"json": tool["input_schema"]}
    return {"toolSpec": {"name": tool["name"], "description": tool["description"], "inputSchema": schema}}


def _session(profile: str | None, region: str | None, keys: AwsKeys | None) -> boto3.Session:
    """A session with a region and credentials. AWS_REGION counts, which botocore alone does not read."""
    core = botocore.session.Session(session_vars=_REGION, profile=profile)
    if keys is not None:
        core.set_credentials(keys.access_key, keys.secret_key, keys.token)
    if region is not None:
        core.set_config_variable("region", region)
    if not core.get_config_variable("region"):
        raise SetupError(
            "No AWS region is set: set AWS_REGION (for example us-east-1), or `region` in the AWS profile."
        )
    if core.get_credentials() is None and core.get_auth_token(signing_name="bedrock") is None:
        raise SetupError(NO_CREDENTIALS)
    return boto3.Session(botocore_session=core)


def _priced_as(model_id: str, session: boto3.Session, endpoint_url: str | None) -> str:
    if not is_application_profile(model_id):
        return model_id
    hurried = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    return behind(model_id, session.client("bedrock", endpoint_url=endpoint_url, config=hurried))


def _chat(
    model_id: str, known_as: str, session: boto3.Session, endpoint_url: str | None, idle: float, retries: Retries
) -> AsyncChatBedrockConverse:
    # Upstream and the tools' schemas make well-formed requests; checking each by the API's model takes milliseconds.
    config = Config(connect_timeout=5, read_timeout=idle, parameter_validation=False)
    client = session.client("bedrock-runtime", endpoint_url=endpoint_url, config=config)
    watch(client, "ConverseStream", "Converse")
    maker, base = maker_and_base(known_as)
    credentials = session.get_credentials()
    chat = AsyncChatBedrockConverse(
        model_id=model_id,
        base_model_id=base,
        provider=maker,
        client=client,
        bedrock_client=client,  # else upstream would build one for the control plane, which we have asked already
        temperature=0.0,
        disable_streaming=False,
        wire=BedrockWire(_route(client.meta.endpoint_url, session, idle), retries),
        refresh_due=getattr(credentials, "refresh_needed", _never),
    )
    if (chat.profile or {}).get("temperature") is False:
        chat.temperature = None
    return chat


def _never() -> bool:
    return False


def _route(endpoint: str, session: boto3.Session, idle: float) -> Route:
    """Certificates and proxy as boto3 itself would choose them."""
    scheme = endpoint.partition(":")[0]
    proxy = get_environ_proxies(endpoint).get(scheme)
    if scheme != "https":
        return Route(None, proxy, idle_seconds=idle)
    bundle = session._session.get_config_variable("ca_bundle") or get_cert_path(True)
    return Route(ssl.create_default_context(cafile=bundle), proxy, idle_seconds=idle)
