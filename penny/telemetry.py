"""Logs: structured lines on standard error, for people on a terminal and as JSON elsewhere. Never what a user said."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from domain.visible import visible, visible_line
from penny.redaction import redact, without_words

Processor = structlog.typing.Processor


def configure_logs(level: str = "warning") -> None:
    """Sends structlog's records from `level` up, and the standard library's from warning up, to standard error, all in
    one form. Lines of a reply carry its run_id, and trace_id and span_id where traces are on."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _traced,
        without_words,
        redact,
    ]
    rendered: list[Processor] = (
        [_steerless, structlog.dev.ConsoleRenderer()] if terminal else [structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-2], structlog.stdlib.add_logger_name],
            # The standard library puts the exception on the record; it has to go before its formatter reads it.
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_words, redact, *rendered],
        )
    )
    logging.basicConfig(handlers=[others], level=max(threshold, logging.WARNING), force=True)
    logging.captureWarnings(True)


def _steerless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What came from outside steers no terminal and begins no line of its own; JSON escapes it anyway."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = visible(value) if name == "place" else visible_line(value)
    return event


def _traced(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace that the line belongs to. Nothing is imported for it: without traces there is no such module."""
    api = sys.modules.get("opentelemetry.trace")
    if api is not None:
        context = api.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
            event["span_id"] = f"{context.span_id:016x}"
    return event
