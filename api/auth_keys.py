"""Keys that tokens are checked with: fetched, kept, renewed when they rotate, and kept on when their source is away.

One class serves a JWKS at an address or in a file and a shared secret in a file or in Secrets Manager; they differ only
in how they are loaded. Nobody who sends tokens can make it load more often than once in PAUSE_SECONDS.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey, import_key

from domain.errors import PennyError, SetupError, Unavailable

FRESH_SECONDS = 600.0
"""Keys this old are loaded again, beside the requests."""

STALE_SECONDS = 24 * 3600.0
"""While their source does not answer, keys count for so long after they were last loaded."""

PAUSE_SECONDS = 30.0
"""Between two loads that a token asked for: one of an unknown key, or with a signature that does not fit."""

RETRY_SECONDS = 5.0
"""Between two loads while there are no keys at all."""

MAX_KEYS = 64
KEY_BYTES = 32
"""A key for HS256 is at least as long as the hash (RFC 7518, 3.2)."""

RSA_BITS = 2048
_ALGORITHMS: dict[str, tuple[type[Any], str | None]] = {
    "RS256": (RSAKey, None),
    "RS384": (RSAKey, None),
    "RS512": (RSAKey, None),
    "PS256": (RSAKey, None),
    "PS384": (RSAKey, None),
    "PS512": (RSAKey, None),
    "ES256": (ECKey, "P-256"),
    "ES384": (ECKey, "P-384"),
    "ES512": (ECKey, "P-521"),
    "Ed25519": (OKPKey, "Ed25519"),
    "EdDSA": (OKPKey, "Ed25519"),
}

PUBLIC_ALGORITHMS = tuple(_ALGORITHMS)
"""What tokens may be signed with when the keys are public. None of them takes a shared secret, so that a public key is
never one."""

log = structlog.get_logger(__name__)


class IssuerAway(Unavailable):
    """The keys to check tokens with cannot be had now."""

    code = "issuer_unavailable"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key, with the id and the algorithms that it is for."""

    key: Key
    kid: str | None
    algorithms: frozenset[str]


class Keys(Protocol):
    """Where the authenticator finds the keys that a token may be signed with."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The only ones accepted."""
        ...

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[Key]:
        """The keys that such a token may be signed with. Raises IssuerAway."""
        ...

    async def renewed(self) -> bool:
        """Loads the keys again, unless that was done a moment ago; whether they may have changed."""
        ...


@dataclass(frozen=True)
class FixedKeys:
    """Keys that are known for good."""

    keys: tuple[Key, ...]
    algorithms: tuple[str, ...] = ("HS256",)

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[Key]:
        return self.keys

    async def renewed(self) -> bool:
        return False


class LoadedKeys:
    """Keys that `load` gives; it may fail with any PennyError, OSError or ValueError."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Sequence[Verifier]]],
        algorithms: tuple[str, ...],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.algorithms = algorithms
        self._load = load
        self._now = now
        self._keys: Sequence[Verifier] = ()
        self._loaded_at: float | None = None
        self._tried_at = -float("inf")
        self._loading: asyncio.Task[None] | None = None

    async def candidates(self, algorithm: str, kid: str | None) -> Sequence[Key]:
        await self._ready()
        found = self._fitting(algorithm, kid)
        if not found and await self.renewed():
            found = self._fitting(algorithm, kid)
        return found

    async def renewed(self) -> bool:
        if self._loading is None and self._now() - self._tried_at < PAUSE_SECONDS:
            return False
        before = self._loaded_at
        await self._reload()
        return self._loaded_at != before

    async def _ready(self) -> None:
        """There are keys that count; ones that are getting old are loaded again without waiting for it."""
        age = self._now() - self._loaded_at if self._loaded_at is not None else float("inf")
        if age > STALE_SECONDS:
            if self._loading is not None or self._now() - self._tried_at >= RETRY_SECONDS:
                await self._reload()
            if self._loaded_at is None or self._now() - self._loaded_at > STALE_SECONDS:
                raise IssuerAway("The keys that tokens are checked with cannot be had now; try again in a moment.")
        elif age > FRESH_SECONDS and self._loading is None and self._now() - self._tried_at >= PAUSE_SECONDS:
            self._start()

    async def _reload(self) -> None:
        """Waits for one load, which all who want it share and which goes on when one of them leaves."""
        await asyncio.shield(self._loading or self._start())

    def _start(self) -> asyncio.Task[None]:
        self._tried_at = self._now()
        self._loading = asyncio.create_task(self._run(), name="token-keys")
        return self._loading

    async def _run(self) -> None:
        try:
            self._keys = tuple(await self._load())[:MAX_KEYS]
            self._loaded_at = self._now()
        except (PennyError, OSError, ValueError) as error:
            log.warning("auth.keys_unavailable", error=type(error).__name__)
        finally:
            self._loading = None

    def _fitting(self, algorithm: str, kid: str | None) -> list[Key]:
        fitting = [v for v in self._keys if algorithm in v.algorithms]
        return [v.key for v in fitting if kid is None or v.kid is None or v.kid == kid]


def jwks(document: bytes) -> list[Verifier]:
    """The keys of a JSON Web Key Set that may check signatures; others in it (secrets, keys for encryption, unknown
    kinds, short RSA keys) are passed over. Raises ValueError for what is no key set."""
    try:
        listed = json.loads(document)["keys"]
        if not isinstance(listed, list):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        raise ValueError("not a JSON Web Key Set") from None
    return [verifier for given in listed[:MAX_KEYS] if isinstance(given, dict) if (verifier := _verifier(given))]


def _verifier(given: dict[str, Any]) -> Verifier | None:
    uses = given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return None
    public = {name: value for name, value in given.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    try:
        key = import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, OctKey) or (isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS):
        return None
    curve = given.get("crv")
    fitting = frozenset(
        name for name, (kind, of) in _ALGORITHMS.items() if isinstance(key, kind) and of in (None, curve)
    )
    if isinstance(given.get("alg"), str):
        fitting &= {given["alg"]}
    kid = given.get("kid")
    return Verifier(key, kid if isinstance(kid, str) else None, fitting) if fitting else None


def secret(key: bytes) -> list[Verifier]:
    """A shared secret, for HS256. Raises SetupError for one that is too short."""
    return [Verifier(oct_key(key), None, frozenset(("HS256",)))]


def oct_key(key: bytes) -> OctKey:
    """The secret as a key. Raises SetupError for one that is too short."""
    if len(key) < KEY_BYTES:
        raise SetupError(
            f"The key for signing tokens has {len(key)} bytes and needs at least {KEY_BYTES}; "
            "make one with `openssl rand -hex 32`."
        )
    return OctKey.import_key(key)
