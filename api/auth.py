"""Bearer tokens: JSON Web Tokens (RFC 7519) with `sub`, `iss`, `aud`, `exp` and an optional `tenant`."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import Key

from api.auth_keys import FixedKeys, Keys, oct_key
from domain.clock import Clock
from domain.errors import Unauthorized

DEV_ISSUER = "penny-dev"
AUDIENCE = "penny"
LEEWAY_SECONDS = 30
_TOKEN_LENGTH = 8192
_NAME_LENGTH = 255
_TRIES = 8
"""How many keys a token without a key id is tried with."""


class TokenExpired(Unauthorized):
    """The token was good once."""

    code = "token_expired"


class TokenNotYetValid(Unauthorized):
    """The token will be good later, by our clock."""

    code = "token_not_yet_valid"


class UnknownKey(Unauthorized):
    """The token names a key that its issuer does not have, or no longer has."""

    code = "token_key_unknown"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for: `user` is the internal id of (issuer, tenant, subject)."""

    user: UUID
    issuer: str
    tenant: str
    subject: str


@dataclass(frozen=True)
class Authenticator:
    """Turns a token into an identity: `await authenticator(token)`.

    `keys` are what tokens may be signed with, `resolve` gives the user's id (db.resolve_user). Raises Unauthorized and
    its kinds, which never repeat any part of the token, and IssuerAway.
    """

    keys: Keys
    issuer: str
    audience: str
    resolve: Callable[[str, str, str], Awaitable[UUID]]
    clock: Clock

    @classmethod
    def hs256(
        cls,
        key: bytes,
        *,
        issuer: str,
        audience: str,
        resolve: Callable[[str, str, str], Awaitable[UUID]],
        clock: Clock,
    ) -> Authenticator:
        """For tokens signed with a shared secret. Raises SetupError for a key that is too short."""
        return cls(FixedKeys((oct_key(key),)), issuer, audience, resolve, clock)

    async def __call__(self, token: str) -> Identity:
        claims = self._checked(await self._signed(token))
        subject, tenant = _name(claims, "sub"), _name(claims, "tenant") if "tenant" in claims else ""
        return Identity(await self.resolve(self.issuer, tenant, subject), self.issuer, tenant, subject)

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims, once one of the keys has signed them. Keys that may have rotated are asked for again."""
        algorithm, kid = _header(token)
        if algorithm not in self.keys.algorithms:
            raise _refused("algorithm")
        candidates = await self.keys.candidates(algorithm, kid)
        if not candidates:
            raise UnknownKey("The token is signed with a key that its issuer does not publish; get a new one.")
        claims = _verified(token, candidates, algorithm)
        if claims is None and await self.keys.renewed():
            claims = _verified(token, await self.keys.candidates(algorithm, kid), algorithm)
        if claims is None:
            raise _refused("signature")
        return claims

    def _checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            sub={"essential": True},
            exp={"essential": True},
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
        )
        try:
            rules.validate(claims)
        except ExpiredTokenError:
            raise TokenExpired(f"The token expired{_at(claims['exp'])}; get a new one.") from None
        except (MissingClaimError, InvalidClaimError) as error:
            if error.claim in ("nbf", "iat") and _number(claims.get(error.claim)):
                raise TokenNotYetValid("The token counts only later; check the clock of who made it.") from None
            raise _wrong(str(error.claim)) from None
        if not math.isfinite(claims["exp"]):
            raise _wrong("exp")
        return claims


def mint(
    key: bytes,
    user: str,
    ttl: int,
    *,
    clock: Clock,
    issuer: str = DEV_ISSUER,
    audience: str = AUDIENCE,
    tenant: str = "",
) -> str:
    """A token for `user` (the subject) that is good for `ttl` seconds, signed with the shared `key`."""
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {"sub": user, "iss": issuer, "aud": audience, "iat": now, "exp": now + ttl}
    if tenant:
        claims["tenant"] = tenant
    return jwt.encode({"alg": "HS256"}, claims, oct_key(key))


@dataclass(frozen=True)
class DevAccess:
    """What `dev` mode gives to the page on loopback: tokens for its users, each good for `ttl` seconds."""

    key: bytes
    user: str = "demo"
    ttl: int = 12 * 3600
    audience: str = AUDIENCE

    def token(self, clock: Clock, user: str | None = None) -> str:
        """A fresh one, for `user` or else the demo user."""
        return mint(self.key, user or self.user, self.ttl, clock=clock, audience=self.audience)


def _header(token: str) -> tuple[str, str | None]:
    """The token's algorithm and the id of its key, as it says itself."""
    if len(token) > _TOKEN_LENGTH:
        raise Unauthorized("The token is too long to be one of ours.", reason="length")
    try:
        part = token.split(".")[0]
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        algorithm, kid = header["alg"], header.get("kid")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _refused("form") from None
    if not isinstance(algorithm, str) or not (kid is None or isinstance(kid, str)):
        raise _refused("form")
    return algorithm, kid


def _verified(token: str, candidates: Sequence[Key], algorithm: str) -> dict[str, Any] | None:
    """The claims if one of the keys signed them."""
    for key in candidates[:_TRIES]:
        try:
            return jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return None


def _refused(reason: str) -> Unauthorized:
    return Unauthorized(
        "The token is malformed, or its signature is not one that is accepted here.",
        reason=reason,
    )


def _wrong(claim: str) -> Unauthorized:
    return Unauthorized(f"The token's {claim} claim is missing or not the one expected here.", reason=claim)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(claims: dict[str, Any], claim: str) -> str:
    value = claims[claim]
    if (
        not isinstance(value, str)
        or not (value if claim == "tenant" else value.strip())
        or len(value) > _NAME_LENGTH
        or not value.isprintable()
    ):
        raise _wrong(claim)
    return value


def _at(timestamp: float) -> str:
    try:
        return f" at {datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return ""
