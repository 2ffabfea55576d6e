"""Reads cases from YAML. docs/evals.md tells the format to people; what is allowed where is told by the errors too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, cast

from domain.nodes import Node
from lab.cases import given
from lab.cases.case import (
    Answer,
    Call,
    Case,
    Decide,
    Expect,
    Given,
    Persona,
    PersonaState,
    Proposed,
    Rule,
    Say,
    Step,
    Value,
)
from lab.cases.nodes import CaseError, read
from tools.catalog import CATALOG
from tools.drafts.kinds import BUILDERS

SHIPPED: Final = Path(__file__).parent
"""The folder of the cases that come with Penny."""

TABLES: Final = ("accounts", "categories", "budgets", "transactions", "rules", "goals", "facts", "journal", "rates")
"""Lists of the export whose rows `has` and `lacks` may name."""

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")

FIGURES: Final = ("spent", "income", "count", "budget", "left", "balance", "largest")
WHERE: Final = ("category", "merchant", "month", "from", "to", "account", "currency", "text")

_TOOLS: Final = {tool.name: tuple(tool.args.model_fields) for tool in CATALOG}
_CASE: Final = ("name", "about", "tags", "given", "user", "example", "expect", "conversation")
_EXPECT: Final = tuple(field.name for field in fields(Expect))
_WHEN: Final = ("proposal", "question", "words", "tool", "otherwise")


def load(path: Path = SHIPPED) -> tuple[Case, ...]:
    """The cases of the file, or of all .yaml files of the folder. Raises CaseError, for two of one name too."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise CaseError(f"{path} has no .yaml file with cases.")
    found = [case for file in files for case in _file(file)]
    seen: dict[str, Case] = {}
    for case in found:
        if case.name in seen:
            raise CaseError(f"{case.where}: the name {case.name} is taken by the case at {seen[case.name].where}.")
        seen[case.name] = case
    return tuple(found)


def _file(path: Path) -> list[Case]:
    keys = read(path).keys(("given", "tags", "cases"), ("cases",))
    shared = given.parse(keys["given"], Given()) if "given" in keys else Given()
    tags = keys["tags"].texts() if "tags" in keys else ()
    return [_case(node, shared, tags) for node in keys["cases"].items()]


def _case(node: Node, shared: Given, tags: Sequence[str]) -> Case:
    keys = node.keys(_CASE, ("name", "about"))
    if ("user" in keys) == ("conversation" in keys):
        raise node.wrong("needs either `user` (one message) or `conversation` (several steps).")
    if "conversation" in keys:
        for name in ("example", "expect"):
            if name in keys:
                raise keys[name].wrong("belongs to a step of `conversation` here.")
        steps = keys["conversation"].each(_step)
    else:
        steps = (_say({name: keys[name] for name in ("user", "example", "expect") if name in keys}),)
    if not steps:
        raise keys["conversation"].wrong("has no step.")
    own = keys["tags"].texts() if "tags" in keys else ()
    return Case(
        name=keys["name"].text(),
        about=keys["about"].text(),
        steps=steps,
        tags=tuple(dict.fromkeys((*tags, *own))),
        given=given.parse(keys["given"], shared) if "given" in keys else shared,
        where=f"{Path(node.file).name}:{node.line}",
    )


def _step(node: Node) -> Step:
    keys = node.keys(("user", "example", "confirm", "reject", "persona", "expect"))
    kinds = [name for name in ("user", "confirm", "reject", "persona") if name in keys]
    if len(kinds) != 1 or ("example" in keys and kinds != ["user"]):
        raise node.wrong("has to be one of: user (with example?, expect?), confirm, reject or persona (with expect?).")
    expect = _expect(keys["expect"]) if "expect" in keys else Expect()
    match kinds[0]:
        case "user":
            return _say(keys)
        case "persona":
            return _persona(keys["persona"], expect)
        case act:
            which = keys[act].one_of(("all", "last"))
            return Decide(cast(Any, act), cast(Any, which), expect)


def _say(keys: dict[str, Node]) -> Say:
    return Say(
        keys["user"].text(),
        _expect(keys["expect"]) if "expect" in keys else Expect(),
        keys["example"].text() if "example" in keys else "",
    )


