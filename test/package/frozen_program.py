"""A program to be frozen: uses what the package loads by name, and prints what came of it.

`.ci/frozen` freezes it with PyInstaller and runs it where there is no Python. It is given the word
``plain`` to do without the extras, or ``all`` to use these as well.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import talon_one
from talon_one import effects

_STATE = {
    "customerSession": {"integrationId": "order-1", "cartItems": [{"sku": "mug", "quantity": 2}]},
    "customerProfile": {"created": "2026-03-14 9:26:53+01:00"},
    "effects": [
        {"effectType": "setDiscount", "props": {"name": "ten", "value": 10}},
        {
            "effectType": "rejectCoupon",
            "props": {"value": "OLD", "rejectionReason": "CouponExpired"},
        },
    ],
}


class _Handler(BaseHTTPRequestHandler):
    """Responses with an evaluated session, a list of applications, an export, or an error."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, _STATE)

    def do_GET(self) -> None:
        if self.path.startswith("/v1/applications/1/export_coupons"):
            self._send(200, b"value,limitval\r\nSUMMER,3\r\n", "application/csv")
        elif self.path.startswith("/v1/applications/9"):
            self._send(404, {"message": "not found", "errors": []})
        else:
            self._send(200, {"data": [{"id": 1, "name": "Shop"}], "totalResultSize": 1})

    def log_message(self, format: str, *args: Any) -> None:
        """Keep still."""

    def _send(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _failure_of(call: Callable[[], object]) -> str:
    """Return the name of the exception that a call raises."""
    try:
        call()
    except talon_one.OpenApiException as failure:
        return type(failure).__name__
    return "none"


def blocking(host: str) -> None:
    integration = talon_one.IntegrationApi(host=host, api_key="key")
    management = talon_one.ManagementApi(host=host, api_key="key")
    session = talon_one.NewCustomerSessionV2(
        cart_items=[talon_one.CartItem(name="Mug", sku="mug", quantity=2, price=5.0)]
    )
    with integration, management:
        state = integration.update_customer_session_v2(
            "order-1", talon_one.IntegrationRequest(customer_session=session)
        )
        assert state.effects is not None
        assert type(state.effects[0].props) is talon_one.SetDiscountEffectProps
        assert effects.discounts(state).total == 10
        assert effects.codes(state).rejected_coupons[0].value == "OLD"
        assert state.customer_profile is not None
        assert state.customer_profile.created is not None
        assert pickle.loads(pickle.dumps(state)) == state
        found = [each.name for each in management.iterate(management.get_applications)]
        assert found == ["Shop"]
        with management.table(management.export_coupons, 1) as table:
            assert [dict(row) for row in table] == [{"value": "SUMMER", "limitval": 3}]
        assert _failure_of(lambda: management.get_application(9)) == "NotFoundException"
    secure = host.replace("http:", "https:")
    with talon_one.IntegrationApi(host=secure, api_key="key") as integration:
        # It takes the public authorities to find out that the server does not speak TLS.
        assert _failure_of(lambda: integration.get_customer_session("order-1")) == "TlsError"
    for name in talon_one.__all__:
        getattr(talon_one, name)
    for name in ("bulk", "limiter", "pagination", "rest", "webhooks"):
        getattr(talon_one, name)


async def asynchronous(host: str) -> None:
    from talon_one import aio

    configuration = talon_one.Configuration(host=host, api_key={"api_key_v1": "key"})
    async with aio.ApiClient(configuration) as client:
        state = await aio.IntegrationApi(client).update_customer_session_v2(
            "order-1", {"customerSession": {"profileId": "anna"}}
        )
        assert state.customer_session is not None
    assert aio.bulk
    assert aio.tables


def in_the_sandbox() -> None:
    from talon_one.sandbox import Sandbox

    with Sandbox() as sandbox:
        with talon_one.IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as api:
            state = api.update_customer_session_v2(
                "order-1",
                {"customerSession": {"profileId": "anna"}, "responseContent": ["customerSession"]},
            )
        assert state.customer_session is not None
        assert state.customer_session.profile_id == "anna"


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    blocking(host)
    if sys.argv[1:] == ["all"]:
        asyncio.run(asynchronous(host))
        in_the_sandbox()
    else:
        assert "aiohttp" not in sys.modules
    server.shutdown()
    server.server_close()
    print(f"frozen: {getattr(sys, 'frozen', False)}")


if __name__ == "__main__":
    main()
