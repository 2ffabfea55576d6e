"""The stock stack to measure against: FastAPI, create_agent, ChatBedrockConverse, nothing persisted.

`uvicorn bench.stock:app` with AWS_ENDPOINT_URL_BEDROCK_RUNTIME and AWS keys set.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_aws import ChatBedrockConverse
from langchain_core.tools import tool

from bench.relay import MODEL


@tool
def get_spending(category: str) -> str:
    """What was spent on a category."""
    return f"Nothing on {category}."


model = ChatBedrockConverse(model_id=MODEL, region_name=os.environ["AWS_REGION"])
agent = create_agent(model, [get_spending], system_prompt="You are a budget assistant.")
app = FastAPI()


@app.post("/")
async def talk() -> StreamingResponse:
    """One reply, each token an event."""
    return StreamingResponse(_events(), media_type="text/event-stream")


async def _events() -> AsyncIterator[str]:
    asked = {"messages": [{"role": "user", "content": "talk"}]}
    async for chunk, _ in agent.astream(asked, stream_mode="messages"):
        if text := chunk.text:
            yield f"event: text.delta\ndata: {json.dumps({'text': str(text)})}\n\n"
