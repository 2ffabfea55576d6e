"""Public keys and their rotation, secrets and theirs, and what no token may get away with."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from api.auth import Authenticator, TokenExpired, TokenNotYetValid, UnknownKey
from api.auth_keys import (
    FRESH_SECONDS,
    PAUSE_SECONDS,
    PUBLIC_ALGORITHMS,
    RETRY_SECONDS,
    STALE_SECONDS,
    IssuerAway,
    LoadedKeys,
    Verifier,
    jwks,
    secret,
)
from domain.clock import SystemClock
from domain.errors import Unauthorized, Unavailable

ISSUER, AUDIENCE = "https://login.example", "penny"
MAKERS: dict[str, Callable[[str], Key]] = {
    "RS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid}),
    "PS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid}),
    "ES256": lambda kid: ECKey.generate_key("P-256", {"kid": kid}),
    "Ed25519": lambda kid: OKPKey.generate_key("Ed25519", {"kid": kid}),
}


class Issuer:
    """An identity provider with a clock of its own: `keys` are published, `away` says whether it answers."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.away = False
        self.fetches = 0
        self.now = 0.0

    async def load(self) -> Sequence[Verifier]:
        self.fetches += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("The issuer is away.")
        return jwks(json.dumps({"keys": self.keys}).encode())

    def publish(self, *keys: Key, **more: Any) -> None:
        self.keys = [key.as_dict(private=False) | more for key in keys]

    def authenticator(self) -> Authenticator:
        async def resolve(_issuer: str, _tenant: str, _subject: str) -> UUID:
            return uuid4()

        keys = LoadedKeys(self.load, PUBLIC_ALGORITHMS, now=lambda: self.now)
        return Authenticator(keys, ISSUER, AUDIENCE, resolve, SystemClock())


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def token(key: Key, algorithm: str = "ES256", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that `key` signs; a claim that is None is left out."""
    now = int(SystemClock().now().timestamp())
    whole = {"sub": "u", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600} | claims
    given = {"alg": algorithm, "kid": key.kid} if header is None else header
    left = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(given, left, key, algorithms=[algorithm])


def elliptic(kid: str = "one") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


@pytest.mark.parametrize("algorithm", MAKERS)
async def test_public_keys_of_every_kind_check_tokens(issuer: Issuer, algorithm: str) -> None:
    """RSA, elliptic curves and Ed25519; the tenant and the subject are the token's."""
    key = MAKERS[algorithm]("one")
    issuer.publish(key)
    who = await issuer.authenticator()(token(key, algorithm, tenant="acme"))
    assert (who.issuer, who.tenant, who.subject) == (ISSUER, "acme", "u")


async def test_keys_are_fetched_once_for_many(issuer: Issuer) -> None:
    """Fifty tokens at once, and fifty more, are one fetch."""
    key = elliptic()
    issuer.publish(key)
    check = issuer.authenticator()
    for _ in range(2):
        await asyncio.gather(*(check(token(key)) for _ in range(50)))
    assert issuer.fetches == 1


async def test_a_rotated_key_is_found_and_the_old_one_forgotten(issuer: Issuer) -> None:
    """A token of a new key has the keys fetched at once; a key that is no longer published no longer counts."""
    old, new = elliptic("old"), elliptic("new")
    issuer.publish(old)
    check = issuer.authenticator()
    await check(token(old))
    issuer.publish(new)
    issuer.now += PAUSE_SECONDS
    await check(token(new))
    with pytest.raises(UnknownKey):
        await check(token(old))
    assert issuer.fetches == 2


async def test_unknown_keys_make_no_flood(issuer: Issuer) -> None:
    """A hundred tokens of made-up keys in a moment are at most one fetch more."""
    key = elliptic()
    issuer.publish(key)
    check = issuer.authenticator()
    await check(token(key))
    for n in range(100):
        issuer.now += PAUSE_SECONDS / 200
        with pytest.raises(UnknownKey):
            await check(token(elliptic(f"made-up {n}")))
    assert issuer.fetches == 1
    await check(token(key))


async def test_an_outage_of_the_issuer_is_sat_out(issuer: Issuer) -> None:
    """Known keys count for a day without the issuer, then requests are 503; when it is back all is well."""
    key = elliptic()
    issuer.publish(key)
    check = issuer.authenticator()
    await check(token(key))
    issuer.away = True
    issuer.now = FRESH_SECONDS + 1
    await check(token(key))
    await asyncio.sleep(0.01)
    issuer.now = STALE_SECONDS - 1
    await check(token(key))
    await asyncio.sleep(0.01)
    issuer.now = STALE_SECONDS + 60
    with pytest.raises(IssuerAway):
        await check(token(key))
    issuer.away = False
    issuer.now += RETRY_SECONDS
    await check(token(key))


async def test_an_issuer_that_was_never_there_is_not_asked_all_the_time(issuer: Issuer) -> None:
    """Without any keys, requests are 503, and the issuer is asked every few seconds only."""
    issuer.away = True
    check = issuer.authenticator()
    for _ in range(20):
        with pytest.raises(IssuerAway):
            await check(token(elliptic()))
    assert issuer.fetches == 1


async def test_keys_that_get_old_are_fetched_beside_the_requests(issuer: Issuer) -> None:
    """After ten minutes the next request has them fetched and does not wait."""
    key = elliptic()
    issuer.publish(key)
    check = issuer.authenticator()
    await check(token(key))
    issuer.now = FRESH_SECONDS + 1
    await check(token(key))
    await asyncio.sleep(0.01)
    assert issuer.fetches == 2


async def test_a_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    """HMAC with the published key (as JSON, PEM or DER), `none`, and algorithms that are not the key's are refused."""
    key = RSAKey.generate_key(2048, {"kid": "one"})
    issuer.publish(key)
    check = issuer.authenticator()
    for secret_ in (json.dumps(issuer.keys[0]).encode(), key.as_pem(private=False), key.as_der(private=False)):
        signed = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(_claims())}"
        mac = hmac.digest(secret_, signed.encode(), "sha256")
        forged = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        with pytest.raises(Unauthorized) as refused:
            await check(forged)
        assert refused.value.details == {"reason": "algorithm"}
    for algorithm in ("none", "None", "NONE", "nOnE"):
        with pytest.raises(Unauthorized):
            await check(f"{_part({'alg': algorithm, 'kid': 'one'})}.{_part(_claims())}.")
    with pytest.raises(UnknownKey):
        await check(token(elliptic()))


