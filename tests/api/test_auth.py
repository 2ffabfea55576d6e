"""Bearer tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from api.auth import Authenticator, mint
from domain.clock import SystemClock
from domain.errors import SetupError, Unauthorized

KEY = b"0123456789abcdef0123456789abcdef"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def unsigned(claims: dict[str, object]) -> str:
    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


async def test_a_request_without_a_token_is_told_what_to_send(anonymous: httpx.AsyncClient) -> None:
    """Without a token the answer is 401 with WWW-Authenticate and says which header is missing."""
    answer = await anonymous.get("/v1/sessions")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert "Authorization: Bearer" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer realm="penny"'


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "a.b.c",
        "....",
        "é",
        "x" * 9000,
        unsigned({"sub": "a", "iss": "penny-dev", "aud": "penny", "exp": 9e9}),
    ],
)
async def test_what_is_no_token_of_ours_is_refused(anonymous: httpx.AsyncClient, token: str) -> None:
    """Garbage and unsigned tokens get 401 and are not repeated in the answer."""
    answer = await anonymous.get("/v1/sessions", headers={"Authorization": f"Bearer {token}".encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert len(token) < 5 or token not in answer.text


async def test_an_expired_token_says_when_it_ended(
    anonymous: httpx.AsyncClient, make_token: Callable[..., str]
) -> None:
    """An expired token has a code of its own and the time it ended."""
    answer = await anonymous.get("/v1/sessions", headers=bearer(make_token(ttl=-60)))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert answer.json()["detail"] == "The token expired at 2026-11-22 11:59:00 UTC; get a new one."
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_clocks_may_differ_by_half_a_minute(anonymous: httpx.AsyncClient, make_token: Callable[..., str]) -> None:
    """A token that expired 20 seconds ago still counts."""
    assert (await anonymous.get("/v1/sessions", headers=bearer(make_token(ttl=-20)))).status_code == 200


@pytest.mark.parametrize(
    ("claim", "value"), [("issuer", "elsewhere"), ("audience", "another"), ("user", ""), ("user", "a\x00b")]
)
async def test_a_token_for_somebody_else_is_refused(
    anonymous: httpx.AsyncClient, make_token: Callable[..., str], claim: str, value: str
) -> None:
    """Issuer, audience and subject are checked."""
    answer = await anonymous.get("/v1/sessions", headers=bearer(make_token(**{claim: value})))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_another_key_does_not_sign(anonymous: httpx.AsyncClient, make_token: Callable[..., str]) -> None:
    """A token signed with another key is refused."""
    assert (await anonymous.get("/v1/sessions", headers=bearer(make_token(key=b"k" * 32)))).status_code == 401


async def test_a_tenant_makes_another_user(anonymous: httpx.AsyncClient, make_token: Callable[..., str]) -> None:
    """The same subject of two tenants is two users."""
    name = uuid4().hex
    one, two = bearer(make_token(name, tenant="one")), bearer(make_token(name, tenant="two"))
    made = (await anonymous.post("/v1/sessions", headers=one, json={})).json()
    assert (await anonymous.get(f"/v1/sessions/{made['id']}", headers=one)).status_code == 200
    assert (await anonymous.get(f"/v1/sessions/{made['id']}", headers=two)).status_code == 404


async def test_claims_that_are_no_dates_are_refused() -> None:
    """An `exp` that is not a finite number never counts as far in the future."""

    async def nobody(_issuer: str, _tenant: str, _subject: str) -> object:
        raise AssertionError("not reached")

    from joserfc import jwt
    from joserfc.jwk import OctKey

    check = Authenticator.hs256(KEY, issuer="i", audience="a", resolve=nobody, clock=SystemClock())  # type: ignore[arg-type]
    for exp in (float("nan"), float("inf"), "2030-01-01", True, None):
        token = jwt.encode({"alg": "HS256"}, {"sub": "s", "iss": "i", "aud": "a", "exp": exp}, OctKey.import_key(KEY))
        with pytest.raises(Unauthorized):
            await check(token)


def test_a_short_key_is_refused() -> None:
    """A key shorter than the hash is a setup error that says how to make one."""
    with pytest.raises(SetupError, match="openssl rand"):
        mint(b"short", "u", 60, clock=SystemClock())
