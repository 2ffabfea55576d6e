"""Masks what must not be kept and what is new each time, so that the same request still looks the same.

Ids (UUIDs) are numbered in the order in which they come. With a salt, each word and each number is replaced by a
made-up one, always the same for the same salt; what stands in the prompt and the tools is everybody's, and stays. An
answer is masked only in what its request said, numbers in any way of writing them; playing it back, the words of the
request that asks now are put in again.

The salt is not in the cassette but in a file beside it, for matching needs it: without it nobody can try a dictionary.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial

_UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
_TOKEN = re.compile(rf"(?P<id>{_UUID})|(?P<number>\d+(?:[.,]\d+)*)|(?P<word>[^\W\d_]+)")
_PLACE = re.compile(r"id-\d+|\d+|[^\W\d_]+")
_ACCOUNT = re.compile(r"(?<=:)\d{12}(?=:)")

_SYLLABLES = [c + v for c in "bdfghjklmnprstvwz" for v in "aeiou"]


def without_accounts(text: str) -> str:
    """ARNs with zeros for the account's number."""
    return _ACCOUNT.sub("0" * 12, text)


class Mask:
    """The mask of one request; `public` are the words (lower case) that stay."""

    def __init__(self, salt: str | None = None, public: frozenset[str] = frozenset()) -> None:
        self._salt = salt.encode() if salt is not None else None
        self._public = public
        self._hidden: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The text of a request, masked."""
        return _TOKEN.sub(lambda found: self._replace(found, learn=True), text)

    def answer(self, text: str) -> str:
        """The text of the answer, masked where it says what the request said."""
        return _TOKEN.sub(lambda found: self._replace(found, learn=False), text)

    def restore(self, text: str) -> str:
        """A masked answer with this request's own ids and words."""
        return _PLACE.sub(self._back, text)

    def _replace(self, found: re.Match[str], *, learn: bool) -> str:
        token = found[0]
        if found["id"]:
            return self._known(token, learn, lambda: f"id-{len(self._hidden) + 1}")
        if self._salt is None or token.lower() in self._public:
            return token
        if found["number"]:
            if learn and token not in self._hidden:
                for written in (token, *_otherwise(token)):
                    self._known(written, True, partial(self._made_up, written))
            return self._hidden.get(token, token)
        return _cased_like(token, self._known(token.lower(), learn, lambda: self._made_up(token.lower())))

    def _known(self, token: str, learn: bool, make: Callable[[], str]) -> str:
        if token not in self._hidden:
            if not learn:
                return token
            made = make()
            self._hidden[token], self._shown[made] = made, token
        return self._hidden[token]

    def _made_up(self, token: str) -> str:
        assert self._salt is not None
        number = int.from_bytes(hmac.digest(self._salt, token.encode(), hashlib.sha256)[:8], "big")
        if token[0].isdigit():
            return f"9{number % 10**11:011}"
        return "".join(_SYLLABLES[number // len(_SYLLABLES) ** n % len(_SYLLABLES)] for n in range(5))

    def _back(self, found: re.Match[str]) -> str:
        token = found[0]
        original = self._shown.get(token) or self._shown.get(token.lower())
        return token if original is None else _cased_like(token, original)


def words(text: str) -> frozenset[str]:
    """The words and numbers of a text, in lower case."""
    return frozenset(found[0].lower() for found in _TOKEN.finditer(text))


def _otherwise(number: str) -> list[str]:
    """Other ways of writing the number: an answer may say 1,250.00 for what the request called 1250."""
    try:
        value = Decimal(number.replace(",", ""))
    except InvalidOperation:
        return []
    plain = f"{value:f}"
    whole = value == value.to_integral_value()
    ways = [
        plain,
        f"{value:,}",
        f"{value:.2f}",
        f"{value:,.2f}",
        *([f"{value:.0f}", f"{value:,.0f}", f"{value:.1f}"] * whole),
    ]
    return [way for way in dict.fromkeys(ways) if way != number and Decimal(way.replace(",", "")) == value]


def _cased_like(model: str, text: str) -> str:
    if len(model) > 1 and model.isupper():
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text
