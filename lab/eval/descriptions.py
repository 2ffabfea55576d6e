"""Other descriptions of tools, to be tried before they go into the code: a YAML file of `tool: text`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

from langchain_core.messages import AIMessageChunk

from agent.model import Model, ModelRequest
from lab.cases.nodes import read
from tools.catalog import CATALOG


def load(path: Path) -> dict[str, str]:
    """The descriptions in the file. Raises CaseError, for a tool that there is not too."""
    allowed = (*(tool.name for tool in CATALOG), "none")
    return {name: " ".join(node.text().split()) for name, node in read(path).keys(allowed).items()}


class Described:
    """A model that is told other descriptions of its tools."""

    def __init__(self, model: Model, descriptions: Mapping[str, str]) -> None:
        self._model, self._descriptions = model, descriptions
        self.name, self.abilities = model.name, model.abilities

    def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        tools = [
            tool | {"description": self._descriptions.get(tool["name"], tool["description"])} for tool in request.tools
        ]
        return self._model.stream(replace(request, tools=tools))

    async def close(self) -> None:
        await self._model.close()
