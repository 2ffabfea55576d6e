"""OpenAPI beyond what the routes say themselves: the events of a run and the shape of problems."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ag_ui.core import RunErrorEvent
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from agent.events import TERMINAL, Event, ProposalMade
from api.problems import Problem
from api.protocols.errors import JsonRpcErrorBody, OpenAIErrorBody

_REF = "#/components/schemas/{model}"


def _kinds() -> tuple[type[Any], ...]:
    kinds: tuple[type[Any], ...] = Event.__args__
    return kinds


def _events_table() -> str:
    rows = "\n".join(f"- `{kind.type}`: {inspect.cleandoc(kind.__doc__ or '')}" for kind in _kinds())
    ends = ", ".join(f"`{kind.type}`" for kind in TERMINAL)
    return (
        "Events are server-sent: `id: <seq>`, `event: <type>`, `data: <JSON>`, lines ending in LF; a comment every 15 "
        f"seconds keeps the connection open. `seq` rises by one from 1. Exactly one of {ends} comes, last. Clients "
        f"ignore types that they do not know.\n\n{rows}"
    )


EVENTS = _events_table()
"""What the events are, for descriptions (Markdown)."""


def event_schema(more: str = "") -> dict[str, Any]:
    """The content of a stream. OpenAPI 3.1 has no schema for the events of one, so it is described in words."""
    return {"schema": {"description": f"Server-sent events. {more}".rstrip()}}


def event_stream_content() -> dict[str, Any]:
    """The content of a response that streams events; `x-events` gives the schema of each type's data."""
    return event_schema() | {
        "x-events": {kind.type: {"$ref": _REF.format(model=_name(kind))} for kind in _kinds()},
    }


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """A replacement for `app.openapi` that adds the schemas of problems and events; made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            errors = [
                ("Problem", TypeAdapter[Any](Problem)),
                ("OpenAIErrorBody", TypeAdapter[Any](OpenAIErrorBody)),
                ("JsonRpcErrorBody", TypeAdapter[Any](JsonRpcErrorBody)),
                ("RunErrorEvent", TypeAdapter[Any](RunErrorEvent)),
            ]
            for model, adapter in errors + [(_name(kind), TypeAdapter[Any](kind)) for kind in _kinds()]:
                schema = adapter.json_schema(ref_template=_REF)
                schemas.update(schema.pop("$defs", {}))
                schemas[model] = schema
            schemas[_name(ProposalMade)] = {
                "description": inspect.cleandoc(ProposalMade.__doc__ or ""),
                "allOf": [
                    {"$ref": _REF.format(model="ProposalView")},
                    {"type": "object", "properties": {"call_id": {"type": "string"}}, "required": ["call_id"]},
                ],
            }
            for path, operations in made["paths"].items():
                if path.startswith("/openai/"):  # a value that cannot be used is 400 there
                    for operation in operations.values():
                        operation["responses"].pop("422", None)
        return made

    return openapi


def _name(kind: type[Any]) -> str:
    return f"Event{kind.__name__}"
