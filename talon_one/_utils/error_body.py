"""Read the message and the entries of an error response, from Talon.One or a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# A longer text is a page or a dump rather than a message.
_MAX_BODY = 4096
_MAX_LINE = 300


def entries(data: Any) -> list[dict[str, Any]]:
    """Return the entries of a decoded error body, whatever its shape."""
    found = _as_dict(data).get("errors")
    stored = map(_stored, found) if isinstance(found, (list, tuple)) else ()
    return [
        {key: _stored(value) for key, value in entry.items()}
        for entry in stored
        if isinstance(entry, dict)
    ]


def message(
    status: int | None, headers: Mapping[str, str] | None, data: Any, body: str | None
) -> str | None:
    """Return the message of an error response in one line, or ``None``.

    This is `message` of its body; or what gateways write instead: a JSON string, `error` and
    `error_description`, or the first line of a short plain text. Never HTML. For a redirect it is
    the target, without credentials and query.

    Args:
        status: HTTP status.
        headers: Headers of the response.
        data: Its decoded body.
        body: Its body as text.
    """
    text = _json_message(data) if data is not None else _plain_text(headers, body)
    if status in _REDIRECTS and headers is not None:
        target = _shown_location(headers.get("Location"))
        if target:
            return f"redirected to {target}" + (f": {text}" if text else "")
    return text


def _json_message(data: Any) -> str | None:
    if isinstance(data, str):
        return _text(data)
    fields = _as_dict(data)
    if _text(fields.get("message")):
        return str(fields["message"])
    error = fields.get("error")
    parts = [
        _text(error) or _text(_as_dict(error).get("message")),
        _text(fields.get("error_description")),
    ]
    return ": ".join(part for part in parts if part) or None


def _plain_text(headers: Mapping[str, str] | None, body: str | None) -> str | None:
    kind = (headers.get("Content-Type", "") if headers else "").partition(";")[0]
    if not body or len(body) > _MAX_BODY or kind.strip().lower() != "text/plain":
        return None
    return _text(next(filter(None, map(str.strip, body.splitlines())), None))


def _text(value: Any) -> str | None:
    """Return text as one short line, unless it is HTML."""
    if not isinstance(value, str) or value.lstrip().startswith("<"):
        return None
    return " ".join(value.split())[:_MAX_LINE] or None


def _shown_location(location: str | None) -> str | None:
    if not location or not location.isprintable():
        return None
    try:
        parts = urlsplit(location.strip())
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}{':' * bool(parts.scheme)}{'//' * bool(host)}{host}{parts.path}"


def _as_dict(value: Any) -> dict[str, Any]:
    stored = _stored(value)
    return stored if isinstance(stored, dict) else {}


def _stored(value: Any) -> Any:
    # Not converted, because the content may have any type and depth.
    return value.__wire__() if hasattr(value, "__wire__") else value
