"""Input made to exhaust: files that unfold, nest or never end, bodies that are packed, text that slow patterns trip on.
Each is answered with a 4xx or a bounded answer, nothing is half-written, and the service goes on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

MIB = 1 << 20
LAUGHS = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 9}">' for n in range(1, 9))
CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
FILES: dict[str, bytes] = {
    "entities.xml": f'<!DOCTYPE d [{LAUGHS}]><Document xmlns="{CAMT}"><x>&l8;</x></Document>'.encode(),
    "outside.xml": (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        f'<Document xmlns="{CAMT}"><BkToCstmrStmt>&e;</BkToCstmrStmt></Document>'
    ).encode(),
    "nested.xml": f'<Document xmlns="{CAMT}">'.encode() + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</Document>",
    "nested.ofx": b"OFXHEADER:100\n\n<OFX>" + b"<STMTTRN>" * 200_000,
    "entities.ofx": f'<?xml version="1.0"?><!DOCTYPE d [{LAUGHS}]><?OFX OFXHEADER="200"?><OFX>&l8;</OFX>'.encode(),
    "endless.qif": b"!Type:Bank\n" + b"D11/20/2026\nT-1\nP" + b"A" * (9 * MIB),
    "wide.csv": b"Date,Amount," + b"x," * 300_000 + b"\n2026-11-20,-1," + b"y," * 300_000,
    "quote.csv": b'Date,Amount,Merchant\n2026-11-20,-1,"' + b"A" * (9 * MIB),
    "slow.csv": b"Date,Amount,Merchant\n" + b"2026-11-20," + b"1," * 100_000 + b"-\n",
    "numbers.csv": b"Date,Amount,Merchant\n2026-11-20," + b"9" * 100_000 + b",x\n2026-11-20,1e999999999,x\n",
    "zip.csv": b"PK\x03\x04" + b"\x00" * 1_000,
    "gzip.csv": gzip.compress(b"0" * (64 * MIB)),
    "nul.csv": b"Date,Amount,Merchant\n2026-11-20,-1,a\x00b\n",
    "big.csv": b"Date,Amount,Merchant\n" + b"2026-11-20,-1.00,Shop\n" * 500_000,
}


@pytest.mark.parametrize("name", FILES)
async def test_a_file_made_to_exhaust_is_refused(name: str, stage: Any, target: Any) -> None:
    """A dry run of it: 4xx with a code, or an answer that says which lines are no use; and no row."""
    before = await stage.rows(target.user)
    answer = await target.client.post(
        "/v1/imports",
        data={"account": "Checking", "dry_run": "true"},
        files={"file": (name, FILES[name], "application/octet-stream")},
    )
    assert answer.status_code < 500, answer.text[:500]
    assert answer.status_code == 200 or answer.json()["code"], answer.text[:500]
    assert "root:" not in answer.text
    assert len(answer.content) < MIB
    assert await stage.rows(target.user) == before
    assert (await target.client.get("/v1/accounts")).status_code == 200


PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
BODIES: list[tuple[str, dict[str, str], bytes]] = [
    ("/v1/sessions", PACKED, gzip.compress(b'{"title":"' + b"A" * (64 * MIB) + b'"}')),
    ("/v1/sessions", {"Content-Type": "application/json"}, b"[" * 500_000),
    ("/v1/sessions", {"Content-Type": "application/json"}, b'{"title":' * 200_000),
    ("/v1/sessions", {"Content-Type": "application/json"}, b'{"title":"' + b"A" * (12 * MIB) + b'"}'),
    ("/mcp", {"Content-Type": "application/json", "Accept": "application/json"}, b"[" * 500_000),
    ("/ag-ui", {"Content-Type": "application/json"}, b'{"threadId":' * 100_000),
    ("/openai/v1/chat/completions", {"Content-Type": "application/json"}, b'{"messages":[' * 100_000),
]


@pytest.mark.parametrize("number", range(len(BODIES)))
async def test_a_body_made_to_exhaust_is_refused(number: int, target: Any) -> None:
    """Packed, nested or endless: 4xx."""
    path, headers, body = BODIES[number]
    answer = await target.client.post(path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text[:300]


SLOW = [
    "1" * 7_900,
    "1," * 3_900,
    "$1.1" * 1_900,
    "one hundred " * 600,
    "the the last last " * 430,
    "from " * 1_500,
    "((((" * 1_900,
    "_*_*" * 1_900,
    "\u0301" * 7_900,
    "between 1 and " * 560,
    "12.12.12 " * 870,
    "a" * 4_000 + "!" * 3_900,
]


@pytest.mark.parametrize("number", range(len(SLOW)))
async def test_words_made_for_slow_patterns_are_answered(
    number: int, stage: Any, target: Any, tell: Callable[[str], None]
) -> None:
    """In a message, in every argument of a tool that takes a phrase, and in the reply, whose figures are looked for."""
    text = SLOW[number]
    phrase = text[:80]
    calls = [
        {"name": "get_spending", "args": {"by": "category", "period": phrase}},
        {"name": "list_transactions", "args": {"period": phrase, "merchant": phrase}},
        {"name": "add_transaction", "args": {"merchant": phrase, "amount": 5, "date": phrase}},
        {"name": "set_budget", "args": {"category": phrase, "amount": 5, "month": phrase}},
        {"name": "split_transaction", "args": {"transaction": "1", "parts": text[:600]}},
        {"name": "remember_fact", "args": {"text": text[:240]}},
    ]
    stage.model.play([{"tool_calls": calls}, {"text": text}])
    answer = await target.client.post(f"/v1/sessions/{target.ids['session']}/messages", json={"text": text})
    assert answer.status_code == 200, answer.text[:300]
    if number == 0:
        tell(f"inputs made to exhaust: {len(FILES)} files, {len(BODIES)} bodies, {len(SLOW)} texts for slow patterns")
