"""Users' keys wrapped by a key of AWS KMS, which never leaves it. Each call runs in a thread, and few at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from db.sealing.keys import Context, KeyRefused
from db.sealing.ring import KEY_BYTES, EncryptionUnavailable
from penny import aws

if TYPE_CHECKING:
    from collections.abc import Callable

SETTING: Final = "PENNY_ENCRYPTION_KEY"

AT_ONCE: Final = 16
"""Calls of this process under way."""

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 4

REFUSALS: Final = {
    "AccessDeniedException": "this role may not {action} it: allow {action} on it",
    "NotFoundException": "there is no such key in this account and region: correct the setting or AWS_REGION",
    "DisabledException": "it is disabled: enable it",
    "KMSInvalidStateException": "it is pending deletion or otherwise unusable: cancel the deletion",
    "InvalidKeyUsageException": "it is not a symmetric key for encryption: name one that is",
    "InvalidCiphertextException": "what is stored was not wrapped by it: name the key that it was wrapped by",
    "IncorrectKeyException": "what is stored was not wrapped by it: name the key that it was wrapped by",
    "InvalidArnException": "that is no key: give its id, ARN or alias/<name>",
    "ValidationException": "that is no key: give its id, ARN or alias/<name>",
    "UnrecognizedClientException": "the credentials are not known to AWS: correct them",
    "ExpiredTokenException": "the credentials have expired: renew them",
}
"""What KMS says, and what to do."""


def _region_of(key: str) -> str | None:
    """Where the key is, if its name says so."""
    parts = key.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" and parts[2] == "kms" else None


class KmsWrapper:
    """Implements db.sealing.keys.Wrapper. `key` is an id, an ARN or an alias."""

    def __init__(self, key: str) -> None:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        self.key = key
        settings = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=AT_ONCE,
            retries={"mode": "standard", "total_max_attempts": 2},
        )
        try:
            self._client = aws.client("kms", config=settings, region_name=_region_of(key))
        except BotoCoreError as error:
            raise KeyRefused(f"{SETTING}=kms:{key}: KMS cannot be asked ({error}); set AWS_REGION.") from None
        self._seats = asyncio.Semaphore(AT_ONCE)

    async def make(self, context: Context) -> tuple[bytes, bytes, str]:
        """By GenerateDataKey."""
        answer = await self._call(
            "GenerateDataKey", self.key, self._client.generate_data_key,
            KeyId=self.key, NumberOfBytes=KEY_BYTES, EncryptionContext=dict(context),
        )  # fmt: skip
        return answer["Plaintext"], answer["CiphertextBlob"], answer["KeyId"]

    async def wrap(self, key: bytes, context: Context) -> tuple[bytes, str]:
        """By Encrypt."""
        answer = await self._call(
            "Encrypt", self.key, self._client.encrypt,
            KeyId=self.key, Plaintext=key, EncryptionContext=dict(context),
        )  # fmt: skip
        return answer["CiphertextBlob"], answer["KeyId"]

    async def unwrap(self, wrapped: bytes, by: str, context: Context) -> bytes:
        """By Decrypt, with the key that it was wrapped by."""
        answer = await self._call(
            "Decrypt", by, self._client.decrypt, KeyId=by, CiphertextBlob=wrapped, EncryptionContext=dict(context)
        )
        key: bytes = answer["Plaintext"]
        return key

    async def _call(self, action: str, key: str, call: Callable[..., Any], **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        async with self._seats:
            try:
                return await asyncio.to_thread(call, **arguments)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in REFUSALS:
                    why = REFUSALS[code].format(action=f"kms:{action}")
                    raise KeyRefused("Encrypted texts cannot be used now.", reason=f"KMS key {key}: {why}") from error
                raise EncryptionUnavailable("Encrypted texts cannot be used now; try again soon.") from error
            except BotoCoreError as error:
                raise EncryptionUnavailable("Encrypted texts cannot be used now; try again soon.") from error
