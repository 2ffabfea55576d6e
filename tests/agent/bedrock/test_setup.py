"""Region, credentials, profiles and endpoint: found as AWS's tools find them, and what is missing said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from emulated_bedrock import APPLICATION, ARN, FIVE, FOUNDATION, KEYS, MODEL, SECRETS, broken, model_of, whole

from agent.bedrock import BedrockModel
from agent.bedrock.place import behind
from agent.model import ModelRefused
from domain.errors import SetupError
from lab.bedrock_emulator import (
    BedrockEmulator,
    Script,
)


async def test_credentials_are_refreshed_off_the_loop() -> None:
    """Fetching new credentials blocks a thread, not the other streams."""
    loop, fetched_on = asyncio.get_running_loop(), list[bool]()

    def fetch() -> dict[str, str]:
        try:
            fetched_on.append(asyncio.get_running_loop() is loop)
        except RuntimeError:
            fetched_on.append(False)
        expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return {"access_key": "AKIDEXAMPLE", "secret_key": "test-secret", "token": "t", "expiry_time": expiry}

    soon = datetime.now(UTC) + timedelta(seconds=1)
    expiring = RefreshableCredentials("AKIDEXAMPLE", "test-secret", "t", soon, fetch, "test")
    script = Script((FIVE,), then="repeat_last")
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        model._chat.client._request_signer._credentials = expiring
        model._chat.refresh_due = expiring.refresh_needed
        await whole(model)
        await whole(model)
    assert fetched_on == [False]


async def test_a_profile_arn_brings_its_region_and_maker() -> None:
    """No region has to be set beside an inference profile's ARN."""
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator, ARN, region=None) as model:
        reply = await whole(model)
        assert emulator.state.bodies[0]["modelId"] == ARN
    assert reply.response_metadata["model_name"] == "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert model._place.region == "eu-west-1"


async def test_an_application_profile_is_looked_up_once() -> None:
    """The control plane says which model is behind it; without permission the setup error says what to grant."""
    async with BedrockEmulator(Script((FIVE,)), profiles={APPLICATION: FOUNDATION}) as emulator:
        made = await asyncio.to_thread(
            BedrockModel, APPLICATION, region="us-east-1", endpoint_url=emulator.url, keys=KEYS
        )
        assert (await whole(made)).response_metadata["model_name"] == FOUNDATION.rpartition("/")[2]
        await made.close()
        with pytest.raises(SetupError, match="bedrock:GetInferenceProfile"):
            await asyncio.to_thread(
                BedrockModel, APPLICATION + "x", region="us-east-1", endpoint_url=emulator.url, keys=KEYS
            )


@pytest.mark.parametrize(
    ("regions", "known_as"),
    [
        (("us-east-1", "us-west-2"), "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("ap-northeast-1", "ap-south-1"), "apac.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1", "eu-west-1"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1",), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1", ""), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_profile_over_regions_of_one_geography_is_priced_so(regions: tuple[str, ...], known_as: str) -> None:
    """What stays in a geography costs its premium."""

    class Control:
        def get_inference_profile(self, **_: str) -> dict[str, Any]:
            return {"models": [{"modelArn": FOUNDATION.replace("us-east-1", region)} for region in regions]}

    assert behind(APPLICATION, Control()) == known_as


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """An environment in which AWS's tools find nothing."""
    for name in (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_BEARER_TOKEN_BEDROCK",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


async def test_a_metadata_service_that_does_not_answer_is_not_waited_for(bare_environment: pytest.MonkeyPatch) -> None:
    """Off AWS its address may swallow packets; the error says what to do all the same, and soon."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    bare_environment.delenv("AWS_EC2_METADATA_DISABLED")
    bare_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{host}:{port}/")
    with pytest.raises(SetupError, match="aws configure"):
        await asyncio.to_thread(BedrockModel, MODEL, region="us-east-1")
    server.close()


async def test_closing_gives_the_connections_back() -> None:
    """Once or twice; kept connections are closed on Bedrock's side too."""
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator) as model:
        await whole(model)
        session = model._chat.wire._session
        await model.close()
        await model.close()
        assert session is not None
        assert session.closed


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": KEYS}, "AWS_REGION"),
        ({"region": "us-east-1"}, "No AWS credentials"),
        ({"region": "us-east-1", "profile": "nobody"}, "nobody"),
        ({"region": "us-east-1", "keys": KEYS, "endpoint_url": "not a url"}, "Invalid endpoint"),
    ],
)
def test_what_is_missing_is_said_at_construction(options: dict[str, Any], words: str) -> None:
    """No region, no credentials, an unknown profile, a bad endpoint: a SetupError that names it."""
    with pytest.raises(SetupError, match=words):
        BedrockModel(MODEL, **options)


async def test_the_usual_aws_variables_count(bare_environment: pytest.MonkeyPatch) -> None:
    """AWS_REGION, keys and AWS_ENDPOINT_URL_BEDROCK_RUNTIME are enough."""
    async with BedrockEmulator(Script((FIVE,)), secrets=SECRETS) as emulator:
        bare_environment.setenv("AWS_REGION", "eu-central-1")
        bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        bare_environment.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        model = BedrockModel(MODEL)
        assert (await whole(model)).content == FIVE.text
        await model.close()
    assert model._place.region == "eu-central-1"


async def test_an_api_key_is_not_sent_over_plain_http(bare_environment: pytest.MonkeyPatch) -> None:
    """AWS_BEARER_TOKEN_BEDROCK counts as credentials; botocore refuses to send it unencrypted and we say why."""
    bare_environment.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret-key")
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator, keys=None) as model:
        _, raised = await broken(model, ModelRefused)
        assert emulator.state.requests == 0
    assert "https only" in str(raised)


def test_a_model_that_refuses_temperature_is_not_sent_it() -> None:
    """LangChain's profile of the model decides."""
    asked = {"region": "us-east-1", "keys": KEYS}
    assert BedrockModel("us.anthropic.claude-opus-4-7", **asked)._chat.temperature is None
    assert BedrockModel(MODEL, **asked)._chat.temperature == 0.0
