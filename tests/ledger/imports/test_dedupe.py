"""Nothing comes in twice, and nothing real is taken for a repetition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from db.engine import Database
from ledger.imports.dedupe import Known, keys, new_lines
from ledger.imports.statement import StatementLine

Bring = Callable[..., Awaitable[Any]]
Rows = Callable[[], Awaitable[list[dict[str, Any]]]]

COFFEE = "2026-11-19,Cafe,-3.50\n"


def csv(*lines: str) -> str:
    return "Date,Payee,Amount\n" + "".join(line.rstrip() + "\n" for line in lines)


def ofx(*rows: tuple[str, str, str]) -> str:
    """A statement of (identifier, amount, name), all of one day."""
    body = "".join(
        f"<STMTTRN><DTPOSTED>20261119<TRNAMT>{amount}<FITID>{fitid}<NAME>{name}</STMTTRN>\n"
        for fitid, amount, name in rows
    )
    return f"OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD<BANKTRANLIST>\n{body}</BANKTRANLIST></STMTRS></OFX>\n"


async def test_twins_stay_two(bring: Bring, rows: Rows) -> None:
    """Two equal purchases of one file both come in; a later file with three of them adds the third."""
    assert (await bring(csv(COFFEE, COFFEE))).added == 2
    assert (await bring(csv(COFFEE))).added == 0
    assert (await bring(csv(COFFEE, COFFEE, COFFEE))).added == 1
    assert len(await rows()) == 3


async def test_overlapping_files_add_what_is_new(bring: Bring, rows: Rows) -> None:
    """Of two statements that share days only the rest of the second comes in, in whatever order the rows are."""
    days = [f"2026-11-{day:02},Shop {day},-{day}.00" for day in range(1, 21)]
    assert (await bring(csv(*days[:12]))).added == 12
    assert (await bring(csv(*reversed(days[8:])))).added == 8
    assert len(await rows()) == 20


async def test_a_file_is_the_same_in_another_dress(bring: Bring) -> None:
    """Case, spacing and width of letters do not make a posting another one; another amount, day or text does."""
    await bring(csv("2026-11-19,Café  Müller 12,-3.50"))
    assert (await bring(csv("2026-11-19,CAFÉ MÜLLER  １２,-3.50"))).added == 0
    assert (await bring(csv("2026-11-19,Café Müller 12,-3.51"))).added == 1
    assert (await bring(csv("2026-11-20,Café Müller 12,-3.50"))).added == 1
    assert (await bring(csv("2026-11-19,Café Müller 13,-3.50"))).added == 1


async def test_a_banks_identifier_decides(bring: Bring, rows: Rows) -> None:
    """The same identifier is the same posting, whatever the text; equal postings with two identifiers are two."""
    assert (await bring(ofx(("1", "-3.50", "Cafe"), ("2", "-3.50", "Cafe")))).added == 2
    assert (await bring(ofx(("1", "-3.50", "CAFE BERLIN"), ("3", "-3.50", "Cafe")))).added == 1
    assert [row["import_id"] for row in await rows()] == ["1", "2", "3"]


async def test_an_identifier_used_for_two_amounts_is_two_postings(bring: Bring, rows: Rows) -> None:
    """Banks that number each day anew lose nothing, and the file again adds nothing."""
    file = ofx(("1", "-3.50", "Cafe"), ("1", "-9.00", "Bar"))
    assert (await bring(file)).added == 2
    assert (await bring(file)).added == 0
    assert (await bring(ofx(("1", "-9.00", "Bar")))).added == 0


async def test_identifiers_that_say_nothing_are_none(bring: Bring) -> None:
    """Placeholders such as NONREF do not make all postings one."""
    assert (await bring(ofx(("NONREF", "-3.50", "Cafe"), ("NONREF", "-4.50", "Cafe"), ("0", "-5", "Bar")))).added == 3


async def test_formats_know_each_other(bring: Bring) -> None:
    """A posting that came by CSV does not come again by OFX, nor the other way round."""
    await bring(csv(COFFEE))
    assert (await bring(ofx(("1", "-3.50", "Cafe")))).added == 0
    await bring(ofx(("2", "-8.00", "Bar")))
    assert (await bring(csv("2026-11-19,Bar,-8.00"))).added == 0


async def test_what_the_user_entered_is_known(database: Database, holder: UUID, bring: Bring, rows: Rows) -> None:
    """A transaction entered by hand is not doubled by the bank's."""
    async with database.transaction(holder) as tx:
        await tx.pg.execute(
            """
            INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant)
            SELECT $1, 0, id, '2026-11-19', -350, 'USD', 'cafe' FROM account WHERE name = 'Checking'
            """,
            holder,
        )
    assert (await bring(csv(COFFEE, COFFEE))).added == 1
    assert len(await rows()) == 2


async def test_what_the_user_edited_or_deleted_does_not_come_back(
    database: Database, holder: UUID, bring: Bring, rows: Rows
) -> None:
    """The import remembers what the bank said, not what became of it."""
    file = csv(COFFEE, "2026-11-18,Bar,-8.00")
    await bring(file)
    async with database.transaction(holder) as tx:
        await tx.pg.execute("UPDATE txn SET merchant = 'Coffee', amount_minor = -1 WHERE merchant = 'Cafe'")
        await tx.pg.execute("DELETE FROM txn WHERE merchant = 'Bar'")
    assert (await bring(file)).added == 0
    assert [row["merchant"] for row in await rows()] == ["Coffee"]


async def test_accounts_are_apart(bring: Bring) -> None:
    """The same purchase on another account is another one."""
    await bring(csv(COFFEE))
    assert (await bring(csv(COFFEE), "Card", map={"sign": "as_is"})).added == 1


postings = st.lists(
    st.builds(
        lambda day, minor, merchant: StatementLine(1, date(2026, 11, day), minor, merchant),
        st.integers(1, 2),
        st.integers(1, 2),
        st.sampled_from("ab"),
    ),
    min_size=1,
    max_size=12,
)


@given(postings, postings)
def test_the_account_ends_with_the_most_of_each(first: list[StatementLine], second: list[StatementLine]) -> None:
    """After two files an account has each posting as often as the file that has it most, and no less."""
    prints = keys(first)
    known = Known()
    known.without_id.update(new.fingerprint for new in new_lines(first, prints, known))
    added = new_lines(second, keys(second), known)
    for key in {*prints, *keys(second)}:
        total = known.without_id[key] + sum(new.fingerprint == key for new in added)
        assert total == max(prints.count(key), keys(second).count(key))
