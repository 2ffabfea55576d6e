"""What is remembered, what was used, and leaving, from the terminal."""

from __future__ import annotations

import json
from pathlib import Path


async def test_facts_usage_and_leaving_from_the_terminal(penny, tmp_path: Path):
    """A fact is added, told and forgotten; usage is added up by user; an erased user has nothing left, also twice."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Hello."}]))
    model = {"PENNY_MODEL": f"scripted:{script}"}
    added = json.loads((await penny("facts", "add", "I get paid on the 25th", "--kind", "payday", "--json")).out)
    assert (added["kind"], added["text"]) == ("payday", "I get paid on the 25th")
    refused = await penny("facts", "add", "my balance is 300")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert (await penny("ask", "hi", **model)).code == 0
    assert (await penny("facts", "forget", added["id"])).out.startswith("Forgotten.")
    used = json.loads((await penny("usage", "--by", "user", "--json")).out)
    assert (used["user"], used["calls"], used["unpriced_calls"], used["cost_usd"]) == ("demo", 1, 1, "0")
    for _ in range(2):
        assert (await penny("erase", "--user", "demo")).out == "demo is erased: nothing of theirs is left.\n"
    assert (await penny("usage")).out == "Nothing was used in that time.\n"
    assert (await penny("facts", "list")).out == "Nothing is remembered.\n"
