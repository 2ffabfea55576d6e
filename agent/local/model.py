"""LocalModel: the embedded model behind the Model protocol. It chooses one tool; code writes what is said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.history import FOLLOW_UP, UNASKED
from agent.local import english, grammar, prompt, remembering, routing, weights
from agent.local.guards import judge
from agent.local.heard import Call, Heard, Say
from agent.local.routing import Routing, Said
from agent.local.state import FAILED, READY
from agent.local.warm import ABSENT, IDLE_SECONDS, Phase, WarmProcess
from agent.model import Abilities, ModelRequest, ModelUnavailable
from domain.errors import PennyError, SetupError

ANSWER_TOKENS = 120

_NOTES = re.compile(r"(?:\[[^\n]*\]\n\n)+")
"""What history puts before a user's message: decisions taken since the last one, each a bracketed paragraph."""


class Runtime(Protocol):
    """What runs the model: the machine's warm process (agent.local.warm), or a test's."""

    def phase(self) -> str: ...
    async def ready(self, progress: Phase | None = None) -> object: ...
    async def complete(self, body: dict[str, Any]) -> dict[str, Any]: ...


class LocalModel:
    """Answers with the model's file in `cache` (or the user's own `gguf`) through the machine's warm process.

    Nothing is downloaded or started before `warm_up`, nothing started before that or the first request. `idle_seconds`
    is when an unused process ends. `routed` says by which prompt to choose, each time it is asked; another than the one
    in use is read anew by the process, once.
    """

    name = "local"
    abilities = Abilities(prose=False)

    def __init__(
        self,
        cache: Path,
        gguf: Path | None = None,
        *,
        idle_seconds: float = IDLE_SECONDS,
        process: Callable[[Path], Runtime] | None = None,
        fetch: Callable[[Path, weights.Progress], Path] = weights.fetch,
        routed: Callable[[], Routing] | None = None,
    ) -> None:
        self._cache, self._gguf, self._fetch = cache, gguf, fetch
        self._routed = routed or _in_use()
        self._make = process or (lambda file: WarmProcess(cache, file, idle_seconds=idle_seconds))
        self._process: Runtime | None = None
        self._doing, self._failed = "", False

    def status(self) -> str:
        """What the model is doing, in words: "ready", "failed" (the last `warm_up` was in vain), "not running",
        "downloading the offline model, 210 of 1117 MB", "starting", "loading model", "reading prompt prefix"."""
        phase = self._process.phase() if self._process else ""
        if phase != READY and (self._failed or self._doing):
            return FAILED if self._failed else self._doing
        return phase or ABSENT

    async def warm_up(self, progress: Phase | None = None) -> None:
        """Has the file downloaded and the process ready; `progress` gets each phase in words.

        Raises SetupError (no network, space or memory: what to do) or ModelUnavailable.
        """
        self._failed = False

        def tell(phase: str) -> None:
            self._doing = phase
            if progress:
                progress(phase)

        try:
            if self._process is None:
                self._process = self._make(await self._file(tell))
            await self._process.ready(tell)
        except PennyError:
            self._failed = True
            raise
        finally:
            self._doing = ""

    async def _file(self, tell: Phase) -> Path:
        if self._gguf:
            return weights.own_file(self._gguf)
        loop = asyncio.get_running_loop()

        def told(done: int, total: int) -> None:
            words = f"downloading the offline model, {done // 10**6} of {total // 10**6} MB"
            loop.call_soon_threadsafe(tell, words)

        return await asyncio.to_thread(self._fetch, self._cache, told)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The routing call for a user's message; the summaries of tool results. Waits for a process that starts."""
        results = _results(request.turn)
        if results:
            for chunk in _spoken("\n\n".join(results)):
                yield chunk
            return
        heard = _heard(request)
        if heard.text == FOLLOW_UP and heard.earlier:
            for chunk in _spoken(heard.earlier[-1].text.strip("[] \n")):
                yield chunk
            return
        chosen = self._routed()
        offered = {tool["name"] for tool in request.tools}
        if (asked := remembering.call_for(heard.text)) and asked.tool in offered:
            yield _calling(asked, UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0))
            return
        if (language := english.other_language(heard.text)) is not None:
            for chunk in _spoken(english.sorry(language)):
                yield chunk
            return
        answer = await self._warm().complete(_body(heard, offered, chosen))
        call, usage = _parsed(answer)
        decided = judge(call, heard)
        if isinstance(decided, Say):
            for chunk in _spoken(decided.text, usage):
                yield chunk
        else:
            yield _calling(decided, usage)

    async def close(self) -> None:
        """Nothing: the process is the machine's, and ends when it is not used."""

    def _warm(self) -> Runtime:
        """The process for the file that is there. Raises ModelUnavailable while it is downloaded, else SetupError."""
        if self._process is None:
            file = weights.own_file(self._gguf) if self._gguf else weights.present(self._cache)
            if file is None and self._doing:
                raise ModelUnavailable(f"The offline model is not there yet ({self._doing}); try again in a while.")
            if file is None:
                raise SetupError(
                    "The offline model has not been downloaded; start `penny serve` once with a network, or set "
                    "PENNY_LOCAL_GGUF to a GGUF file that you have."
                )
            self._process = self._make(file)
        return self._process


