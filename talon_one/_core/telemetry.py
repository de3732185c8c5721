"""OpenTelemetry spans for calls, made by hooks; needs ``opentelemetry-api``."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from talon_one._core.constructors import checks_arguments
from talon_one._core.hooks import CallEvent, Hooks
from talon_one.exceptions import ConfigurationError

_SPAN = "talon_one.span"


class TelemetryHooks(Hooks):
    """Creates a span for each call, named after its operation.

    Attempts are events of the span. Neither queries nor bodies nor IDs in paths are recorded.

    ::

        configuration.hooks.append(TelemetryHooks())

    Args:
        tracer: Tracer for the spans; that of the global provider if not given.

    Raises:
        ConfigurationError: ``opentelemetry-api`` is not installed.
    """

    @checks_arguments("(tracer=...)")
    def __init__(self, tracer: Any = None) -> None:
        try:
            trace = import_module("opentelemetry.trace")
            self._propagate = import_module("opentelemetry.propagate")
        except ImportError as cause:
            raise ConfigurationError(
                "telemetry needs OpenTelemetry: pip install opentelemetry-api"
            ) from cause
        self._trace = trace
        self._tracer = tracer or trace.get_tracer("talon_one")

    def on_request(self, event: CallEvent) -> None:
        """Start the span, or record an attempt, and propagate the trace to the server."""
        if event.attempt == 0:
            event.context[_SPAN] = self._tracer.start_span(
                event.operation_id,
                kind=self._trace.SpanKind.CLIENT,
                attributes={
                    "http.request.method": event.method,
                    "url.template": event.path,
                    **_server(event.url),
                },
            )
            return
        span = event.context[_SPAN]
        span.add_event("attempt", {"number": event.attempt})
        carrier: dict[str, str] = {}
        self._propagate.inject(carrier, self._trace.set_span_in_context(span))
        for name, value in carrier.items():
            event.add_header(name, value)

    def on_response(self, event: CallEvent) -> None:
        """End the span as successful."""
        if event.attempt == 0:
            self._end(event, error=None)

    def on_error(self, event: CallEvent) -> None:
        """End the span with the kind of failure, or record a failed attempt."""
        error = type(event.failure).__name__
        if event.attempt == 0:
            self._end(event, error)
        else:
            event.context[_SPAN].add_event("attempt failed", {"error.type": error})

    def _end(self, event: CallEvent, error: str | None) -> None:
        span = event.context[_SPAN]
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        span.end()


def _server(url: str) -> dict[str, str | int]:
    parts = urlsplit(url)
    found: dict[str, str | int] = {"server.address": parts.hostname or ""}
    if parts.port is not None:
        found["server.port"] = parts.port
    return found
