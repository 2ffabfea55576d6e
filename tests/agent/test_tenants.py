"""Each tenant's calls of the model are on the bill of a profile of its own; whose it is, the database says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.fallback import FallbackModel
from db.engine import Database
from domain.errors import SetupError
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Refusal, Turn
from memory import sessions
from penny.models import make_model
from penny.settings import Settings, load

BASE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
STAND_IN = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
PLACE = "arn:aws:bedrock:eu-west-1:111111111111:application-inference-profile/"
OURS, ACME, GONE = f"{PLACE}penny0000001", f"{PLACE}acme00000001", f"{PLACE}gone00000001"
PROFILES = {"acme": ACME, "gone": GONE}
KNOWN = {OURS: BASE, ACME: BASE}

Answer = Callable[[dict[str, Any]], Turn]


@asynccontextmanager
async def bedrock(answer: Answer) -> AsyncIterator[tuple[BedrockEmulator, Callable[..., BedrockModel]]]:
    """The emulator, and what makes models that speak to it."""
    async with BedrockEmulator(answer, profiles=KNOWN, secrets={"AKIDEXAMPLE": "test-secret"}) as emulator:
        made: list[BedrockModel] = []

        def model(name: str = OURS, **options: Any) -> BedrockModel:
            keys = AwsKeys("AKIDEXAMPLE", "test-secret")
            where = {"region": "eu-west-1", "endpoint_url": emulator.url, "keys": keys}
            made.append(BedrockModel(name, **where, retries=Retries(tries=1), **options))
            return made[-1]

        try:
            yield emulator, model
        finally:
            for each in made:
                await each.close()


async def person(database: Database, tenant: str) -> tuple[UUID, UUID]:
    """A new user of the tenant, and their session."""
    user = await database.resolve_user("https://login.example", tenant, uuid4().hex)
    async with database.transaction(user) as tx:
        return user, (await sessions.create(tx)).id


def yes(_: dict[str, Any]) -> Turn:
    return Turn("Yes.")


async def test_a_tenants_replies_are_asked_of_its_own_profile(start, collect, database: Database):
    """Others' are asked of the deployment's; the ARN is one quoted segment of the path, which is signed."""
    async with bedrock(yes) as (emulator, model), start(model(base=BASE, profiles=PROFILES)) as runner:
        for tenant in ("acme", "", "nobody-knows"):
            user, session = await person(database, tenant)
            accepted = await runner.submit(user, session, "hi")
            events = await collect(runner, user, accepted.run_id)
            assert events[-1][2]["text"] == "Yes."
        assert [body["modelId"] for body in emulator.state.bodies] == [ACME, OURS, OURS]
        path = emulator.state.paths[0]
    quoted = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A111111111111%3Aapplication-inference-profile%2Facme00000001"
    assert path == f"/model/{quoted}/converse-stream"


async def test_a_run_that_another_server_takes_up_stays_on_the_tenants_bill(start, collect, database: Database):
    """Who the tenant is comes from the database, not from the request that began the run."""
    begun = asyncio.Event()

    def slow_first(_: dict[str, Any]) -> Turn:
        if begun.is_set():
            return Turn("Yes.")
        begun.set()
        return Turn("No, wait.", first_delay=300)

    async with bedrock(slow_first) as (emulator, model):
        user, session = await person(database, "acme")
        async with start(model(base=BASE, profiles=PROFILES), owner="a") as first:
            accepted = await first.submit(user, session, "hi")
            await asyncio.wait_for(begun.wait(), 60)
        async with start(model(base=BASE, profiles=PROFILES), owner="b") as second:
            assert (await collect(second, user, accepted.run_id))[-1][2]["text"] == "Yes."
        assert [body["modelId"] for body in emulator.state.bodies] == [ACME, ACME]


async def test_a_profile_that_aws_does_not_know_is_an_error_of_its_own(start, collect, database: Database):
    """Its code tells it from other refusals; nobody else pays for it, and no model stands in."""

    def refuse(body: dict[str, Any]) -> Turn:
        gone = Refusal("ResourceNotFoundException", "The inference profile does not exist.")
        return Turn(refusal=gone) if body["modelId"] == GONE else Turn("Yes.")

    async with bedrock(refuse) as (emulator, model):
        both = FallbackModel([model(base=BASE, profiles=PROFILES), model(STAND_IN)])
        async with start(both) as runner:
            user, session = await person(database, "gone")
            accepted = await runner.submit(user, session, "hi")
            kind, data = (await collect(runner, user, accepted.run_id))[-1][1:]
        assert [body["modelId"] for body in emulator.state.bodies] == [GONE]
    assert (kind, data["code"], data["retryable"]) == ("run.failed", "model_profile_unknown", False)
    assert "PENNY_MODEL_PROFILES" in data["message"]
    assert "111111111111" not in data["message"]


async def test_a_model_stands_in_for_a_tenants_profile_that_is_throttled(start, collect, database: Database):
    """It has no profiles of tenants and is asked by its own name."""

    def throttle(body: dict[str, Any]) -> Turn:
        return Turn(refusal=Refusal("ThrottlingException")) if body["modelId"] == ACME else Turn("Yes.")

    async with bedrock(throttle) as (emulator, model):
        both = FallbackModel([model(base=BASE, profiles=PROFILES), model(STAND_IN)])
        async with start(both) as runner:
            user, session = await person(database, "acme")
            accepted = await runner.submit(user, session, "hi")
            events = await collect(runner, user, accepted.run_id)
        assert [body["modelId"] for body in emulator.state.bodies] == [ACME, STAND_IN]
    assert events[-1][2]["text"] == "Yes."


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        ({"acme": BASE}, "no ARN of an application inference profile"),
        ({"acme": ACME.replace("eu-west-1", "us-east-1")}, "us-east-1 for 'acme'; the model is in eu-west-1"),
    ],
)
async def test_profiles_that_cannot_be_are_refused_at_the_start(profiles: dict[str, str], said: str):
    """The message names the setting and the tenant."""
    async with bedrock(yes) as (_, model):
        with pytest.raises(SetupError, match=rf"PENNY_MODEL_PROFILES.*{said}"):
            model(base=BASE, profiles=profiles)


def test_profiles_need_a_model_of_bedrock():
    """Nobody believes that an offline model is billed."""
    with pytest.raises(SetupError, match="PENNY_MODEL_PROFILES"):
        make_model(Settings(model="local", model_profiles={"acme": ACME}))


@pytest.mark.parametrize("value", ["acme=arn", "[1]", '{"acme": 7}'])
def test_what_is_no_json_of_tenants_is_refused(monkeypatch: pytest.MonkeyPatch, value: str):
    """In a sentence that names the setting."""
    monkeypatch.setenv("PENNY_MODEL_PROFILES", value)
    with pytest.raises(SetupError, match="PENNY_MODEL_PROFILES"):
        load({"PENNY_MODEL_PROFILES": value})
