"""The signed HTTP request that a boto3 call would send, taken just before it is sent.

Request building, parameter validation and signing stay botocore's. The request is caught at its public `before-send`
event, only in the context that asks for it, so the same client still serves ordinary synchronous calls.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

_catching: ContextVar[bool] = ContextVar("bedrock_catching", default=False)


class _Caught(BaseException):
    """Carries the request out of botocore, past its `except Exception` and its retries."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def watch(client: Any, *operations: str) -> None:
    """Prepares a boto3 client so that `signed_request` can catch its `operations`, for example "ConverseStream"."""
    service = client.meta.service_model.service_id.hyphenize()
    for operation in operations:
        client.meta.events.register_last(f"before-send.{service}.{operation}", _catch)


def signed_request(call: Callable[[], object]) -> AWSPreparedRequest:
    """What `call` would have sent. Raises what botocore raises on the way (parameters, credentials)."""
    token = _catching.set(True)
    try:
        call()
    except _Caught as caught:
        return caught.request
    finally:
        _catching.reset(token)
    raise RuntimeError("The call sent no request through a watched client.")


def _catch(request: AWSPreparedRequest, **_: Any) -> None:
    if _catching.get():
        raise _Caught(request)
