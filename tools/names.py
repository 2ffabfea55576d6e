"""Names as people say them: "resturants", "grocery", "eating out"; found among the names that exist, or asked about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from domain.errors import InvalidInput

Concepts = Sequence[frozenset[str]]
"""Sets of phrases that mean the same thing."""

CATEGORY_WORDS: Concepts = tuple(
    frozenset(words.split(", "))
    for words in (
        "groceries, grocery, grocery shopping, food shopping, supermarket, food",
        "dining, dining out, eating out, eat out, restaurant, takeout, take out, takeaway, cafe, coffee, food",
        "transport, transportation, transit, gas, fuel, petrol, uber, lyft, taxi, ride, bus, train, car, auto, "
        "parking, commute, commuting",
        "shopping, clothes, clothing, apparel, shoe",
        "utilities, utility, utility bill, electricity, electric, electric bill, power, power bill, water, water bill, "
        "gas bill, heating, internet, phone, phone bill, bill",
        "rent, housing, home, mortgage, rent and mortgage, apartment",
        "entertainment, fun, movie, cinema, game, concert, going out, nightlife",
        "health, healthcare, health care, medical, doctor, pharmacy, medicine, dentist, fitness, gym",
        "travel, trip, vacation, holiday, flight, hotel",
        "subscription, sub, streaming, membership",
        "income, salary, wage, paycheck, pay",
        "saving, savings",
        "gift, present, donation, gifts and donations, charity",
        "kids, children, childcare, daycare",
        "pet, dog, cat, vet",
        "insurance",
        "education, school, tuition, course, book",
        "household, home supplies, home goods, furniture",
        "personal care, haircut, beauty, cosmetics",
        "fee, bank fee, fees and charges",
    )
)
"""What people call common categories; a phrase only counts when the user has a category of that meaning."""

_DECORATION = re.compile(
    r"^(?:the|my|our|a|an)\s+|\s+(?:budgets?|category|categories|account|envelope|spending|costs?)$"
)
_CLOSE = 80
_LEAD = 8
_SURE = 0.85


class UnknownName(InvalidInput):
    """Nothing has that name or one like it; the message lists what there is."""

    code = "unknown_name"


class Ambiguous(InvalidInput):
    """More than one thing may be meant; the message asks which."""

    code = "ambiguous_name"


def plain(text: str) -> str:
    """The text for comparing: without case, accents, apostrophes and punctuation, single spaces, "&" as "and"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c) and c not in "'’`")
    return " ".join(re.sub(r"[^\w]+", " ", letters.replace("&", " and ")).split())


def either(names: Sequence[str]) -> str:
    """ "Dining or Groceries", "Dining, Rent or Travel"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def resolve(said: str, names: Iterable[str], what: str, concepts: Concepts = ()) -> str:
    """The one of `names` that `said` means. `what` is the kind of thing, in the singular ("category").

    In this order: the same name, singular for plural, a phrase of the same meaning, a whole word or the beginning of a
    name, close spelling. Raises Ambiguous or UnknownName with a message that names the choices.
    """
    known = {name: plain(name) for name in dict.fromkeys(names)}
    wanted = plain(said)
    bare = _undecorated(wanted)
    if not known:
        raise UnknownName(f"There is no {what} yet.")
    for form in (wanted, bare):
        for test in (_same, _same_number):
            found = [name for name, key in known.items() if form and test(form, key)]
            if found:
                return _one(found, what)
    meant = {word for concept in concepts if _in(bare, concept) for word in concept}
    for pick in (
        [name for name, key in known.items() if _in(key, meant)],
        [name for name, key in known.items() if _begins(bare, key)],
        _close(bare, known),
        _misspelled(bare, known, concepts),
    ):
        if pick:
            return _one(pick, what)
    near = [name for name in known if fuzz.WRatio(bare, known[name]) >= 60][:3] if bare else []
    hint = f"Did you mean {either(near)}?" if near else f"What there is: {_listed(list(known))}."
    raise UnknownName(f"There is no {what} called “{said.strip()[:40]}”. {hint}")


def matching(said: str, names: Iterable[str]) -> tuple[str, ...]:
    """All of `names` that `said` may mean: those with its words in them, else those spelled nearly so; may be empty.

    For merchants, whose names carry store numbers and cities: "whole foods" finds "WHOLE FOODS MKT 1023".
    """
    wanted = plain(said)
    if not wanted:
        return ()
    known = {name: plain(name) for name in dict.fromkeys(names)}
    squeezed = wanted.replace(" ", "")
    inside = [n for n, key in known.items() if f" {wanted}" in f" {key}" or squeezed in key.replace(" ", "")]
    if inside or len(squeezed) < 4:
        return tuple(inside)
    return tuple(name for name, key in known.items() if fuzz.partial_ratio(wanted, key) >= 85 and len(key) >= 4)


def _undecorated(text: str) -> str:
    while (shorter := _DECORATION.sub("", text)) != text:
        text = shorter
    return text


def _same(a: str, b: str) -> bool:
    return a == b


def _same_number(a: str, b: str) -> bool:
    return _singular(a) == _singular(b)


def _singular(text: str) -> str:
    if text.endswith("ies") and len(text) > 4:
        return text[:-3] + "y"
    if text.endswith(("ses", "xes", "ches", "shes")):
        return text[:-2]
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text


def _in(word: str, concept: Iterable[str]) -> bool:
    return any(_same_number(word, other) for other in concept)


def _begins(said: str, key: str) -> bool:
    return len(said) >= 3 and (key.startswith(said) or f" {said} " in f" {key} ")


def _close(said: str, known: dict[str, str]) -> list[str]:
    """Names a slip of the fingers away; several when they are about equally close."""
    if len(said) < 4:
        return []
    score = {name: 100 * OSA.normalized_similarity(said, key) for name, key in known.items()}
    best = max(score.values())
    if best < _CLOSE - (5 if len(said) > 6 else 0):
        return []
    return [name for name, value in score.items() if value > best - _LEAD]


def _misspelled(said: str, known: dict[str, str], concepts: Concepts) -> list[str]:
    """Names of the same meaning as the phrase that `said` all but spells ("resturants" for Dining)."""
    if len(said) < 6:
        return []
    meant = {
        word
        for concept in concepts
        if any(OSA.normalized_similarity(_singular(said), _singular(word)) >= _SURE for word in concept)
        for word in concept
    }
    return [name for name, key in known.items() if _in(key, meant)]


def _one(found: list[str], what: str) -> str:
    if len(found) == 1:
        return found[0]
    raise Ambiguous(f"Which {what}: {either(found[:6])}?", choices=found[:6])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
