"""The HTTP reference in docs/, made from the OpenAPI document: `python -m api.reference > docs/reference/http.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from api.app import create_app
from api.services import Services

HEAD = """# HTTP reference

Made from the OpenAPI document, which the service has at `/openapi.json`; `make check` holds the two together and
`make reference` makes this anew. Requests carry a token ([authentication](../authentication.md)); errors are
`application/problem+json` with a stable `code`, except where a protocol has a shape of its own. `/mcp` speaks
[MCP](../clients/mcp.md), which describes itself.
"""
FILE = Path(__file__).parents[1] / "docs" / "reference" / "http.md"
METHODS = ("get", "post", "put", "patch", "delete")


def markdown(document: dict[str, Any]) -> str:
    """The reference, by the routes' subjects in the document's order, then the events and the schemas."""
    lines = [HEAD]
    subject = ""
    for path, operations in document["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                tag = operation.get("tags", ["service"])[0]
                if tag != subject:
                    subject = tag
                    lines.append(f"## {subject[0].upper()}{subject[1:]}\n")
                lines += _operation(method, path, operation)
    schemas = document["components"]["schemas"]
    lines.append("## Schemas\n")
    for name in sorted(schemas):
        lines += _schema(name, schemas[name])
    return "\n".join(lines).rstrip("\n") + "\n"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    yield f"{operation.get('description', operation['summary']).strip()}\n"
    if "security" not in operation and "401" not in operation["responses"]:
        yield "Needs no token.\n"
    rows = [
        f"| `{p['name']}` | {p['in']} | {_type(p['schema'])} | {_line(p.get('description', ''))} |"
        for p in operation.get("parameters", [])
    ]
    if rows:
        yield "\n".join(["| parameter | in | type | |", "| --- | --- | --- | --- |", *rows]) + "\n"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {media_type}, {_type(content['schema'])}.\n"
    yield "\n".join(
        [
            "| answer | |",
            "| --- | --- |",
            *(f"| {s} | {_answer(a)} |" for s, a in sorted(operation["responses"].items())),
        ]
    )
    yield ""


def _answer(answer: dict[str, Any]) -> str:
    kinds = []
    for media_type, content in answer.get("content", {}).items():
        schema = content.get("schema", {})
        kinds.append(f"{media_type} {_type(schema)}" if "$ref" in schema else media_type)
    return "; ".join([_line(answer["description"]), *kinds])


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    if text := schema.get("description"):
        yield f"{text.strip()}\n"
    if "allOf" in schema:
        yield f"{' and '.join(_type(part) for part in schema['allOf'])}.\n"
    required = schema.get("required", [])
    rows = [
        f"| `{field}`{'' if field in required else ' ?'} | {_type(of)} | {_line(of.get('description', ''))} |"
        for field, of in schema.get("properties", {}).items()
    ]
    if rows:
        yield "\n".join(["| member | type | |", "| --- | --- | --- |", *rows]) + "\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(choice) for choice in choices)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and schema.get("properties"):
        return f"object of {', '.join(schema['properties'])}"
    kind = schema.get("type", "any")
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def document() -> dict[str, Any]:
    """The OpenAPI document of a service outside `dev`; nothing of the service itself is needed for it."""
    return create_app(cast("Services", SimpleNamespace(dev=None, channels={}))).openapi()


def main() -> int:
    """Writes the reference; with `--check`, says whether the one in docs/ is it."""
    made = markdown(document())
    if "--check" not in sys.argv[1:]:
        sys.stdout.write(made)
        return 0
    if FILE.exists() and FILE.read_text() == made:
        return 0
    sys.stderr.write(f"{FILE} is not what the routes say: run `make reference` and commit it.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
