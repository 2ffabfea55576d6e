"""The embedded model's routing prompt, as a file of prompts/routing has it: what is said of each tool, and examples.

The tools' arguments are not the file's: they are the grammar's, which the model's answers are held to. A tool that the
file does not describe is not offered to the model. Examples are given in the file's order: a small model goes by them
more than by any description, and by the last ones most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agent.local import grammar
from agent.local.grammar import NONE
from domain.nodes import Node, parse
from prompts import library
from prompts.library import Prompt, PromptError

TOOLS_PLACE: Final = "{{tools}}"
_SPEAKERS: Final = {"user": "User", "app": "App"}


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation: `who` is "User" or "App"."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """What a person may say after `earlier`, and the call that is right then."""

    text: str
    tool: str
    args: Mapping[str, Any]
    earlier: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """How the model is told to choose: a text with a place for the tools, each tool's description, and examples."""

    text: str
    tools: Mapping[str, str]
    examples: tuple[Example, ...]

    @property
    def system(self) -> str:
        """The text with a line for each tool: "get_safe_to_spend(date?) - how much may still be spent"."""
        lines = [f"{grammar.signature(tool)} - {described}" for tool, described in self.tools.items()]
        return self.text.replace(TOOLS_PLACE, "\n".join(lines))

    def described(self, descriptions: Mapping[str, str]) -> Routing:
        """The same with other descriptions of the tools that it has."""
        return replace(self, tools={tool: descriptions.get(tool, told) for tool, told in self.tools.items()})


def load(path: Path = library.ROUTING) -> Routing:
    """The routing prompt in the file. Raises PromptError."""
    return routing_of(library.load_routing(path))


def routing_of(prompt: Prompt) -> Routing:
    """The prompt's text, read. Raises PromptError that says where it is wrong and what is allowed there."""
    root = parse(prompt.text, f"The prompt {prompt.name}", PromptError)
    parts = root.keys(("text", "tools", "examples"), required=("text", "tools", "examples"))
    text = parts["text"].text().strip()
    if text.count(TOOLS_PLACE) != 1:
        raise parts["text"].wrong(f"has to have one place for the tools, {TOOLS_PLACE}.")
    known = (*grammar.KNOWN, NONE)
    described = parts["tools"].keys(known, required=(NONE,))
    tools = {tool: " ".join(node.text().split()) for tool, node in described.items()}
    return Routing(text, tools, parts["examples"].each(lambda node: _example(node, tools)))


def _example(node: Node, tools: Mapping[str, str]) -> Example:
    parts = node.keys(("earlier", "user", "call"), required=("user", "call"))
    made = parts["call"].keys(tuple(tools))
    if len(made) != 1:
        raise parts["call"].wrong("has to be one call, like {get_spending: {by: category}}.")
    [(tool, args)] = made.items()
    earlier = parts["earlier"].each(_said) if "earlier" in parts else ()
    return Example(parts["user"].text(), tool, _args(tool, args), earlier)


def _said(node: Node) -> Said:
    parts = node.keys(tuple(_SPEAKERS))
    if len(parts) != 1:
        raise node.wrong("has to be what one of the two said, like {user: hello}.")
    [(who, text)] = parts.items()
    return Said(_SPEAKERS[who], text.text())


def _args(tool: str, node: Node) -> dict[str, Any]:
    """The call's arguments, each as the grammar lets the model write it."""
    required, properties = grammar.arguments(tool)
    return {name: _value(given, properties[name]) for name, given in node.keys(tuple(properties), required).items()}


def _value(node: Node, schema: Mapping[str, Any]) -> Any:
    """Numbers stay as they are written: they are text to the model."""
    if "enum" in schema:
        return node.one_of(schema["enum"])
    if schema["type"] == "string":
        if len(text := node.text()) > schema["maxLength"]:
            raise node.wrong(f"is longer than {schema['maxLength']} characters.")
        return text
    number = node.count() if schema["type"] == "integer" else node.number()
    if not schema.get("minimum", number) <= number <= schema.get("maximum", number):
        raise node.wrong(f"has to be from {schema['minimum']} to {schema['maximum']}.")
    return json.loads(node.text())
