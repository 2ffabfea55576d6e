"""Where the keys come from that tokens are checked with: this installation's own, files, an issuer, Secrets Manager."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from api.auth_keys import Verifier, jwks, secret
from domain.errors import SetupError, Unavailable
from penny.secrets_manager import secret_value

FETCH_SECONDS = 5.0
JWKS_BYTES = 1024 * 1024
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def dev_key(home: Path) -> bytes:
    """The key in `home`, made at first use, readable by its owner alone."""
    path = home / "dev.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = path.with_name(f"dev.key.{os.getpid()}")
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(32).encode())
            try:
                os.link(made, path)  # fails when another process was first; theirs counts
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return path.read_bytes().strip()
    except OSError as error:
        raise SetupError(f"The key file {path} cannot be used ({error.strerror}); set PENNY_HOME elsewhere.") from None


def jwks_from(where: str) -> Callable[[], Awaitable[list[Verifier]]]:
    """Loads the key set that PENNY_AUTH=jwks:<url or file> names. Raises SetupError at once for a file that cannot be
    read, and for an address that anybody on the way could answer for."""
    if "://" not in where:
        _read(Path(where))

        async def from_file() -> list[Verifier]:
            return jwks(await asyncio.to_thread(_read, Path(where)))

        return from_file
    address = urlsplit(where)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise SetupError(f"PENNY_AUTH=jwks:{where}: keys are fetched over https only.")

    async def from_issuer() -> list[Verifier]:
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as http,
                http.get(where, headers={"Accept": "application/json"}, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise Unavailable(f"The issuer's keys answer with status {answer.status}.")
                document = b""
                async for chunk in answer.content.iter_chunked(65536):
                    document += chunk
                    if len(document) > JWKS_BYTES:
                        raise Unavailable("The issuer's keys are too large to be keys.")
                return jwks(document)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("The issuer's keys cannot be fetched.") from error

    return from_issuer


def secret_from(where: str) -> Callable[[], Awaitable[list[Verifier]]]:
    """Loads the shared key that PENNY_AUTH=hs256:<file or Secrets Manager id> names: a file if there is one of that
    name, or if the name is a path; else the current version of the secret. Raises SetupError."""
    path = Path(where).expanduser()
    if path.exists() or where.startswith(("/", "./", "../", "~")):
        secret(_read(path))

        async def from_file() -> list[Verifier]:
            return secret(await asyncio.to_thread(_read, path))

        return from_file

    async def from_manager() -> list[Verifier]:
        return secret(await asyncio.to_thread(secret_value, where, "PENNY_AUTH"))

    return from_manager


def _read(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes().strip()
    except OSError as error:
        raise SetupError(f"The key file {path} of PENNY_AUTH cannot be read ({error.strerror}).") from None
