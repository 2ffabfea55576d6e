"""Traces by OpenTelemetry, named by its conventions for generative AI, sent by OTLP. Imported only when they are on.

OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER and the like say where to and how many. X-Ray's own endpoint takes them
too: requests to it are signed. https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from requests.auth import AuthBase

from domain.errors import PennyError
from domain.tracing import Attribute, Span

if TYPE_CHECKING:
    from opentelemetry.trace import Span as OtelSpan

XRAY = "xray."


@dataclass(frozen=True, slots=True)
class _Span:
    span: OtelSpan

    def set(self, **attributes: Attribute) -> None:
        for name, value in attributes.items():
            self.span.set_attribute(name.replace("__", "."), value)

    def failed(self, error: str) -> None:
        self.span.set_attribute("error.type", error)
        self.span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self.span.end()


class Traces:
    """A tracer whose spans go to `exporter` in batches, from a thread of the exporter's; `close` sends what is left."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "penny"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("penny")

    @contextmanager
    def within(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Span(span)
            except Exception as error:  # by its type: the message may quote what somebody said
                _Span(span).failed(error.code if isinstance(error, PennyError) else type(error).__name__)
                raise

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> Span:
        return _Span(self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=dict(attributes)))

    def close(self) -> None:
        """Sends what is left; blocks for as long as that takes."""
        self._provider.shutdown()


def otlp() -> Traces:
    """Spans to where OpenTelemetry's variables say, by default a collector on this machine."""
    session = requests.Session()
    session.auth = _Signed()
    return Traces(OTLPSpanExporter(session=session))


class _Signed(AuthBase):
    """Signs requests to X-Ray, and no others, with the credentials that AWS's tools find."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        host = urlsplit(request.url or "").hostname or ""
        if not (host.startswith(XRAY) and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))):
            return request
        core = botocore.session.Session()
        credentials = core.get_credentials()
        if credentials is None:
            return request  # refused there, and told in the log
        kept = {"Content-Type": request.headers["Content-Type"]}
        signed = AWSRequest(request.method, request.url, data=request.body, headers=kept)
        SigV4Auth(credentials, "xray", host.split(".")[1]).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request
