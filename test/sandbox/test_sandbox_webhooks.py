"""Webhooks: rules trigger them, and the sandbox calls local URLs for real."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from talon_one.sandbox import Sandbox


class Receiver:
    """A server that keeps the requests of webhooks.

    Args:
        statuses: Statuses of the first responses; then it responds with 200.
    """

    def __init__(self, *statuses: int) -> None:
        self.received: queue.Queue[tuple[str, str, dict[str, str], Any]] = queue.Queue()
        self._statuses = list(statuses)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Give the base URL of the running server."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._statuses.pop(0) if receiver._statuses else 200
                received = (self.command, self.path, dict(self.headers), json.loads(body))
                receiver.received.put(received)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def seed(url: str) -> dict[str, Any]:
    """Return a shop whose only rule calls a webhook."""
    block = {
        "id": "b1",
        "type": "triggerWebhook",
        "webhook": {"id": 3, "title": "Warehouse"},
        "params": {"order": "{{$Session.IntegrationId}}", "total": "{{$Session.Total}}"},
    }
    ruleset = {"promotionRules": [{"id": "r1", "title": "Call", "blocks": [block]}]}
    campaign = {"id": 12, "name": "Calls", "ruleset": ruleset}
    webhook = {
        "id": 3,
        "title": "Warehouse",
        "verb": "POST",
        "url": f"{url}/orders",
        "headers": ["X-Order: ${order}"],
        "payload": '{"order": "${order}", "total": "${total}"}',
    }
    return {
        "applications": [{"id": 3, "name": "Shop", "campaigns": [campaign]}],
        "webhooks": [webhook],
    }


CART = [{"sku": "A", "quantity": 2, "price": 12.5}]


def test_a_closed_session_calls_the_webhook_with_the_values_of_the_rule(client_of: Any) -> None:
    receiver = Receiver()
    with receiver.running() as url, Sandbox(seed=seed(url)) as sandbox:
        api = client_of(sandbox)
        opened = api.session("order-1", cartItems=CART)
        assert [one["effectType"] for one in opened.json["effects"]] == ["triggerWebhook"]
        api.session("order-1", state="closed")
        method, path, headers, body = receiver.received.get(timeout=10)
    assert (method, path, headers["X-Order"]) == ("POST", "/orders", "order-1")
    assert body == {"order": "order-1", "total": 25}
    assert len(headers["X-UUID"]) == 36


def test_a_webhook_is_tried_again_with_the_same_uuid_after_a_503_and_a_429(client_of: Any) -> None:
    receiver = Receiver(503, 429)
    with receiver.running() as url, Sandbox(seed=seed(url)) as sandbox:
        client_of(sandbox).session("order-1", cartItems=CART, state="closed")
        attempts = [receiver.received.get(timeout=10) for _ in range(3)]
    assert len({headers["X-UUID"] for _, _, headers, _ in attempts}) == 1


def test_a_dry_run_calls_nothing(client_of: Any) -> None:
    receiver = Receiver()
    with receiver.running() as url, Sandbox(seed=seed(url)) as sandbox:
        api = client_of(sandbox)
        api.session("dry", query="?dry=true", cartItems=CART, state="closed")
        api.session("order-1", cartItems=CART, state="closed")
        _, _, _, body = receiver.received.get(timeout=10)
    assert body["order"] == "order-1"
    assert receiver.received.empty()
