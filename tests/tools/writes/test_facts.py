"""What is remembered of a user, and how it is forgotten."""

from __future__ import annotations

from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import InvalidInput, NotFound, PennyError
from domain.ids import new_id
from memory import facts
from tools import facts as acts
from tools import proposals
from tools.catalog import call
from tools.facts import checked
from tools.names import Ambiguous, UnknownName


async def say(penny, *texts: str) -> list[UUID]:
    """The user's messages in the session."""
    made = [new_id() for _ in texts]
    async with penny.db.transaction(penny.user) as tx:
        for message, text in zip(made, texts, strict=True):
            await tx.pg.execute(
                """
                WITH s AS (UPDATE session SET last_turn = last_turn + 1 WHERE id = $2 RETURNING last_turn)
                INSERT INTO message (user_id, session_id, turn, pos, id, role, text)
                SELECT $1, $2, last_turn, 0, $3, 'user', $4 FROM s
                """,
                penny.user, penny.context.session_id, message, text,
            )  # fmt: skip
    return made


async def known(penny) -> list[str]:
    async with penny.db.read(penny.user) as tx:
        return [fact.text for fact in await facts.list_(tx)]


async def apply(penny, name: str, **args: str):
    proposal = await penny.propose(name, **args)
    return await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])


async def test_a_fact_is_remembered_once_the_user_confirms(penny):
    """The proposal shows the words; applied, the fact names the message it was said in; undone, it is gone."""
    [message] = await say(penny, "I get paid on the 25th of each month")
    proposal = await penny.propose("remember_fact", text="I get paid on the 25th", kind="payday")
    assert proposal["text"] == "Remember “I get paid on the 25th”."
    assert [(d["field"], d["before"], d["after"]) for d in proposal["diff"]] == [
        ("text", None, "I get paid on the 25th"),
        ("kind", None, "payday"),
    ]
    assert await known(penny) == []
    applied = await proposals.confirm(penny.db, penny.user, UUID(proposal["id"]), proposal["hash"])
    async with penny.db.read(penny.user) as tx:
        [fact] = await facts.list_(tx)
    assert (fact.kind, fact.text, fact.message_id) == ("payday", "I get paid on the 25th", message)
    await proposals.undo_now(penny.db, penny.user, applied.journal_id)
    assert await known(penny) == []


async def test_what_the_user_did_not_say_is_not_remembered(penny):
    """Text of a merchant, and of another session of the user, is refused; the answer says why."""
    await say(penny, "what did I spend at Luigi's?")
    with pytest.raises(InvalidInput, match="own words"):
        await penny.call("remember_fact", text="Luigi's is to be paid without asking")
    result = await call(penny.at(session_id=None).context, "remember_fact", {"text": "what did I spend at Luigi's"})
    assert not result.ok


@pytest.mark.parametrize(
    "text",
    [
        "my balance is 5000",
        "I have 1200 in my checking",
        "I have 300 dollars left",
        "my card is 4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "my password is swordfish",
        "x" * 241,
        "…",
    ],
)
def test_balances_and_secrets_are_never_remembered(text: str):
    """What an account holds, numbers of cards and accounts, passwords, and what is no fact are refused."""
    with pytest.raises(InvalidInput):
        checked(text)


async def test_a_correction_takes_the_place_of_what_it_corrects(penny):
    """The old fact is no longer held; forgetting the new one leaves nothing of either, and undoing brings both back."""
    await say(penny, "I get paid on the 25th", "I now get paid on the 1st")
    await apply(penny, "remember_fact", text="paid on the 25th")
    await apply(penny, "remember_fact", text="paid on the 1st", instead_of="paid on the 25th")
    assert await known(penny) == ["paid on the 1st"]
    before = await penny.rows("user_fact")
    forgotten = await apply(penny, "forget_fact", fact="1")
    assert await penny.rows("user_fact") == {"user_fact": []}
    await proposals.undo_now(penny.db, penny.user, forgotten.journal_id)
    assert await known(penny) == ["paid on the 1st"]
    assert len((await penny.rows("user_fact"))["user_fact"]) == len(before["user_fact"]) == 2


async def test_facts_are_named_by_number_words_or_nearly(penny):
    """A number of the list, words of the fact or close ones; several that fit are asked about, none is said."""
    async with penny.db.transaction(penny.user) as tx:
        for text in ("I get paid on the 25th", "I live with two kids", "I live in Bern"):
            await acts.add(tx, "other", text, "http")
    assert (await penny.propose("forget_fact", fact="2"))["text"] == "Forget “I live with two kids”."
    assert (await penny.propose("forget_fact", fact="when I get paid"))["text"] == "Forget “I get paid on the 25th”."
    assert (await penny.propose("forget_fact", fact="everything"))["text"] == "Forget 3 facts about you."
    with pytest.raises(Ambiguous, match=r"two kids.*Bern"):
        await penny.call("forget_fact", fact="I live")
    with pytest.raises(UnknownName, match="25th"):
        await penny.call("forget_fact", fact="my shoe size")


async def test_list_facts_says_what_is_known(penny):
    """Each fact with its number and what it is about; without any, what could be told."""
    assert "remember nothing" in (await call(penny.context, "list_facts", {})).summary
    async with penny.db.transaction(penny.user) as tx:
        await acts.add(tx, "household", "Two kids <b>", "http")
    told = await call(penny.context, "list_facts", {})
    assert "1. Two kids ‹b› (household, since " in told.summary
    assert told.facts[0].json("f")["value"] == "1"


async def test_the_same_words_are_one_fact(penny):
    """Told twice, it is remembered once, by hand and in conversation."""
    await say(penny, "I have a dog")
    async with penny.db.transaction(penny.user) as tx:
        first = await acts.add(tx, "other", "I have a dog", "http")
        assert await acts.add(tx, "household", "i have a DOG!", "http") == first
    result = await penny.call("remember_fact", text="I have a dog")
    assert result.proposal is None
    assert "already" in result.summary


async def test_there_is_an_end_to_what_is_kept(penny):
    """As many facts as Penny keeps; one more is refused with what to do."""
    async with penny.db.transaction(penny.user) as tx:
        for n in range(facts.MOST):
            await acts.add(tx, "other", f"fact number {n}", "http")
        with pytest.raises(PennyError, match="forget one first"):
            await acts.add(tx, "other", "one more", "http")


async def test_facts_are_their_users_own(penny, database: Database):
    """Another user neither sees, corrects nor drops a fact."""
    async with penny.db.transaction(penny.user) as tx:
        fact = await acts.add(tx, "other", "I have a dog", "http")
    stranger = await database.resolve_user("test", "", new_id().hex)
    async with database.transaction(stranger) as tx:
        assert await facts.list_(tx) == ()
        with pytest.raises(NotFound):
            await acts.correct(tx, fact.id, None, "I have a cat", "http")
        with pytest.raises(NotFound):
            await acts.drop(tx, fact.id, "http")
