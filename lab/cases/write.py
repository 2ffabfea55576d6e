"""Writes a case as YAML that people read: what is as usual is left out, texts stand on lines of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from lab.cases.case import Answer, Call, Case, Decide, Expect, Given, Persona, Proposed, Rule, Say, Step


def dump(case: Case) -> str:
    """The case as one item of the list `cases`."""
    told: dict[str, Any] = {"name": case.name, "about": case.about}
    if case.tags:
        told["tags"] = list(case.tags)
    if changed := _changed(case.given, Given()):
        told["given"] = changed
    steps = [_step(step) for step in case.steps]
    told |= steps[0] if len(steps) == 1 and isinstance(case.steps[0], Say) else {"conversation": steps}
    return yaml.dump([told], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def _step(step: Step) -> dict[str, Any]:
    told: dict[str, Any]
    if isinstance(step, Say):
        told = {"user": step.text} | ({"example": step.example} if step.example else {})
    elif isinstance(step, Decide):
        told = {step.act: step.which}
    else:
        told = {"persona": _persona(step)}
    expect = {name: _wanted(name, getattr(step.expect, name)) for name in _set(step.expect)}
    return told | ({"expect": expect} if expect else {})


def _set(expect: Expect) -> list[str]:
    usual = Expect()
    return [f.name for f in fields(expect) if getattr(expect, f.name) != getattr(usual, f.name)]


def _wanted(name: str, value: Any) -> Any:
    match name:
        case "tools":
            return [_call(c[0]) if len(c) == 1 else {"any_of": [_call(one) for one in c]} for c in value]
        case "figures" | "not_figures":
            return [_answer(answer) for answer in value]
        case "words":
            return [choice[0] if len(choice) == 1 else list(choice) for choice in value]
        case "proposals":
            return [_proposed(proposed) for proposed in value]
        case "has" | "lacks":
            tables: dict[str, list[Any]] = {}
            for table, row in value:
                tables.setdefault(table, []).append(_plain(row))
            return tables
        case _:
            return _plain(value)


def _call(call: Call) -> Any:
    return {call.tool: _plain(call.args)} if call.args else call.tool


def _answer(answer: Answer) -> Any:
    return answer.text or {answer.of: dict(answer.where)}


def _proposed(proposed: Proposed) -> Any:
    if not proposed.diff:
        return proposed.kind
    return {"kind": proposed.kind, "diff": [_plain(line) for line in proposed.diff]}


def _persona(persona: Persona) -> dict[str, Any]:
    def state(say: tuple[str, ...], act: str, rules: tuple[Rule, ...]) -> dict[str, Any]:
        said: dict[str, Any] = {"say": list(say)} if say else {"decide": act}
        return said | {"then": [_rule(rule) for rule in rules]}

    told: dict[str, Any] = {"goal": persona.goal, "turns": persona.turns}
    if persona.examples:
        told["examples"] = list(persona.examples)
    return told | {"states": {s.name: state(s.say, s.act, s.rules) for s in persona.states}}


def _rule(rule: Rule) -> dict[str, Any]:
    return {"go": rule.go} if rule.when == "otherwise" else {rule.when: rule.of or True, "go": rule.go}


def _changed(value: Any, usual: Any) -> dict[str, Any]:
    """The fields of `value` that are not as `usual`."""
    kept = {}
    for field in fields(value):
        own = getattr(value, field.name)
        if own != getattr(usual, field.name):
            kept[field.name] = dict(own) if field.name == "rules" else _plain(own)
    return kept


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        told = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return {name: one for name, one in told.items() if one not in (None, "", False)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Decimal | date) else value


class _Dumper(yaml.SafeDumper):
    """Texts as they are read again: what looks like a number needs no quotes, for every scalar is read as text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
