"""Users' keys wrapped by a key in a file, for machines without KMS: whoever reads the file reads all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from db.sealing.keys import Context, KeyRefused
from db.sealing.ring import KEY_BYTES
from domain.errors import SetupError

SETTING: Final = "PENNY_ENCRYPTION_KEY"
_NONCE: Final = 12


class FileWrapper:
    """Implements db.sealing.keys.Wrapper. The file holds 64 hexadecimal digits."""

    def __init__(self, path: Path) -> None:
        path = path.expanduser()
        make = f"make one with `(umask 077; openssl rand -hex 32 > {path})`"
        try:
            key = bytes.fromhex(path.read_text().strip())
        except OSError as error:
            raise SetupError(f"The key file {path} of {SETTING} cannot be read ({error.strerror}); {make}.") from None
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise SetupError(f"The key file {path} of {SETTING} has to hold 64 hexadecimal digits; {make}.")
        self._cipher = AESGCM(key)
        self.name = f"file:{hashlib.sha256(b'penny key file' + key).hexdigest()[:16]}"

    async def make(self, context: Context) -> tuple[bytes, bytes, str]:
        """From the system's randomness."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, *await self.wrap(key, context)

    async def wrap(self, key: bytes, context: Context) -> tuple[bytes, str]:
        """By AES-256-GCM."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, _about(context)), self.name

    async def unwrap(self, wrapped: bytes, by: str, context: Context) -> bytes:
        """Raises KeyRefused for what another key wrapped."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _about(context))
        except InvalidTag:
            why = f"the key file is {self.name}, and what is stored was wrapped by {by}"
            raise KeyRefused("Encrypted texts cannot be used now.", reason=why) from None


def _about(context: Context) -> bytes:
    return "\n".join(f"{name}={value}" for name, value in sorted(context.items())).encode()


async def file_wrapper(path: str) -> FileWrapper:
    """From its file, read in a thread. Raises SetupError."""
    return await asyncio.to_thread(FileWrapper, Path(path))
