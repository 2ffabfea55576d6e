"""A user's keys, opened: sealing and opening what is theirs.

A sealed text is `~penny1:<number of the key>:<base64>`; under the base64 are 12 bytes of nonce, the ciphertext and 16
bytes of tag, by AES-256-GCM. The associated data name table, column, user and row, so that a sealed text opens nowhere
but where it was sealed. The nonce is an HMAC-SHA256 of them and the text: equal texts at one place and row give equal
sealed ones, which is what lets a statement ask whether a row still is as it was; anywhere else they differ.

Empty text stays empty, so that SQL can see that there is none.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from db.sealing.places import IN_ROWS, Place
from domain.errors import PennyError, Unavailable

KEY_BYTES: Final = 32
_NONCE: Final = 12
_MARK: Final = "~penny"
_SEALED: Final = "~penny1:"
_LITERAL: Final = "~penny0:"
"""Before a text that was not sealed and would look as if it were."""

SEALED: Final = "sealed"
"""The member of a JSON value under which its sealed text is."""


class EncryptionUnavailable(Unavailable):
    """What is stored encrypted can be neither opened nor written now: the key service does not answer, or this server
    has no key."""

    code = "encryption_unavailable"


class SealBroken(PennyError):
    """A stored text does not open with its key: it was changed, or moved from another row."""

    code = "sealed_text_broken"


@dataclass(frozen=True, slots=True)
class DataKey:
    """One key of a user's, ready for use: for sealing, for nonces, for digests."""

    no: int
    _cipher: AESGCM = field(repr=False)
    _nonces: bytes = field(repr=False)
    _digests: bytes = field(repr=False)

    @classmethod
    def of(cls, no: int, key: bytes) -> DataKey:
        """From its bytes. Each use has a key of its own, derived as HKDF expands."""
        cipher, nonces, digests = (
            hmac.digest(key, b"penny " + use + b"\x01", "sha256") for use in (b"seal", b"nonce", b"digest")
        )
        return cls(no, AESGCM(cipher), nonces, digests)

    def seal(self, about: bytes, text: str) -> str:
        """The sealed text."""
        plain = text.encode()
        nonce = hmac.digest(self._nonces, b"%d %b%b" % (len(about), about, plain), "sha256")[:_NONCE]
        sealed = b2a_base64(nonce + self._cipher.encrypt(nonce, plain, about), newline=False)
        return f"{_SEALED}{self.no}:{sealed.decode()}"

    def open(self, about: bytes, sealed: str) -> str:
        """The text. Raises SealBroken."""
        try:
            raw = a2b_base64(sealed, strict_mode=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], about).decode()
        except (InvalidTag, NotBase64, ValueError):
            raise SealBroken("A stored text cannot be read: it is not what was stored.") from None

    def digest(self, text: str) -> str:
        """A hash that nobody can compute who has not the key."""
        return hmac.digest(self._digests, text.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Ring:
    """What seals and opens texts of one user. `keys` are by number; `current` is the one that seals, None where texts
    are written as they are; `trouble` is why there is no key, to be raised when one is needed."""

    user: UUID
    keys: Mapping[int, DataKey] = field(default_factory=dict)
    current: int | None = None
    trouble: PennyError | None = None

    def seal(self, place: Place, row: UUID | str, text: str) -> str:
        """The text as this row of the place stores it. Raises EncryptionUnavailable."""
        if not text:
            return text
        if self.current is None:
            if self.trouble is not None:
                raise self.trouble
            return _LITERAL + text if text.startswith(_MARK) else text
        return self.keys[self.current].seal(self._about(place, row), text)

    def open(self, place: Place, row: UUID | str, text: str) -> str:
        """The text that this row of the place stores, sealed or not. Raises SealBroken, EncryptionUnavailable."""
        if not text.startswith(_MARK):
            return text
        if text.startswith(_LITERAL):
            return text[len(_LITERAL) :]
        if not text.startswith(_SEALED):
            return text
        no, _, sealed = text[len(_SEALED) :].partition(":")
        key = self.keys.get(int(no)) if no.isdecimal() else None
        if key is None:
            raise self.trouble or EncryptionUnavailable("This is stored encrypted, and its key is not here now.")
        return key.open(self._about(place, row), sealed)

    def seal_json(self, place: Place, row: UUID | str, value: Any, clear: Mapping[str, Any] | None = None) -> Any:
        """The JSON value as this row stores it; `clear` stands beside what is sealed, for SQL to see."""
        if (self.current is None and self.trouble is None) or not value:
            return value
        text = orjson.dumps(value, default=str).decode()
        return {**(clear or {}), SEALED: self.seal(place, row, text)}

    def open_json(self, place: Place, row: UUID | str, value: Any) -> Any:
        """The JSON value that this row stores. Raises as `open`."""
        if isinstance(value, dict) and isinstance(sealed := value.get(SEALED), str):
            return orjson.loads(self.open(place, row, sealed))
        return value

    def seal_rows(self, changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Changes of rows as JSON, with their rows' texts as those rows themselves store them."""
        return [self._rows(change, self.seal) for change in changes]

    def open_rows(self, changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The inverse of `seal_rows`. Raises as `open`."""
        return [self._rows(change, self.open) for change in changes]

    def as_stored(self, place: Place, row: UUID | str, text: str) -> list[str]:
        """Every form in which this row may store that text: as it is, and under each key."""
        plain = _LITERAL + text if text.startswith(_MARK) else text
        if not text:
            return [plain]
        about = self._about(place, row)
        return [plain, *(key.seal(about, text) for key in self.keys.values())]

    def digest(self, text: str) -> str:
        """By which the text is recognised when it comes again: an HMAC, or SHA-256 where texts are not sealed."""
        if self.current is None:
            if self.trouble is not None:
                raise self.trouble
            return hashlib.sha256(text.encode()).hexdigest()
        return self.keys[self.current].digest(text)

    def recognises(self, digest: str, text: str) -> bool:
        """Whether `digest` is of that text, made now or before."""
        if digest == hashlib.sha256(text.encode()).hexdigest():
            return True
        return any(hmac.compare_digest(digest, key.digest(text)) for key in self.keys.values())

    def _about(self, place: Place, row: UUID | str) -> bytes:
        return f"{place.table}.{place.column} {self.user} {row}".encode()

    @staticmethod
    def _rows(change: Mapping[str, Any], act: Any) -> dict[str, Any]:
        places = IN_ROWS.get(change["table"])
        if not places:
            return dict(change)
        row_id = change["key"]["id"]
        done = dict(change)
        for side in ("before", "after"):
            if done[side]:
                texts = {p.column: act(p, row_id, done[side][p.column]) for p in places if p.column in done[side]}
                done[side] = {**done[side], **texts}
        return done
