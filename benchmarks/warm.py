"""What a call costs once everything is loaded: decoding, reading, encoding, the call as a whole.

A program of its own, because whether orjson is used is settled when the package is loaded:
``python -m benchmarks.warm ROUNDS [without-orjson]`` prints the readings as JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import urllib3

from benchmarks import server
from benchmarks.payloads import session_answer, session_request
from benchmarks.timing import Reading, interleaved, timed

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


def readings(rounds: int) -> dict[str, Reading]:
    """Measure everything that happens in a program that is up and running."""
    return {
        "decode": decode(rounds),
        "read": read(rounds),
        "encode": encode(rounds),
        "call": call(rounds),
    }


def decode(rounds: int) -> Reading:
    """Compare the way from bytes to a model with that to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_answer())
    return interleaved(
        timed(lambda: IntegrationStateV2.from_json(text)), timed(lambda: json.loads(text)), rounds
    )


def read(rounds: int) -> Reading:
    """Compare decoding and reading all there is in a model with decoding to a dict."""
    from talon_one import IntegrationStateV2

    text = _compact(session_answer())
    return interleaved(
        timed(lambda: read_everything(IntegrationStateV2.from_json(text))),
        timed(lambda: json.loads(text)),
        rounds,
    )


def read_everything(value: Any) -> None:
    """Read every declared property of a model, and of all the models in it."""
    kind = type(value)
    if kind is list or kind is dict:
        for item in value if kind is list else value.values():
            if type(item) not in _SCALARS:
                read_everything(item)
    else:
        for name in value.__match_args__:
            inner = getattr(value, name)
            if type(inner) not in _SCALARS:
                read_everything(inner)


def encode(rounds: int) -> Reading:
    """Compare checking and encoding a model with encoding a dict."""
    plain = session_request()
    request = request_of_models()
    return interleaved(
        timed(lambda: ready_to_send(request)), timed(lambda: json.dumps(plain)), rounds
    )


def request_of_models() -> IntegrationRequest:
    """Return the session as a caller builds it, with a model in each place that has one."""
    from talon_one import IntegrationRequest

    request = IntegrationRequest.from_dict(session_request())
    read_everything(request)
    return request


def ready_to_send(request: IntegrationRequest) -> str:
    """Return a model as text, once it is sure that it may be sent."""
    request.validate()
    return request.to_json()


def call(rounds: int) -> Reading:
    """Compare a call with the same call written by hand."""
    from talon_one import IntegrationApi

    plain = session_request()
    request = request_of_models()
    with (
        server.running() as host,
        IntegrationApi(host=host, api_key=API_KEY) as api,
        # We never wait for ever, so neither may what we are compared with.
        urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=30)) as pool,
    ):

        def by_hand() -> Any:
            response = pool.request(
                "PUT",
                f"{host}/v2/customer_sessions/{quote(SESSION_ID, safe='')}",
                body=json.dumps(plain),
                headers=HEADERS,
            )
            if response.status != 200:
                raise RuntimeError(response.status)
            return json.loads(response.data)

        return interleaved(
            timed(lambda: api.update_customer_session_v2(SESSION_ID, request)),
            timed(by_hand),
            rounds,
        )


def _compact(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


if __name__ == "__main__":
    if "without-orjson" in sys.argv:
        sys.modules["orjson"] = None  # type: ignore[assignment]  # makes the import of it fail
    print(json.dumps(readings(int(sys.argv[1]))))
