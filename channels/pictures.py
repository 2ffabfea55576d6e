"""Pictures by address, for apps that fetch what they show: a chart of a reply at an address that nobody can guess, that
says nothing to who reads it, and that leads nowhere after some minutes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

from domain.clock import Clock

LASTS_SECONDS: Final = 600
"""The app fetches the picture within seconds, and again if that failed."""

PATH: Final = "/pictures/"


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart `no`, from 0, of the reply of a user's run."""

    user: UUID
    run: UUID
    no: int


class PictureAddresses:
    """Makes addresses under `public_url` and reads them. `secret` is known to us and the app alone; nothing is kept, so
    any server reads what another one made."""

    def __init__(self, secret: str, public_url: str, clock: Clock) -> None:
        key = hmac.new(secret.encode(), b"penny pictures", hashlib.sha256).digest()
        self._sealed = Fernet(base64.urlsafe_b64encode(key))
        self._url = public_url.rstrip("/")
        self._clock = clock

    def of(self, picture: Picture) -> str:
        """Where the picture is for LASTS_SECONDS from now on."""
        what = picture.user.bytes + picture.run.bytes + picture.no.to_bytes(2)
        token = self._sealed.encrypt_at_time(what, int(self._clock.now().timestamp()))
        return f"{self._url}{PATH}{token.decode().rstrip('=')}"

    def read(self, token: str) -> Picture | None:
        """The picture of an address of ours that counts now, else None."""
        padded = token + "=" * (-len(token) % 4)
        try:
            now = int(self._clock.now().timestamp())
            what = self._sealed.decrypt_at_time(padded.encode(), LASTS_SECONDS, now)
        except (InvalidToken, UnicodeEncodeError):
            return None
        return Picture(UUID(bytes=what[:16]), UUID(bytes=what[16:32]), int.from_bytes(what[32:]))


@runtime_checkable
class FetchesPictures(Protocol):
    """A channel whose app fetches its pictures from us; None: it gets none."""

    pictures: PictureAddresses | None
