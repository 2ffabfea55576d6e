"""`penny prompts` from the terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.bedrock_emulator import BedrockEmulator, Refusal, Turn
from prompts import library

BASE = library.load()


async def test_a_prompt_from_idea_to_rollout_and_back(penny, tmp_path: Path):
    """A file is compared and tried, rolled out, listed, and rolled back; its text stays known."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Hello."}]))
    model = {"PENNY_MODEL": f"scripted:{script}"}
    idea = tmp_path / "v3.md"
    idea.write_text(BASE.text + "\n\nBe briefer still.\n")
    version = library.load(idea).version

    assert (await penny("prompts", "show", BASE.name)).out == BASE.text + "\n"
    assert "+Be briefer still.\n" in (await penny("prompts", "diff", BASE.name, str(idea))).out
    tried = await penny("prompts", "try", str(idea), "hi", "--json", **model)
    assert json.loads(tried.out.splitlines()[0])["data"]["prompt_version"] == version
    rolled = await penny("prompts", "rollout", str(idea), "--share", "12.5%", "--user", "demo", "--json")
    assert json.loads(rolled.out) == {"version": version, "base": BASE.version, "share": 0.125, "users": 1}
    asked = await penny("ask", "hi", "--json", **model)
    assert json.loads(asked.out.splitlines()[0])["data"]["prompt_version"] == version
    listed = (await penny("prompts", "list")).out
    assert f"{BASE.version:16} base" in listed
    assert f"{version:16} rolling out to 12.5% and 1 user       2 replies" in listed
    assert json.loads((await penny("prompts", "rollback", "--json")).out) == {"rolled_back": version}
    assert "Be briefer still." in (await penny("prompts", "show", version)).out


async def test_the_embedded_models_prompts_are_listed_shown_and_compared(penny, tmp_path: Path):
    """By kind and name, as files; one that the model could not use is refused with its line, and so is a trial with
    another model, or a rollout."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(library.ROUTING.read_text().replace("find_anomalies: ", "find_anomalies: oddities; ", 1))
    used = library.load_routing()

    assert f"routing/{used.version:16} in use by the embedded model" in (await penny("prompts", "list")).out
    assert (await penny("prompts", "show", f"routing/{used.name}")).out == used.text + "\n"
    assert "+  find_anomalies: oddities; " in (await penny("prompts", "diff", used.version, str(mine))).out
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Hello."}]))
    tried = await penny("prompts", "try", str(mine), "hi", PENNY_MODEL=f"scripted:{script}")
    assert (tried.code, "A routing prompt is the embedded model's" in " ".join(tried.err.split())) == (1, True)
    rolled = await penny("prompts", "rollout", str(mine), "--share", "10%")
    assert (rolled.code, "goes with the code" in " ".join(rolled.err.split())) == (1, True)
    mine.write_text(mine.read_text().replace("by: merchant", "by: shop", 1))
    shown = await penny("prompts", "show", str(mine))
    assert (shown.code, "is 'shop'; allowed: category, merchant" in " ".join(shown.err.split())) == (1, True)


async def test_what_cannot_be_rolled_out_is_said(penny, tmp_path: Path):
    """An unknown name, a broken file, the base itself, no share, a wrong one, nothing to roll back."""
    broken = tmp_path / "broken.md"
    broken.write_text("Be {{kind}}.")
    for arguments, code, says in (
        (("rollout", "v77", "--share", "10%"), 1, "There is no prompt v77"),
        (("rollout", str(broken), "--share", "10%"), 1, "{{kind}}"),
        (("rollout", BASE.name, "--share", "10%"), 2, "is the base"),
        (("rollout", BASE.name), 2, "for whom"),
        (("rollout", BASE.name, "--share", "110%"), 2, "from 0% to 100%"),
        (("rollback",), 1, "No prompt is being rolled out"),
    ):
        done = await penny("prompts", *arguments)
        assert (done.code, says in " ".join(done.err.split())) == (code, True), (arguments, done.err)


async def test_a_rollout_whose_replies_fail_stops_by_itself(penny, serve, tmp_path: Path) -> None:
    """Real traffic on a real server: with the new text the provider refuses every request. After enough replies have
    failed the rollout is over without anybody's doing, the list says why, and people are answered as before."""
    bad = tmp_path / "bad.md"
    bad.write_text(BASE.text + "\n\nSay forbidden things.\n")

    def provider(request: Mapping[str, Any]) -> Turn:
        told = " ".join(block.get("text", "") for block in request["system"])
        refusal = Refusal("ValidationException", times=1_000) if "forbidden things" in told else None
        return Turn("All is well.", refusal=refusal)

    async with BedrockEmulator(provider) as bedrock:
        server = await serve(
            PENNY_MODEL="bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
        )  # fmt: skip
        session = await server.new_session()

        async def ends(text: str) -> str:
            return (await server.stream(session, text))[-1][0]

        async def comes(kind: str) -> None:
            async with asyncio.timeout(240):
                said = await ends("and now?")
                while said != kind:
                    await asyncio.sleep(0.5)
                    said = await ends("and now?")

        assert [await ends(f"hello {n}") for n in range(6)] == ["run.finished"] * 6
        rolled = await penny("prompts", "rollout", str(bad), "--user", "demo", "--least", "6")
        assert rolled.code == 0, rolled.err
        await comes("run.failed")
        assert [await ends(f"again {n}") for n in range(5)] == ["run.failed"] * 5
        await comes("run.finished")
        listed = (await penny("prompts", "list")).out
        assert "replies failed, with the base 0 of " in listed
        assert f"{library.load(bad).version:16} stopped" in listed
        assert "prompt.rollout_stopped" in "".join(server.said)
        assert (await penny("prompts", "rollback")).code == 1
