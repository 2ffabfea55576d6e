"""Which lines of a file are new: by the bank's identifier, else by what the lines say, as often as they say it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from ledger.imports.statement import StatementLine
from ledger.imports.text import identity


def fingerprint(day: date, minor: int, merchant: str, memo: str) -> UUID:
    """A hash of day, amount and the letters and digits of the texts: equal for a posting that comes again."""
    said = f"{day.isoformat()}|{minor}|{identity(merchant, memo)}"
    return UUID(bytes=hashlib.blake2b(said.encode(), digest_size=16).digest())


@dataclass(slots=True)
class Known:
    """What an account has already: the amounts that each bank identifier came with, and how often each fingerprint
    occurs among postings with an identifier and without one."""

    ids: dict[str, set[int]] = field(default_factory=dict)
    with_id: Counter[UUID] = field(default_factory=Counter)
    without_id: Counter[UUID] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class New:
    """A line to add, with its fingerprint, and the identifier it is kept under."""

    line: StatementLine
    fingerprint: UUID
    bank_id: str | None


def keys(lines: Sequence[StatementLine]) -> list[UUID]:
    """The fingerprint of each line."""
    return [fingerprint(line.day, line.minor, line.merchant, line.memo) for line in lines]


def second_id(bank_id: str, minor: int) -> str:
    """What a posting is kept under whose bank has used its identifier for another amount before."""
    return f"{bank_id}~{minor}"


def new_lines(lines: Sequence[StatementLine], prints: Sequence[UUID], known: Known) -> list[New]:
    """The lines that the account does not have, in the file's order. Each known posting accounts for one line only, so
    of two equal purchases both come in, once each.

    Lines with an identifier are compared by it, and with postings that have none by what they say; lines without one
    by what they say. An identifier that comes with another amount is another posting.
    """
    ids = {bank_id: set(minors) for bank_id, minors in known.ids.items()}
    with_id, without_id = Counter(known.with_id), Counter(known.without_id)
    found: dict[int, New] = {}
    for n, (line, key) in enumerate(zip(lines, prints, strict=True)):
        if line.bank_id is None:
            continue
        minors = ids.get(line.bank_id)
        if minors is not None and line.minor in minors:
            with_id[key] -= 1
        elif without_id[key] > 0:
            without_id[key] -= 1
        else:
            kept = second_id(line.bank_id, line.minor) if minors else line.bank_id
            found[n] = New(line, key, kept)
            ids.setdefault(line.bank_id, set()).add(line.minor)
    for n, (line, key) in enumerate(zip(lines, prints, strict=True)):
        if line.bank_id is not None:
            continue
        if without_id[key] > 0:
            without_id[key] -= 1
        elif with_id[key] > 0:
            with_id[key] -= 1
        else:
            found[n] = New(line, key, None)
    return [found[n] for n in sorted(found)]
