"""Bearer tokens: JSON Web Tokens (RFC 7519) with `sub`, `iss`, `aud`, `exp` and an optional `tenant`."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import KeySet, OctKey

from domain.clock import Clock
from domain.errors import SetupError, Unauthorized

DEV_ISSUER = "penny-dev"
AUDIENCE = "penny"
LEEWAY_SECONDS = 30
KEY_BYTES = 32
"""A key for HS256 is at least as long as the hash (RFC 7518, 3.2)."""

_TOKEN_LENGTH = 8192
_NAME_LENGTH = 255


class TokenExpired(Unauthorized):
    """The token was good once."""

    code = "token_expired"


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

    `key` is a shared secret or a set of public keys, `algorithms` the only ones accepted, `resolve` gives the user's
    id (db.resolve_user). Raises Unauthorized and TokenExpired, which never repeat any part of the token.
    """

    key: OctKey | KeySet
    algorithms: tuple[str, ...]
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
        return cls(_key(key), ("HS256",), issuer, audience, resolve, clock)

    async def __call__(self, token: str) -> Identity:
        claims = self._claims(token)
        subject, tenant = _name(claims, "sub"), _name(claims, "tenant") if "tenant" in claims else ""
        return Identity(await self.resolve(self.issuer, tenant, subject), self.issuer, tenant, subject)

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _TOKEN_LENGTH:
            raise Unauthorized("The token is too long to be one of ours.")
        try:
            claims = jwt.decode(token, self.key, algorithms=self.algorithms).claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise Unauthorized("The token is malformed, or its signature is not one that is accepted here.") from None
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
            raise Unauthorized(f"The token's {error.claim} claim is missing or not the one expected here.") from None
        if not math.isfinite(claims["exp"]):
            raise Unauthorized("The token's exp claim is missing or not the one expected here.")
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
    return jwt.encode({"alg": "HS256"}, claims, _key(key))


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


def _key(key: bytes) -> OctKey:
    if len(key) < KEY_BYTES:
        raise SetupError(
            f"The key for signing tokens has {len(key)} bytes and needs at least {KEY_BYTES}; "
            "make one with `openssl rand -hex 32`."
        )
    return OctKey.import_key(key)


def _name(claims: dict[str, Any], claim: str) -> str:
    value = claims[claim]
    if (
        not isinstance(value, str)
        or not (value if claim == "tenant" else value.strip())
        or len(value) > _NAME_LENGTH
        or not value.isprintable()
    ):
        raise Unauthorized(f"The token's {claim} claim is missing or not the one expected here.")
    return value


def _at(timestamp: float) -> str:
    try:
        return f" at {datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return ""