def _persona(node: Node, expect: Expect) -> Persona:
    keys = node.keys(("goal", "states", "turns", "examples"), ("goal", "states"))
    states = tuple(_state(name, state) for name, state in keys["states"].pairs().items())
    names = {state.name for state in states} | {"done"}
    for state in states:
        for rule in state.rules:
            if rule.go not in names:
                raise keys["states"].wrong(f"leads from {state.name} to {rule.go!r}; states: {', '.join(names)}.")
    return Persona(
        keys["goal"].text(),
        states,
        keys["turns"].count() if "turns" in keys else 6,
        expect,
        keys["examples"].texts() if "examples" in keys else (),
    )


def _state(name: str, node: Node) -> PersonaState:
    keys = node.keys(("say", "decide", "then"), ("then",))
    if ("say" in keys) == ("decide" in keys):
        raise node.wrong("needs either `say` or `decide`.")
    return PersonaState(
        name,
        keys["say"].texts() if "say" in keys else (),
        cast(Any, keys["decide"].one_of(("confirm", "reject"))) if "decide" in keys else "",
        keys["then"].each(_rule),
    )


def _rule(node: Node) -> Rule:
    keys = node.keys((*_WHEN, "go"), ("go",))
    when = next((name for name in keys if name != "go"), "otherwise")
    if len(keys) > 2:
        raise node.wrong(f"has more than one condition; it may have one of {', '.join(_WHEN)}.")
    of = keys[when].text() if when in keys and when in ("words", "tool", "proposal") else ""
    return Rule(when, keys["go"].text(), "" if of == "true" else of)


def _expect(node: Node) -> Expect:
    keys = node.keys(_EXPECT)
    found: dict[str, Any] = {}
    for name, value in keys.items():
        match name:
            case "tools":
                found[name] = value.each(_choice)
            case "not_tools":
                found[name] = value.each(lambda one: one.one_of(_TOOLS))
            case "figures" | "not_figures":
                found[name] = value.each(_answer)
            case "words":
                found[name] = value.each(Node.texts)
            case "not_words":
                found[name] = value.texts()
            case "proposals":
                found[name] = value.each(_proposed)
            case "has" | "lacks":
                found[name] = tuple(_rows(value))
            case "language":
                found[name] = value.one_of(LANGUAGES)
            case "max_words" | "min_words":
                found[name] = value.count()
            case _:
                found[name] = value.flag()
    return replace(Expect(), **found)


def _choice(node: Node) -> tuple[Call, ...]:
    """One call, or `any_of` several."""
    if not node.is_map:
        return (_call(node.one_of(_TOOLS), None, node),)
    pairs = node.keys((*_TOOLS, "any_of"))
    if len(pairs) != 1:
        raise node.wrong("has to be one tool with its arguments, or any_of with a list of such.")
    [(name, value)] = pairs.items()
    if name == "any_of":
        return tuple(call for item in value.items() for call in _choice(item))
    return (_call(name, value, node),)


def _call(name: str, node: Node | None, at: Node) -> Call:
    args = {} if node is None or node.is_null else node.keys(_TOOLS[name])
    return Call(name, {key: _value(value) for key, value in args.items()})


def _value(node: Node) -> Value:
    return node.texts() if node.is_list else None if node.is_null else node.text()


def _answer(node: Node) -> Answer:
    if not node.is_map:
        return Answer(node.text())
    pairs = node.keys(FIGURES)
    if len(pairs) != 1:
        raise node.wrong(f"has to be one figure; known are {', '.join(FIGURES)}.")
    [(of, value)] = pairs.items()
    where = value.keys(WHERE) if value.is_map else {"account": value}
    return Answer(of=of, where={key: item.text() for key, item in where.items()})


def _proposed(node: Node) -> Proposed:
    if not node.is_map:
        return Proposed(node.one_of(BUILDERS))
    keys = node.keys(("kind", "diff"), ("kind",))
    diff = keys["diff"].each(lambda line: _row(line, ("what", "field", "before", "after"))) if "diff" in keys else ()
    return Proposed(keys["kind"].one_of(BUILDERS), diff)


def _rows(node: Node) -> list[tuple[str, dict[str, Value]]]:
    return [(table, _row(row)) for table, rows in node.keys(TABLES).items() for row in rows.items()]


def _row(node: Node, allowed: Sequence[str] | None = None) -> dict[str, Value]:
    pairs = node.keys(allowed) if allowed else node.pairs()
    return {key: _value(value) for key, value in pairs.items()}