async def test_what_a_key_set_may_not_bring_in(issuer: Issuer) -> None:
    """Secrets, keys for encryption, keys for another algorithm, short RSA keys and nonsense in a set check nothing."""
    shared = OctKey.import_key(b"k" * 32, {"kid": "shared"})
    short, other = RSAKey.generate_key(1024, {"kid": "short"}), elliptic("other")
    good = elliptic("good")
    issuer.keys = [
        shared.as_dict(),
        short.as_dict(private=False),
        other.as_dict(private=False) | {"use": "enc"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!", "kid": "nonsense"},
        {"kty": 5},
        {},
        good.as_dict(private=False) | {"alg": "ES256"},
    ]
    check = issuer.authenticator()
    await check(token(good))
    for bad, algorithm in ((short, "RS256"), (other, "ES256")):
        with pytest.raises(UnknownKey):
            await check(token(bad, algorithm))
    assert secret(b"k" * 32)[0].algorithms == {"HS256"}


async def test_a_key_with_another_algorithm_of_its_own_does_not_check(issuer: Issuer) -> None:
    """An RSA key that is published for PS256 does not check RS256."""
    key = RSAKey.generate_key(2048, {"kid": "one"})
    issuer.publish(key, alg="PS256")
    check = issuer.authenticator()
    await check(token(key, "PS256"))
    with pytest.raises(UnknownKey):
        await check(token(key, "RS256"))


async def test_a_token_without_a_key_id_is_tried_with_the_fitting_keys(issuer: Issuer) -> None:
    """Its key may be any of the set's that fit the algorithm."""
    one, two = elliptic("one"), elliptic("two")
    issuer.publish(one, two)
    await issuer.authenticator()(token(two, header={"alg": "ES256"}))


@pytest.mark.parametrize(
    ("claims", "error", "reason"),
    [
        ({"iss": "https://evil.example"}, Unauthorized, "iss"),
        ({"iss": None}, Unauthorized, "iss"),
        ({"aud": "another"}, Unauthorized, "aud"),
        ({"aud": ["a", "b"]}, Unauthorized, "aud"),
        ({"sub": None}, Unauthorized, "sub"),
        ({"exp": None}, Unauthorized, "exp"),
        ({"exp": 1}, TokenExpired, None),
        ({"nbf": 2**33}, TokenNotYetValid, None),
        ({"iat": 2**33}, TokenNotYetValid, None),
        ({"nbf": "soon"}, Unauthorized, "nbf"),
        ({"tenant": 7}, Unauthorized, "tenant"),
        ({"tenant": "a\u0000"}, Unauthorized, "tenant"),
    ],
)
async def test_claims_are_checked(
    issuer: Issuer, claims: dict[str, Any], error: type[Unauthorized], reason: str | None
) -> None:
    """A good signature is not enough; the refusal says which claim it was."""
    key = elliptic()
    issuer.publish(key)
    with pytest.raises(error) as refused:
        await issuer.authenticator()(token(key, **claims))
    assert refused.value.details.get("reason") == reason


async def test_an_audience_may_be_one_of_several(issuer: Issuer) -> None:
    """A list that names Penny is an audience of Penny's."""
    key = elliptic()
    issuer.publish(key)
    await issuer.authenticator()(token(key, aud=["another", AUDIENCE]))


@pytest.mark.parametrize(
    "header", [[], "x", 5, {"alg": 5}, {"alg": "ES256", "kid": 5}, {"kid": "one"}, {"alg": ["ES256"]}, {"alg": None}]
)
async def test_headers_that_are_none(issuer: Issuer, header: Any) -> None:
    """A header that is not what it should be is a malformed token, never an error of the server."""
    issuer.publish(elliptic())
    with pytest.raises(Unauthorized):
        await issuer.authenticator()(f"{_part(header)}.{_part(_claims())}.AAAA")


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": 5}', b"\xff", b'{"keys": {"a": 1}}'])
def test_documents_that_are_no_key_set(document: bytes) -> None:
    """They are refused, so that the keys that are known stay."""
    with pytest.raises(ValueError, match="not a JSON Web Key Set"):
        jwks(document)


def _claims() -> dict[str, Any]:
    now = int(SystemClock().now().timestamp())
    return {"sub": "u", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 600}


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
