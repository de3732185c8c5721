"""A fresh sandbox for each test, and a plain HTTP client for it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from sandbox.conforming import assert_conforms, is_management
from talon_one.sandbox import Sandbox


@dataclass(frozen=True)
class Reply:
    """A response with its body parsed."""

    status: int
    json: Any
    headers: Any


class Client:
    """Calls a sandbox by hand. The target goes out as given, without any normalisation."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", sandbox.port, maxsize=8, timeout=10)
        self.integration = {"Authorization": f"ApiKey-v1 {sandbox.api_key}"}
        self.management = {"Authorization": f"ManagementKey-v1 {sandbox.management_key}"}

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **extra: str,
    ) -> Reply:
        """Send a request; a body that is not bytes becomes JSON. Every response is validated."""
        if headers is None:
            headers = self.management if is_management(method, target) else self.integration
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        more = {name.replace("_", "-"): value for name, value in extra.items()}
        response = self.pool.urlopen(
            method, target, body=body, headers={**headers, **more}, retries=False, redirect=False
        )
        parsed = json.loads(response.data) if response.data else None
        assert_conforms(method, target, response.status, parsed)
        return Reply(response.status, parsed, response.headers)

    def upload(self, target: str, text: str | bytes, *, name: str = "upFile") -> Reply:
        """Send a file as a form does."""
        body, kind = urllib3.encode_multipart_formdata({name: ("file.csv", text)})
        return self.send("POST", target, body, Content_Type=kind)

    def rows(self, target: str) -> list[dict[str, str]]:
        """Return the rows of an export."""
        response = self.pool.request("GET", target, headers=self.management)
        assert (response.status, response.headers["Content-Type"]) == (200, "application/csv")
        return list(csv.DictReader(response.data.decode().splitlines(), strict=True))

    def data(self, target: str, body: Any = None) -> list[Any]:
        """Return the items of a page of a list, or of a search with a body."""
        reply = self.send("GET" if body is None else "POST", target, body)
        assert reply.status == 200, reply.json
        items: list[Any] = reply.json["data"]
        return items

    def session(
        self,
        session_id: str = "order-1",
        *wanted: str,
        query: str = "",
        **session: Any,
    ) -> Reply:
        """Update a V2 session, with `wanted` as its responseContent."""
        body = {"customerSession": session, "responseContent": list(wanted)}
        return self.send("PUT", f"/v2/customer_sessions/{session_id}{query}", body)

    def new_coupon(self, **order: Any) -> Any:
        """Create one coupon and return it."""
        target = "/v1/applications/3/campaigns/12/coupons?silent=no"
        reply = self.send("POST", target, {"numberOfCoupons": 1, **order})
        assert reply.status == 200, reply.json
        return reply.json["data"][0]

    def new_referral(self, **order: Any) -> Any:
        """Create a referral of the advocate `anna` and return it."""
        sent = {"campaignId": 12, "advocateProfileIntegrationId": "anna", **order}
        reply = self.send("POST", "/v1/referrals", sent)
        assert reply.status == 201, reply.json
        return reply.json

    def coupon(self, code: str) -> Any:
        """Return the present state of a coupon."""
        target = "/v1/applications/3/campaigns/12/coupons/no_total?exactMatch=true&value="
        return self.send("GET", target + code).json["data"][0]

    def profile(self, profile_id: str) -> Any:
        """Return the present state of a profile."""
        target = f"/v1/customer_profiles/{profile_id}/inventory?profile=true"
        return self.send("GET", target).json["profile"]

    def close(self) -> None:
        """Close all connections."""
        self.pool.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox with nothing in it but what is built in."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the sandbox of the test."""
    client = Client(sandbox)
    yield client
    client.close()


@pytest.fixture
def client_of() -> Iterator[Any]:
    """A maker of clients for sandboxes that a test starts itself."""
    clients: list[Client] = []

    def make(sandbox: Sandbox) -> Client:
        clients.append(Client(sandbox))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
