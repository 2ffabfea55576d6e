"""The signed HTTP request that a boto3 call would send, taken just before it is sent.

Request building, parameter validation and signing stay botocore's. The request is caught at its public `before-send`
event, only in the context that asks for it, so the same client still serves ordinary synchronous calls.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

_catching: ContextVar[bool] = ContextVar("bedrock_catching", default=False)
_filling: ContextVar[Filling | None] = ContextVar("bedrock_filling", default=None)


@dataclass(frozen=True, slots=True)
class Filling:
    """JSON text that takes the place of a stub in the body, before it is signed: what is the same in every request need
    not be gone through and written each time. In JSON no text that is quoted can look like the stub."""

    stub: bytes
    whole: bytes


class _Caught(BaseException):
    """Carries the request out of botocore, past its `except Exception` and its retries."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def watch(client: Any, *operations: str) -> None:
    """Prepares a boto3 client so that `signed_request` can catch its `operations`, for example "ConverseStream"."""
    service = client.meta.service_model.service_id.hyphenize()
    for operation in operations:
        client.meta.events.register_last(f"before-call.{service}.{operation}", _fill)
        client.meta.events.register_last(f"before-send.{service}.{operation}", _catch)


def signed_request(call: Callable[[], object], filling: Filling | None = None) -> AWSPreparedRequest:
    """What `call` would have sent, with the filling in it. Raises what botocore raises on the way (parameters,
    credentials)."""
    token, filled = _catching.set(True), _filling.set(filling)
    try:
        call()
    except _Caught as caught:
        return caught.request
    finally:
        _catching.reset(token)
        _filling.reset(filled)
    raise RuntimeError("The call sent no request through a watched client.")


def _catch(request: AWSPreparedRequest, **_: Any) -> None:
    if _catching.get():
        raise _Caught(request)


def _fill(params: dict[str, Any], **_: Any) -> None:
    if (filling := _filling.get()) is not None:
        if filling.stub not in params["body"]:
            raise RuntimeError("The request does not hold the stub that is to be filled.")
        params["body"] = params["body"].replace(filling.stub, filling.whole, 1)
