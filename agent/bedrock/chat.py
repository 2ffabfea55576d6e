"""LangChain's ChatBedrockConverse with a native async transport: upstream builds the request, our wire carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any

import aiohttp
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrockConverse
from langchain_aws.chat_models import bedrock_converse as upstream
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, content
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from agent.bedrock.answer import Answer, events_of
from agent.bedrock.signing import Filling, signed_request
from agent.bedrock.wire import BedrockWire

# Looked up anew for each block of each message, and it is the same as long as the library is.
content._get_data_content_block_types = cache(content._get_data_content_block_types)


class AsyncChatBedrockConverse(ChatBedrockConverse):
    """The stock class holds one thread for each stream, goes on reading when cancelled and lets truncated streams pass.

    `client` must be watched for Converse and ConverseStream (agent.bedrock.signing). `refresh_due` says whether signing
    would first have to fetch new credentials; then it is done in a thread, for that blocks. `streams` is False for a
    model that answers in one piece only. Raises what BedrockWire raises, BrokenAnswer, and LangChain's
    ContextOverflowError.
    """

    wire: BedrockWire = Field(exclude=True, repr=False)
    refresh_due: Callable[[], bool] = Field(exclude=True, repr=False)
    streams: bool = Field(default=True, exclude=True, repr=False)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Not, other than upstream: it holds connections, which nothing can be rebuilt from."""
        return False

    async def chunks(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None = None,
        filling: Filling | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """The reply, without LangChain's callbacks; `kwargs` are converse's, such as `toolConfig`. The `filling` takes
        the place of a stub in them."""

        def build() -> AWSPreparedRequest:
            # Upstream rewrites entries of the list it is given, hence the copy.
            if self.streams:
                return signed_request(lambda: next(self._stream(list(messages), stop, None, **kwargs)), filling)
            return signed_request(lambda: self._generate(list(messages), stop, None, **kwargs), filling)

        async def sign() -> AWSPreparedRequest:
            return await asyncio.to_thread(build) if self.refresh_due() else build()

        answer = Answer(model_name=self.base_model_id or self.model_id)
        try:
            if not self.streams:
                for chunk in answer.feed(events_of(await self.wire.whole(sign))):
                    yield chunk
                yield answer.end()
                return
            async with aclosing(self.wire.batches(sign)) as batches:
                async for events in batches:
                    for chunk in answer.feed(events):
                        yield chunk
        except ClientError as error:
            upstream._handle_bedrock_error(error)
        except (aiohttp.ClientError, TimeoutError):
            if not answer.complete:  # else the answer is whole, and only its token counts are lost
                raise
        yield answer.end()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(self.chunks(messages, stop, **kwargs)) as chunks:
            async for chunk in chunks:
                yield ChatGenerationChunk(message=chunk)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))
