"""Sealing and opening: what a sealed text says of itself, where it opens and where not."""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.sealing.places import (
    IN_ROWS,
    MESSAGE_BODY,
    MESSAGE_TEXT,
    OUTBOX_BODY,
    PLACES,
    SUMMARY_TEXT,
    TXN_MEMO,
    TXN_NOTE,
    shape,
)
from db.sealing.ring import SEALED, DataKey, EncryptionUnavailable, Ring, SealBroken

ANN, BOB = UUID(int=1), UUID(int=2)
ROW, OTHER = UUID(int=11), UUID(int=12)
KEY, NEW = DataKey.of(1, b"k" * 32), DataKey.of(2, b"n" * 32)
SEALING = Ring(ANN, {1: KEY}, 1)
PLAIN = Ring(ANN)


@given(st.text(max_size=300))
def test_what_is_sealed_opens_as_it_was(text: str):
    """Any text, empty ones and such as look sealed included, through a ring that seals and one that does not."""
    for ring in (SEALING, PLAIN):
        for said in (text, f"~penny{text}", f"~penny1:1:{text}"):
            assert ring.open(MESSAGE_TEXT, ROW, ring.seal(MESSAGE_TEXT, ROW, said)) == said


def test_a_sealed_text_names_its_key_and_holds_nothing_of_the_text():
    """`~penny1:<key>:<base64>` of 12 bytes of nonce, the text's length and 16 bytes of tag."""
    sealed = SEALING.seal(MESSAGE_TEXT, ROW, "secret words")
    head, no, body = sealed.split(":")
    assert (head, no) == ("~penny1", "1")
    assert len(a2b_base64(body)) == 12 + len("secret words") + 16
    assert "secret" not in sealed


def test_empty_text_stays_empty():
    """SQL asks whether there is a memo, a note, a title."""
    assert SEALING.seal(TXN_MEMO, ROW, "") == ""
    assert SEALING.seal_json(MESSAGE_BODY, ROW, {}) == {}


@pytest.mark.parametrize(
    "elsewhere",
    [
        (SEALING, SUMMARY_TEXT, ROW),
        (SEALING, MESSAGE_TEXT, OTHER),
        (Ring(BOB, {1: KEY}, 1), MESSAGE_TEXT, ROW),
        (Ring(ANN, {1: NEW}, 1), MESSAGE_TEXT, ROW),
    ],
    ids=["column", "row", "user", "key"],
)
def test_it_opens_nowhere_else(elsewhere: tuple[Ring, object, UUID]):
    """Moved to another column, row or user, or tried with another key, it is refused."""
    ring, place, row = elsewhere
    with pytest.raises(SealBroken):
        ring.open(place, row, SEALING.seal(MESSAGE_TEXT, ROW, "hello"))  # type: ignore[arg-type]


def test_every_bit_counts():
    """A sealed text of which any bit is changed is refused."""
    *head, body = SEALING.seal(MESSAGE_TEXT, ROW, "hello").split(":")
    raw = a2b_base64(body)
    for at in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(SealBroken):
            SEALING.open(MESSAGE_TEXT, ROW, ":".join([*head, b2a_base64(bytes(changed), newline=False).decode()]))


@pytest.mark.parametrize("stored", ["~penny1:1:", "~penny1:1:????", "~penny1:1:AAAA", "~penny1:1:AAAA\n"])
def test_what_is_no_sealed_text_is_refused(stored: str):
    """Cut off, or no base64."""
    with pytest.raises(SealBroken):
        SEALING.open(MESSAGE_TEXT, ROW, stored)


@pytest.mark.parametrize("stored", ["~penny1:7:AAAA", "~penny1:x:AAAA", "~penny1:"])
def test_a_key_that_is_not_there_is_said_to_be(stored: str):
    """A text of a key that this process does not have cannot be opened now: no text is made up."""
    with pytest.raises(EncryptionUnavailable):
        SEALING.open(MESSAGE_TEXT, ROW, stored)


def test_texts_of_an_older_key_and_plain_ones_are_read():
    """After a rotation, and from before encryption was on."""
    both = Ring(ANN, {1: KEY, 2: NEW}, 2)
    assert both.open(MESSAGE_TEXT, ROW, SEALING.seal(MESSAGE_TEXT, ROW, "before")) == "before"
    assert both.open(MESSAGE_TEXT, ROW, "plain") == "plain"
    assert both.seal(MESSAGE_TEXT, ROW, "now").startswith("~penny1:2:")


