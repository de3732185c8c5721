"""Settings of a single call: keywords such as ``_deadline``, taken out of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one._core.headers import HARMLESS
from talon_one._core.secret import hidden_values
from talon_one._utils.guard import guarded
from talon_one.exceptions import ApiTypeError


class CallOptions:
    """Settings of a single call: the keywords that begin with an underscore, and ``async_req``."""

    __slots__ = (
        "async_req",
        "auth",
        "content_type",
        "deadline",
        "full",
        "headers",
        "preload",
        "retries",
        "stream",
        "timeout",
    )

    def __init__(self) -> None:
        # In these three, ``None`` means the setting of the client.
        self.timeout: Any = None
        self.deadline: float | None = None
        self.retries: Any = None
        self.auth: Mapping[str, Any] | None = None
        self.headers: Mapping[str, str] = {}
        self.content_type: str | None = None
        self.preload = True
        self.full = False
        """Whether to return an `ApiResponse` rather than only the decoded response."""
        self.async_req = False
        self.stream = False
        """Whether to return a 2xx response as a stream."""


OPTION_KEYWORDS = {
    "_request_timeout": "timeout",
    "_deadline": "deadline",
    "_retries": "retries",
    "_request_auth": "auth",
    "_headers": "headers",
    "_content_type": "content_type",
    "_preload_content": "preload",
    "async_req": "async_req",
}
_MAPPINGS = {
    "_headers": "{'X-Shop': 'berlin'}",
    "_request_auth": "{'key': 'Authorization', 'value': 'ApiKey-v1 ...'}",
}
# Keywords of the vendor's packages without effect: there is one server, and arguments are always
# checked.
_IGNORED_OPTIONS = frozenset({"_host_index", "_check_input_type", "_check_return_type"})


def take_options(kwargs: dict[str, Any]) -> CallOptions:
    """Remove the settings of the call from *kwargs* and return them."""
    options = CallOptions()
    if not kwargs:
        return options
    with guarded("a setting of the call"):
        _take_mappings(kwargs, options)
    for keyword in [name for name in kwargs if name[:1] == "_" or name == "async_req"]:
        if keyword in OPTION_KEYWORDS:
            value = kwargs.pop(keyword)
            if value is not None:
                setattr(options, OPTION_KEYWORDS[keyword], value)
        elif keyword == "_return_http_data_only":
            options.full = kwargs.pop(keyword) is False
        elif keyword in _IGNORED_OPTIONS:
            del kwargs[keyword]
    return options


def mask_credentials(kwargs: dict[str, Any]) -> None:
    """Mask credentials among the settings of a call, for a function that keeps them as a local."""
    for each in _MAPPINGS:
        if each in kwargs:
            kwargs[each] = hidden_values(kwargs[each], HARMLESS)


def _take_mappings(kwargs: dict[str, Any], options: CallOptions) -> None:
    # Both are removed from *kwargs* first: reports of the local variables of a failed call would
    # show them.
    taken = [(each, kwargs.pop(each)) for each in _MAPPINGS if kwargs.get(each) is not None]
    refused = []
    while taken:
        keyword, value = taken.pop()
        if isinstance(value, Mapping):
            setattr(options, OPTION_KEYWORDS[keyword], hidden_values(value, HARMLESS))
        else:
            refused.append(keyword)
        del value
    for keyword in refused:
        raise ApiTypeError(f"{keyword} is a dict, such as {_MAPPINGS[keyword]}")
