"""A model whose calls are spans of the run's trace, by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessageChunk

from agent.model import Abilities, Model, ModelRequest
from domain.errors import PennyError
from domain.tracing import Attribute, Tracer


@dataclass
class TracedModel:
    """`model`, traced. No prompt and no answer is in a span: names, token counts and how it ended."""

    model: Model
    tracer: Tracer
    name: str = field(init=False)
    abilities: Abilities = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.abilities = self.model.name, self.model.abilities

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """As the model's. Closing it ends the span."""
        provider, _, model_id = self.name.partition(":")
        about: dict[str, Attribute] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock" if provider == "bedrock" else provider,
            "gen_ai.request.model": model_id or self.name,
        }
        span = self.tracer.begin(f"chat {model_id or self.name}", about)
        try:
            stream = cast("AsyncGenerator[AIMessageChunk, None]", self.model.stream(request))
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    if usage := chunk.usage_metadata:
                        span.set(
                            gen_ai__usage__input_tokens=usage["input_tokens"],
                            gen_ai__usage__output_tokens=usage["output_tokens"],
                        )
                    if answered_by := chunk.response_metadata.get("answered_by"):
                        span.set(gen_ai__response__model=str(answered_by).partition(":")[2] or str(answered_by))
                    if stop := chunk.response_metadata.get("stopReason"):
                        span.set(gen_ai__response__finish_reasons=[str(stop)])
                    yield chunk
        except Exception as error:
            span.failed(error.code if isinstance(error, PennyError) else type(error).__name__)
            raise
        finally:
            span.end()

    async def close(self) -> None:
        """Closes the model."""
        await self.model.close()

    def __getattr__(self, name: str) -> Any:
        """What only some models have: a warm-up, a status, a price."""
        return getattr(self.model, name)