def test_an_equal_text_is_recognised_in_its_row_and_in_no_other():
    """Sealed again in its row it is the same, so that a statement sees whether the row changed; elsewhere it is not."""
    both = Ring(ANN, {1: KEY, 2: NEW}, 2)
    stored = SEALING.seal(TXN_MEMO, ROW, "rent")
    assert stored in both.as_stored(TXN_MEMO, ROW, "rent")
    assert "rent" in both.as_stored(TXN_MEMO, ROW, "rent")
    assert stored not in both.as_stored(TXN_MEMO, ROW, "rent ")
    assert stored != SEALING.seal(TXN_MEMO, OTHER, "rent")
    assert stored != SEALING.seal(TXN_NOTE, ROW, "rent")


def test_nonces_differ_wherever_texts_places_or_rows_do():
    """No nonce is used twice under a key but for the very same sealed text."""
    made = {
        SEALING.seal(place, UUID(int=row), text).split(":")[2][:16]
        for place in PLACES
        for row in range(20)
        for text in ("a", "b", "ab")
    }
    assert len(made) == len(PLACES) * 20 * 3


def test_a_ring_in_trouble_says_why_and_reads_what_is_plain():
    """Without its key nothing is written, plainly least of all; what is not sealed is read."""
    trouble = Ring(ANN, trouble=EncryptionUnavailable("away"))
    with pytest.raises(EncryptionUnavailable, match="away"):
        trouble.seal(MESSAGE_TEXT, ROW, "hello")
    with pytest.raises(EncryptionUnavailable, match="away"):
        trouble.seal_json(MESSAGE_BODY, ROW, {"a": 1})
    with pytest.raises(EncryptionUnavailable, match="away"):
        trouble.digest("hello")
    assert trouble.open(MESSAGE_TEXT, ROW, "plain") == "plain"


def test_a_sealed_body_keeps_what_sql_looks_at_and_no_word():
    """Whether tools are called, what is edited, whether figures were verified."""
    body = {
        "tool_calls": [{"id": "c", "name": "remember_fact", "args": {"text": "secret"}}],
        "figures": [{"text": "secret", "verified": False}],
        "edit_of": "m",
        "thinking": ["secret"],
    }
    stored = SEALING.seal_json(MESSAGE_BODY, ROW, body, shape(body))
    assert "secret" not in json.dumps(stored)
    assert (len(stored["tool_calls"]), stored["figures"], stored["edit_of"]) == (1, [{"verified": False}], "m")
    assert SEALING.open_json(MESSAGE_BODY, ROW, stored) == body


def test_changes_hold_their_rows_texts_as_the_rows_do():
    """A memo in the journal is the sealed text that the transaction has; amounts stay numbers."""
    change = {
        "table": "txn",
        "key": {"id": str(ROW)},
        "before": None,
        "after": {"memo": "rent", "note": "", "amount_minor": -5},
    }
    (stored,) = SEALING.seal_rows([change])
    assert stored["after"] == {"memo": SEALING.seal(TXN_MEMO, ROW, "rent"), "note": "", "amount_minor": -5}
    assert SEALING.open_rows([stored]) == [change]
    assert {place.table for places in IN_ROWS.values() for place in places} == set(IN_ROWS)


def test_a_text_is_recognised_by_its_digest_through_every_key():
    """Made plain before, by an older key, or now; and of no other text."""
    both = Ring(ANN, {1: KEY, 2: NEW}, 2)
    for made_by in (PLAIN, SEALING, both):
        assert both.recognises(made_by.digest("hello"), "hello")
        assert not both.recognises(made_by.digest("hello"), "hallo")
    assert SEALING.digest("hello") != PLAIN.digest("hello")


def test_keys_are_not_in_what_is_printed_of_them():
    """A ring in a log line or a traceback gives nothing away."""
    assert "kkkk" not in repr(SEALING)
    assert repr(KEY) == "DataKey(no=1)"


def test_the_kind_of_a_notice_stays_readable_and_nothing_that_it_says() -> None:
    """What waits to be sent goes with its switch, which the database sees to by the kind."""
    body = {"kind": "budget", "text": "Dining: 92%", "facts": [{"value": "92"}]}
    stored = SEALING.seal_json(OUTBOX_BODY, ROW, body, shape(body))
    assert stored["kind"] == "budget"
    assert set(stored) == {"kind", SEALED}
