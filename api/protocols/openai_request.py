"""What Penny takes from the bodies of OpenAI's clients: the last user message, and which conversation it belongs to.

Sampling settings are passed over, for the model is Penny's affair; what would change the kind of answer and cannot be
done here (tools of the client, formats, several choices) is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.shapes import Text
from domain.errors import InvalidInput, NotFound
from domain.ids import parse_id

MODEL = "penny"
MESSAGES = 2_000
CONVERSATION, RESPONSE, COMPLETION = "conv_", "resp_", "chatcmpl-"

Name = Annotated[Text, Field(min_length=1, max_length=255)]
Metadata = Annotated[dict[str, Any], Field(description="`session_id`: the conversation, by a name or a session's id.")]


class UnsupportedParameter(InvalidInput):
    """The request asks for something that Penny does not do; leaving the parameter out may help."""

    code = "unsupported_parameter"


class ModelNotFound(NotFound):
    """There is no model of that name here."""

    code = "model_not_found"


class _Body(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    model: Annotated[Text, Field(max_length=255, description=f"Always `{MODEL}`.")]
    stream: bool | None = Field(None, description="Whether to stream the reply.")
    metadata: Metadata | None = None
    user: Name | None = Field(None, description="Names the conversation when nothing else does.")

    def check(self, refused: dict[str, tuple[Any, ...]]) -> None:
        """Refuses another model, and each parameter of `refused` whose value is not one of those that change nothing.
        Raises ModelNotFound, UnsupportedParameter."""
        if self.model != MODEL:
            raise ModelNotFound(f"The model {self.model[:64]!r} does not exist here; use {MODEL!r}.", param="model")
        given = self.model_extra or {}
        for name, harmless in refused.items():
            if name in given and given[name] not in (None, *harmless):
                raise UnsupportedParameter(f"{name} is not supported by Penny; leave it out.", param=name)

    @property
    def session_name(self) -> str | None:
        """What the metadata call the conversation. Raises InvalidInput."""
        name = (self.metadata or {}).get("session_id")
        if name is not None and not isinstance(name, str):
            raise InvalidInput("metadata.session_id must be text.", param="metadata")
        return name


class StreamOptions(BaseModel):
    """How a chat completion is streamed."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    include_usage: bool | None = Field(None, description="Whether a last chunk has the usage.")


class CompletionBody(_Body):
    """A chat completion to make. Only the last message is taken; the history is Penny's."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MESSAGES)]
    stream_options: StreamOptions | None = None

    def text(self) -> str:
        """The last message's. Raises InvalidInput, ModelNotFound, UnsupportedParameter."""
        self.check(_NOT_FOR_COMPLETIONS)
        last = self.messages[-1]
        if last.get("role") != "user":
            raise InvalidInput("The last of `messages` must be the user's.", param="messages")
        return _text(last.get("content"), ("text",), "messages")


class ResponseBody(_Body):
    """A response to make. Only the last user message of `input` is taken; the history is Penny's."""

    input: Annotated[Text | list[dict[str, Any]], Field(description="The user's message, or items that end in one.")]
    conversation: Name | dict[str, Any] | None = Field(None, description="The conversation's id, or `{id}`.")
    previous_response_id: Name | None = Field(None, description="The response that this one follows.")

    def text(self) -> str:
        """The last message's. Raises InvalidInput, ModelNotFound, UnsupportedParameter."""
        self.check(_NOT_FOR_RESPONSES)
        if isinstance(self.input, str):
            return self.input
        last = self.input[-1] if self.input else {}
        if last.get("role") != "user" or last.get("type", "message") != "message":
            raise InvalidInput("The last item of `input` must be a message of the user.", param="input")
        return _text(last.get("content"), ("input_text", "text"), "input")

    @property
    def conversation_name(self) -> str | None:
        """The conversation's id as the client gave it. Raises InvalidInput."""
        given = self.conversation.get("id") if isinstance(self.conversation, dict) else self.conversation
        if self.conversation is not None and (not isinstance(given, str) or not given):
            raise InvalidInput("conversation must be an id, or an object with an id.", param="conversation")
        return given


@dataclass(frozen=True, slots=True)
class Place:
    """Which conversation is meant: by a `name`, or as the one of a `run`; neither: a new one."""

    name: str | None = None
    run_id: UUID | None = None


def place_of(body: CompletionBody | ResponseBody, header: str | None, key: str | None) -> Place:
    """The header counts most, then metadata, conversation, the response before, `user`; without any of them a request
    that may be repeated (by its idempotency `key`) is a conversation of its own. Raises InvalidInput, NotFound."""
    named = header or body.session_name
    if named is None and isinstance(body, ResponseBody):
        named = body.conversation_name
        if named is None and body.previous_response_id is not None:
            run_id = parse_id(body.previous_response_id.removeprefix(RESPONSE), "response")
            return Place(run_id=run_id)
    if named is None:
        named = f"user {body.user}" if body.user else f"request {key}" if key else None
    return Place(named.removeprefix(CONVERSATION) if named else None)


def _text(content: Any, kinds: tuple[str, ...], param: str) -> str:
    parts = [{"type": kinds[0], "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise InvalidInput("The last message's content must be text, or a list of text parts.", param=param)
    for part in parts:
        if part.get("type") not in kinds:
            kind = str(part.get("type"))[:40]
            raise InvalidInput(f"Penny reads text only, no content of type {kind!r}.", param=param)
        if not isinstance(part.get("text"), str):
            raise InvalidInput("A text part needs `text`.", param=param)
    text = "\n".join(part["text"] for part in parts)
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidInput("The message contains a character that is none (NUL or half a surrogate).", param=param)
    return text


_TEXT_FORMAT = ({"type": "text"},)

_NOT_FOR_COMPLETIONS: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": _TEXT_FORMAT,
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "audio": (),
    "modalities": (["text"],),
    "stop": ([], ""),
    "prediction": (),
    "web_search_options": (),
}

_NOT_FOR_RESPONSES: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "text": ({}, {"format": {"type": "text"}}),
    "background": (False,),
    "prompt": (),
    "store": (True,),
    "top_logprobs": (0,),
    "include": ([],),
}
