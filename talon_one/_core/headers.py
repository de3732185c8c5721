"""Validate the names and values of headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from talon_one.exceptions import ApiTypeError, ApiValueError

HARMLESS = frozenset(
    {
        "accept",
        "content-length",
        "content-type",
        "date",
        "retry-after",
        "user-agent",
        "x-request-id",
    }
)
"""Headers, in lower case, whose values are not secret."""

# Tokens of RFC 9110. Values may hold printable ASCII, tabs, and Latin-1.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")

# Values that nearly all requests have, and that need no check.
_USUAL = frozenset(
    {
        "Accept",
        "Authorization",
        "Content-Signature",
        "Content-Type",
        "Idempotency-Key",
        "User-Agent",
    }
)
# They define where the request ends, which only the transport knows.
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def check_headers(headers: Mapping[str, Any], own: frozenset[str] = frozenset()) -> None:
    """Reject headers if one of them cannot be sent, see `check_header`.

    Args:
        headers: All headers of a request.
        own: Framing headers that this package has set itself.
    """
    # All together, and one by one only to find the wrong one.
    try:
        clean = _BAD_IN_VALUE.search("".join(headers.values())) is None
    except TypeError:
        clean = False
    for name in headers.keys() - (_USUAL if clean else frozenset()) - own:
        check_header(name, headers[name])


def check_header(name: Any, text: Any) -> None:
    """Reject a header that would break out of its line, or cannot be sent.

    Raises:
        ApiTypeError: Name or value is not text.
        ApiValueError: The name is empty, not a token, or reserved for the transport; or the value
            holds a control character, or one outside of Latin-1.
    """
    if not issubclass(type(name), str):
        raise ApiTypeError(f"the name of a header must be text, not {type(name).__name__}")
    if not _NAME.fullmatch(name):
        raise ApiValueError(
            f"the name of a header must be letters, digits and hyphens, not {name[:40]!r}"
        )
    if name.lower() in _FRAMING:
        raise ApiValueError(f"the header {name} is set by the client itself: leave it out")
    if not issubclass(type(text), str):
        raise ApiTypeError(f"the header {name} must be text, not {type(text).__name__}")
    # The value may be a secret, so the message does not quote it.
    if _BAD_IN_VALUE.search(text):
        raise ApiValueError(
            f"the header {name!r} holds a line break, another control character,"
            " or a non-Latin-1 character"
        )
