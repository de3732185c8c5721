"""A proxy resets connections under load, and every update is applied once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.calls import make_client
from support.proxy import Reset, ResettingProxy
from support.server import Received, RecordingServer, Response
from support.shells import Shell
from talon_one import IntegrationApi, TransportError

THREADS = 8


class Orders:
    """A server that carries out each update once, by its ``Idempotency-Key``.

    Attributes:
        applied: How often the orders were updated, by their ID.
        requests: How often each key arrived.
    """

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, received: Received) -> Response:
        order = received.path.rpartition("/")[2]
        with self._lock:
            key = received.headers["Idempotency-Key"]
            self.requests[key] += 1
            if self.requests[key] == 1:
                self.applied[order] += 1
        return Response(body={"customerSession": {"integrationId": order}, "effects": []})


@pytest.mark.parametrize("loss", [0.05, 0.12, 0.20])
def test_keyed_updates_through_a_proxy_that_resets_connections_are_applied_once(
    shell: Shell, loss: float
) -> None:
    orders = Orders()
    calls = 20 if shell.awaits else 50
    given_up: list[TransportError] = []
    with (
        RecordingServer(default=orders) as server,
        ResettingProxy(server.port, loss, seed=9) as proxy,
        make_client(proxy.url, connection_pool_maxsize=THREADS) as client,
    ):
        api = IntegrationApi(client)

        def work(thread: int) -> None:
            for call in range(calls):
                order = f"order-{thread}-{call}"
                try:
                    state = api.update_customer_session_v2(order, {"customerSession": {}})
                except TransportError as failure:
                    given_up.append(failure)
                else:
                    assert state.customer_session is not None
                    assert state.customer_session.integration_id == order

        with ThreadPoolExecutor(THREADS) as executor:
            for done in [executor.submit(work, thread) for thread in range(THREADS)]:
                done.result()

    assert set(orders.applied.values()) == {1}
    assert len(orders.applied) >= THREADS * calls - len(given_up)
    # No call is given up that has attempts left, and none has more than three.
    assert [failure.attempts for failure in given_up] == [3] * len(given_up)
    assert max(orders.requests.values()) <= 3
    # Three independent losses in a row are rare; connections reset while idle cost no attempt.
    # The margin is wide, since threads draw the random numbers in any order.
    assert len(given_up) <= 3 * loss**3 * THREADS * calls + 6
    assert all(proxy.resets[moment] for moment in Reset)
