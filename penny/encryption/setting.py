"""The keys that PENNY_ENCRYPTION_KEY and PENNY_ENCRYPTION say, and whether they can be used."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from db.sealing.keys import KeyRefused, Keys, Wrapper, context_of
from db.sealing.ring import EncryptionUnavailable
from domain.errors import SetupError
from penny.encryption.file import file_wrapper
from penny.encryption.kms import SETTING, KmsWrapper
from penny.settings import Settings

_NOBODY: Final = UUID(int=0)
"""Whom a key is made for that is only to see whether keys can be made."""


async def keys_of(settings: Settings) -> Keys:
    """Users' keys as the settings want them; a key that cannot be used is refused now, not with the first message.
    Raises SetupError, EncryptionUnavailable."""
    where = settings.encryption_key
    if where is None:
        return Keys()
    wrapper = await wrapper_of(where)
    await check(where, wrapper)
    return Keys(wrapper, writes=settings.encryption == "on")


async def wrapper_of(where: str) -> Wrapper:
    """The key that `kms:<id, ARN or alias>` or `file:<path>` names. Raises SetupError."""
    kind, _, name = where.partition(":")
    if kind == "kms" and name:
        try:
            return await asyncio.to_thread(KmsWrapper, name)
        except KeyRefused as error:
            raise SetupError(error.message) from None
    if kind == "file" and name:
        return await file_wrapper(name)
    raise SetupError(f"{SETTING}={where!r} is not known; use kms:<key id, ARN or alias> or file:<path>.")


async def nobodys_key(wrapper: Wrapper) -> str:
    """Makes a key for nobody and unwraps it; gives the name of what wraps. Raises KeyRefused, EncryptionUnavailable."""
    context = context_of(_NOBODY, 1)
    key, wrapped, by = await wrapper.make(context)
    if await wrapper.unwrap(wrapped, by, context) != key:
        raise KeyRefused("Encrypted texts cannot be used now.", reason="what it wraps does not unwrap")
    return by


async def check(where: str, wrapper: Wrapper) -> None:
    """Sees whether keys can be made and unwrapped. Raises SetupError, which says why not and what to do,
    EncryptionUnavailable when nobody answers."""
    try:
        await nobodys_key(wrapper)
    except KeyRefused as error:
        raise SetupError(f"{SETTING}={where} cannot be used: {error.reason}.") from None
    except EncryptionUnavailable as error:
        raise EncryptionUnavailable(
            f"{SETTING}={where}: KMS does not answer ({type(error.__cause__).__name__}); check the network, the VPC"
            " endpoint and AWS_REGION."
        ) from error
