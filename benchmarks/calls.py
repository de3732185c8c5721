"""One call over loopback, with this package and hand-written with urllib3 and json."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import urllib3

from benchmarks.payloads import session_request

if TYPE_CHECKING:
    from talon_one import IntegrationRequest

API_KEY = "0123456789abcdef"
SESSION_ID = "session-2026-03-14-0815"
HEADERS = {
    "Accept": "application/json",
    "Authorization": f"ApiKey-v1 {API_KEY}",
    "Content-Type": "application/json",
    "User-Agent": "by-hand/1.0",
}

_SCALARS = frozenset({type(None), bool, int, float, str, datetime})

Call = Callable[[], object]


def disable_orjson() -> None:
    """Make the import of orjson fail. Call it before the package is imported."""
    sys.modules["orjson"] = None  # type: ignore[assignment]  # documented for this purpose


@contextmanager
def ours(host: str, connections: int = 1, **settings: Any) -> Iterator[Call]:
    """Yield a call of a client with these settings of its configuration."""
    from talon_one import ApiClient, Configuration, IntegrationApi

    configuration = Configuration(host, {"api_key_v1": API_KEY}, **settings)
    configuration.connection_pool_maxsize = connections
    request = request_of_models()
    with ApiClient(configuration) as client:
        api = IntegrationApi(client)
        yield lambda: api.update_customer_session_v2(SESSION_ID, request)


@contextmanager
def by_hand(host: str, connections: int = 1) -> Iterator[Call]:
    """Yield the same call without this package."""
    plain = session_request()
    # The package always has timeouts, so the yardstick must have them as well.
    timeout = urllib3.Timeout(connect=5, read=30)
    with urllib3.PoolManager(maxsize=connections, block=True, timeout=timeout) as pool:

        def call() -> object:
            response = pool.request(
                "PUT",
                f"{host}/v2/customer_sessions/{quote(SESSION_ID, safe='')}",
                body=json.dumps(plain),
                headers=HEADERS,
            )
            if response.status != 200:
                raise RuntimeError(response.status)
            return json.loads(response.data)

        yield call


def request_of_models() -> IntegrationRequest:
    """Return the session built of models only, as a caller would."""
    from talon_one import IntegrationRequest

    request = IntegrationRequest.from_dict(session_request())
    read_all_properties(request)
    return request


def read_all_properties(value: Any) -> None:
    """Read all declared properties of a model and of its nested models."""
    kind = type(value)
    if kind is list or kind is dict:
        for item in value if kind is list else value.values():
            if type(item) not in _SCALARS:
                read_all_properties(item)
    else:
        for name in value.__match_args__:
            inner = getattr(value, name)
            if type(inner) not in _SCALARS:
                read_all_properties(inner)
