"""How all of the service is imported: in less time and memory than by import alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from pydantic import BaseModel

EACH_TURN = ("langchain_core.messages.ai", "langchain_core.messages.human", "langchain_core.messages.tool")
HARDLY = ("langgraph.graph", "fastapi", "ag_ui.core")
"""Libraries that bring, or pull in, hundreds of pydantic classes of which a process uses a few or none."""


@contextmanager
def loading() -> Iterator[None]:
    """What is imported in this block is never searched for garbage, for it stays; and the classes of HARDLY make their
    validators when they are first used, those of EACH_TURN and our own at once. docs/performance.md has the figures."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name in EACH_TURN:
            import_module(name)
        BaseModel.model_config["defer_build"] = True  # classes inherit it when they are made
        try:
            for name in HARDLY:
                import_module(name)
        finally:
            del BaseModel.model_config["defer_build"]
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
