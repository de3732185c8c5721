"""Requests and responses as the page shows them: a list that is polled, and one in detail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox.contract.operations import decoded
from talon_one.sandbox.errors import ApiError
from talon_one.sandbox.exchanges import Exchange, Exchanges
from talon_one.sandbox.page.lists import MAX_PAGE_SIZE, integer
from talon_one.sandbox.rules.wording import cut

MAX_BODY: Final = 64 * 1024
"""Characters of a body that are shown."""

MAX_TARGET: Final = 2_000
"""Characters of a target or of a header that are shown."""

# Larger bodies are shown as they are: a browser that reads this page is not the place to wait.
_MAX_PRETTY: Final = 256 * 1024


def since(exchanges: Exchanges, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the exchanges with a higher number than `since`, oldest first, without their bodies.

    Returns:
        At most `pageSize` exchanges, the latest ones; `omitted` says how many are left out before
        them. `cleared` changes when the log begins anew, with the numbers from 1 again.
    """
    size = integer(query, "pageSize", MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    found = exchanges.since(integer(query, "since", 0))
    shown = found[-size:] if size else []
    return {
        "cleared": exchanges.cleared,
        "omitted": len(found) - len(shown),
        "data": [_summary(each) for each in shown],
    }


def one(exchanges: Exchanges, number: int) -> dict[str, Any]:
    """Return an exchange with its headers and bodies.

    Raises:
        ApiError: 404 if the log does not have it, or not any more.
    """
    found = next(iter(exchanges.since(number - 1)), None) if number else None
    if found is None or found.number != number:
        raise ApiError(404, f"The log has no request {number}: it keeps the latest ones")
    return {
        **_summary(found),
        "headers": _headers(found.headers),
        "body": _body(found.content),
        "responseHeaders": _headers(found.response_headers),
        "responseBody": _body(found.response_content),
    }


def _summary(exchange: Exchange) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "number": exchange.number,
        "moment": exchange.moment,
        "method": exchange.method,
        "target": cut(exchange.target, MAX_TARGET),
        "operation": exchange.operation,
        "status": exchange.status,
        "milliseconds": round(exchange.seconds * 1000, 1),
        "fault": exchange.fault,
    }
    session = _session_of(exchange)
    return {**summary, "session": session} if session else summary


def _session_of(exchange: Exchange) -> str:
    """Return the integration ID of the session that the path names, empty if it names none."""
    segments = exchange.target.partition("?")[0].split("/")
    if len(segments) < 4 or segments[2] != "customer_sessions":
        return ""
    try:
        return decoded(segments[3])
    except ApiError:
        return ""


def _headers(headers: Mapping[str, str]) -> list[list[str]]:
    return [[cut(name, MAX_TARGET), cut(value, MAX_TARGET)] for name, value in headers.items()]


def _body(content: bytes) -> dict[str, Any] | None:
    """Return a body as text: JSON with line breaks, and at most a part of a large one."""
    if not content:
        return None
    text = content[: 4 * MAX_BODY].decode("utf-8", "replace")
    if len(content) <= _MAX_PRETTY:
        try:
            text = json.dumps(json.loads(content), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = content.decode("utf-8", "replace")
    shown = text[:MAX_BODY].encode(errors="backslashreplace").decode()
    return {"text": shown, "bytes": len(content), "cut": len(shown) < len(text)}
