"""The service's calls of AWS: each is known, and tested against a stand-in; and tokens as a Cognito user pool makes
them."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from aiohttp import web
from moto import mock_aws

from api.auth import Authenticator
from api.auth_keys import PUBLIC_ALGORITHMS, LoadedKeys
from db.engine import Database
from domain.clock import SystemClock
from domain.errors import Unauthorized
from penny.keys import jwks_from

ROOT = Path(__file__).parents[2]
SERVICE = ("penny", "api", "channels", "agent", "tools", "memory", "prompts", "ledger", "db", "domain")
TESTED = {
    "secretsmanager": ("tests/penny/test_logins.py", "mock_aws"),
    "rds": ("tests/penny/test_logins.py", "mock_aws"),
    "kms": ("tests/penny/test_encryption.py", "mock_aws"),
    "bedrock": ("tests/agent/bedrock/test_setup.py", "BedrockEmulator"),
    "bedrock-runtime": ("tests/agent/bedrock/test_setup.py", "BedrockEmulator"),
}
"""Which service of AWS's, in which tests, against what."""


def test_every_call_of_aws_has_a_test_against_a_stand_in() -> None:
    """A client of another service is to be tested and added here. Metrics leave by the log and logs by the container's
    driver, so there are no calls for them."""
    asked = set()
    for package in SERVICE:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client":
                    asked |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    assert asked == set(TESTED)
    for file, stand_in in TESTED.values():
        assert stand_in in (ROOT / file).read_text(), file


@pytest.fixture
async def published() -> AsyncIterator[Any]:
    """A web server that publishes the key set which it is `told`; its address is `url`."""

    class Published:
        told, url = b"", ""

    made: Any = Published()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=made.told, content_type="application/json")

    app = web.Application()
    app.router.add_get("/jwks.json", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    yield made
    await runner.cleanup()


async def test_tokens_of_a_cognito_pool_speak_for_its_users(
    monkeypatch: pytest.MonkeyPatch, published: Any, database: Database
) -> None:
    """By the pool's published keys, issuer and client, as a deployment with `cognito = true` sets them. An access token
    has no audience and is refused."""
    region = "eu-west-1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        cognito = boto3.client("cognito-idp", region_name=region)
        pool = cognito.create_user_pool(PoolName="penny-example")["UserPool"]["Id"]
        flows = ["ADMIN_NO_SRP_AUTH"]
        made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="App", ExplicitAuthFlows=flows)
        client = made["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool, Username="ada")
        cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password="Abcdef-123456", Permanent=True)
        given = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow=flows[0],
            AuthParameters={"USERNAME": "ada", "PASSWORD": "Abcdef-123456"},
        )["AuthenticationResult"]
        issuer = f"https://cognito-idp.{region}.amazonaws.com/{pool}"
        published.told = requests.get(f"{issuer}/.well-known/jwks.json", timeout=10).content  # noqa: ASYNC210 - moto's
    keys = LoadedKeys(jwks_from(published.url), PUBLIC_ALGORITHMS)
    authenticate = Authenticator(keys, issuer, client, database.resolve_user, SystemClock())
    identity = await authenticate(given["IdToken"])
    assert (identity.issuer, identity.tenant) == (issuer, "")
    assert await authenticate(given["IdToken"]) == identity
    with pytest.raises(Unauthorized):
        await authenticate(given["AccessToken"])
