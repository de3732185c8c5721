"""A server that responds with the ID it was asked for, and fails now and then before it does."""

from __future__ import annotations

from support.server import HANG_UP, RESET, Received, Response

FAULTS = (
    HANG_UP,
    RESET,
    Response(503),
    Response(429, headers={"Retry-After": "0"}),
    Response(raw=b"garbage\r\n\r\n"),
    Response(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"customerSession": {"integ'),
)


class Echo:
    """Makes the responses. IDs are numbers, or end in one after a dash.

    Args:
        one_in: The first request for one ID out of so many fails, each in its own way; none if 0.
    """

    def __init__(self, one_in: int = 0) -> None:
        self.failures = 0
        self._one_in = one_in
        self._seen: set[str] = set()

    def __call__(self, request: Received) -> Response:
        session_id = request.path.rpartition("/")[2]
        number = int(session_id.rpartition("-")[2])
        if self._one_in and number % self._one_in == 0 and session_id not in self._seen:
            self._seen.add(session_id)
            self.failures += 1
            return FAULTS[number // self._one_in % len(FAULTS)]
        return Response(body={"customerSession": {"integrationId": session_id}})