def _in_use() -> Callable[[], Routing]:
    """Read once: the file goes with the code."""
    found = routing.load()
    return lambda: found


def _results(turn: Sequence[AnyMessage]) -> list[str]:
    """The summaries of the tool results that the turn ends with; empty when it ends with the user's message."""
    summaries: list[str] = []
    for message in reversed(turn):
        if not isinstance(message, ToolMessage):
            break
        summaries.insert(0, _summary(message))
    return summaries


def _summary(message: ToolMessage) -> str:
    text = str(message.text)
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return str(content.get("summary", "")) if isinstance(content, dict) else text


def _heard(request: ModelRequest) -> Heard:
    said = [said for message in request.earlier if _speaks(message) for said in _said(message)]
    asked = next(message for message in reversed(request.turn) if isinstance(message, HumanMessage))
    *notes, last = _said(asked)
    said += notes
    situation = request.situation
    return Heard(
        text=last.text,
        earlier=tuple(said[-prompt.EARLIER_MESSAGES :]),
        today=situation.today,
        categories=situation.categories,
        currency=situation.currency,
        locale=situation.locale,
    )


def _said(message: AnyMessage) -> list[Said]:
    """The message as lines of the conversation; notes before a user's message are the app's words, not the user's."""
    text = str(message.text)
    if not isinstance(message, HumanMessage):
        return [Said("App", text)]
    if text.endswith(UNASKED):
        return [Said("App", text)]
    notes = _NOTES.match(text)
    user = Said("User", text[notes.end() :] if notes else text)
    return [Said("App", notes[0]), user] if notes else [user]


def _speaks(message: AnyMessage) -> bool:
    return isinstance(message, (HumanMessage, AIMessage)) and bool(str(message.text).strip())


def _body(heard: Heard, offered: set[str], chosen: Routing) -> dict[str, Any]:
    """The completion request: greedy, on top of the state of the constant prompt, held to the grammar."""
    return {
        "messages": prompt.messages(heard.earlier, heard.text, chosen),
        "temperature": 0,
        "max_tokens": ANSWER_TOKENS,
        "cache_prompt": True,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "call", "schema": grammar.schema(offered & chosen.tools.keys())},
        },
    }


def _parsed(answer: dict[str, Any]) -> tuple[Call, UsageMetadata]:
    """The model's choice; no number in it passes through a float. Raises ModelUnavailable when it was cut off."""
    try:
        content = json.loads(answer["choices"][0]["message"]["content"], parse_float=Decimal)
        [(tool, args)] = content.items()
        call = Call(tool, dict(args))
        usage = answer["usage"]
        read = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0))
        return call, UsageMetadata(
            input_tokens=int(usage["prompt_tokens"]),
            output_tokens=int(usage["completion_tokens"]),
            total_tokens=int(usage["prompt_tokens"]) + int(usage["completion_tokens"]),
            input_token_details={"cache_read": read},
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        raise ModelUnavailable("The offline model gave no usable answer; say it in other words.") from None


def _calling(call: Call, usage: UsageMetadata) -> AIMessageChunk:
    chunk = tool_call_chunk(name=call.tool, args=json.dumps(call.args), id=f"call_{uuid4().hex[:20]}", index=0)
    return AIMessageChunk(content="", tool_call_chunks=[chunk], usage_metadata=usage)


def _spoken(text: str, usage: UsageMetadata | None = None) -> list[AIMessageChunk]:
    """The text in a few chunks, each a line or sentence, the usage with the last."""
    pieces = re.findall(r".+?(?:\n+|(?<=[.!?]) +|$)", text, re.DOTALL) or [text]
    chunks = [AIMessageChunk(content=piece) for piece in pieces]
    nothing = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
    chunks[-1] = AIMessageChunk(content=pieces[-1], usage_metadata=usage or nothing)
    return chunks
