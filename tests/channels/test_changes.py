"""Proposals in the words of a chat: every form that code writes in English, said in the chat's language."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any
from uuid import UUID

import pytest

from channels.changes import fitted, heading, lines, outcome
from channels.channel import Reply, Shown
from channels.commands import understood
from channels.slack import render as slack
from channels.telegram import render as telegram
from channels.texts import LANGUAGES, sections, texts
from channels.twilio import render as twilio
from channels.whatsapp import render as whatsapp
from tools import catalog
from tools.drafts.diff import _FIELDS
from tools.drafts.kinds import BUILDERS

OTHERS = [language for language in LANGUAGES if language != "en"]


def changed(what: str, field: str = "amount", **more: Any) -> dict[str, Any]:
    entry = {
        "what": what,
        "field": field,
        "before": {"minor": 38000, "currency": "USD"},
        "after": {"minor": 45000, "currency": "USD"},
    }
    made = {
        "kind": "set_budget",
        "text": "Set the Dining budget.",
        "status": "applied",
        "diff": [entry],
        "notice": None,
    }
    return made | more


@pytest.mark.parametrize(
    ("what", "german"),
    [
        ("Dining budget, November 2026", "Budget Dining, November 2026"),
        ("Transaction 1204: Shop, The, Nov 20, 2026", "Buchung 1204: Shop, The, 20. Nov. 2026"),
        ("New transaction: Café, 20 Nov 2026", "Neue Buchung: Café, 20. Nov. 2026"),
        ("Held for the month after November 2026", "Zurückgehalten für den Monat nach November 2026"),
        ("EUR to USD rate, Nov 20, 2026", "Kurs EUR zu USD, 20. Nov. 2026"),
        ("Rule for Shop", "Regel für Shop"),
        ("Your preferences", "Ihre Einstellungen"),
        ("Something of a later version", "Something of a later version"),
    ],
)
def test_what_changes_is_named_in_the_chats_language(what: str, german: str) -> None:
    """With its dates; what is none of the known forms stays as it is."""
    assert lines(changed(what), texts("de-DE")) == [f"{german}: Betrag 380,00\xa0$ → 450,00\xa0$"]


def test_english_is_said_as_it_is_stored() -> None:
    """The sentence, the difference and its notice, word for word."""
    proposal = changed("Dining budget, November 2026", notice="Not in your own words: amount $450.00.")
    say = texts("en-US")
    assert heading(proposal, say) == "Set the Dining budget."
    assert lines(proposal, say) == [
        "Dining budget, November 2026: amount $380.00 → $450.00",
        "Not in your own words: amount $450.00.",
    ]
    assert outcome(proposal, say) == "**Applied:** Set the Dining budget."


def test_what_the_user_did_not_say_is_told_in_their_language() -> None:
    """From the fields, not from the English sentence."""
    proposal = changed(
        "Dining budget, November 2026", notice="Not …", unsaid=[{"field": "amount", "value": "450,00 $"}]
    )
    assert lines(proposal, texts("fr-FR"))[-1] == "Pas dans vos propres mots : montant 450,00 $."


def test_an_outcome_says_what_it_was() -> None:
    """Where the sentence is not in the language, its lines are."""
    head, line = outcome(changed("Dining budget, November 2026"), texts("es-MX")).splitlines()
    assert head == f"**{texts('es').say('proposals.applied')}:** Fijar un presupuesto"
    assert line == "- Presupuesto Dining, noviembre de 2026: importe USD380.00 → USD450.00"


@pytest.mark.parametrize("language", OTHERS)
def test_every_kind_field_and_tool_has_words(language: str) -> None:
    """What is added to the code and forgotten here fails."""
    own = sections(language)
    assert set(BUILDERS) <= set(own["kinds"])
    fields = {name.replace(" ", "_") for table in _FIELDS.values() for name, _ in table}
    assert fields <= set(own["fields"])
    reads = {spec["name"] for spec in catalog.specs() if catalog.is_read(spec["name"])}
    assert reads <= set(own["doing"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_chat_says_to_type_is_understood(language: str) -> None:
    """“ja K7” is a yes, in any spelling of its letters and digits."""
    say = texts(language)
    for word in ("yes", "no"):
        typed = understood(f"{say.say(f'proposals.{word}')} k7")
        assert typed is not None
        assert (typed.verb, typed.code) == (word, "K7")
        loud = understood(f"{say.say(f'proposals.{word}').upper()}.")
        assert loud is not None
        assert loud.verb == word


def test_words_of_other_languages_are_whole_answers_only() -> None:
    """Accents may be left out or typed apart; a sentence is said to Penny."""
    assert [getattr(understood(text), "verb", None) for text in ("Si", "si\u0301 b4", "¡Sí!", "نعم K٧")] == ["yes"] * 4
    for text in ("ja bitte", "non merci", "si puedo gastar 40?", "لا أعرف", "oui et non"):
        assert understood(text) is None


@pytest.mark.parametrize("room", [120, 300, 900])
def test_a_difference_that_is_too_long_is_told_in_whole_lines_and_the_rest_counted(room: int) -> None:
    """No sign of the dialect is cut in two, and what the user did not say is told however little room there is."""
    unsaid = "Not in your own words: amount."
    diff = [changed(f"Budget <{n}> & more, November 2026")["diff"][0] for n in range(40)]
    proposal = changed("x") | {"diff": diff, "notice": unsaid}
    told = fitted(proposal, texts("en"), room, escape).split("\n")
    assert len("\n".join(told)) <= room
    assert told[-1] == unsaid
    assert told[-2] == f"… and {40 - len(told) + 2} more."
    assert told[:-2] == [escape(line) for line in lines(proposal, texts("en"))][: len(told) - 2]


@pytest.mark.parametrize("app", [slack, telegram, twilio, whatsapp])
def test_a_long_proposal_keeps_its_code_and_its_marks(app: Any) -> None:
    """With forty changes and a sentence of two thousand signs, what decides it is still there, and no entity is cut."""
    diff = [changed(f"Rent & more <{n}>, November 2026")["diff"][0] for n in range(40)]
    proposal = changed("x") | {
        "id": str(UUID(int=1)),
        "hash": "h",
        "status": "pending",
        "text": "& " * 1000,
        "diff": diff,
    }
    [part] = app.render(Reply("", proposals=(Shown(proposal, "K7"),)), "en")
    told = json.dumps(part.payload, ensure_ascii=False)
    assert "yes k7" in told.casefold()
    assert " more." in told
    if app in (slack, telegram):
        assert not re.search(r"&(?!amp;|lt;|gt;)", told)
