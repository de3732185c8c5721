"""Chromium without a window, a sandbox with a shop, and pages that watch what they load."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from talon_one.sandbox import Sandbox

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
# Nothing of it may call home. It runs as root in containers, where its own sandbox cannot.
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        yield browser
        browser.close()


class Shop:
    """A sandbox, and what a shop does with it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def send(self, method: str, target: str, body: Any = None, key: str = "") -> Any:
        """Send a request and return the JSON of its response."""
        headers = {"Authorization": key or f"ApiKey-v1 {self.sandbox.api_key}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.sandbox.url + target, data=data, headers=headers, method=method
        )
        with urllib.request.urlopen(request) as reply:
            content = reply.read()
        return json.loads(content) if content else None

    def session(self, session_id: str, **session: Any) -> Any:
        """Update a session."""
        target = f"/v2/customer_sessions/{quote(session_id, safe='')}"
        return self.send("PUT", target, {"customerSession": session})

    def order(self, session_id: str = "order-1001") -> None:
        """Make an order of which every kind of explanation has something to say."""
        self.session(
            session_id,
            profileId="cust-anna",
            couponCodes=["WELCOME10", "SUMMER"],
            cartItems=[
                {"sku": "COAT-7", "name": "Winter coat", "quantity": 3, "price": 40.0},
                {"sku": "HAT-2", "name": "Felt hat", "quantity": 1, "price": 12.0},
            ],
            additionalCosts={"shipping": {"price": 4.9}},
        )

    def manage(self, method: str, target: str, body: Any = None) -> Any:
        """Send a request with the Management key."""
        key = f"ManagementKey-v1 {self.sandbox.management_key}"
        return self.send(method, target, body, key)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose clock stands."""
    with Sandbox(seed="fashion", clock="2026-11-01T09:00:00Z") as sandbox:
        yield Shop(sandbox)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile of the browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, shop: Shop) -> Iterator[Page]:
    """The page with its key; in the end nothing has failed, and nobody else was asked."""
    page = context.new_page()
    loaded: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        # That a status is an error is a complaint of the browser, and what some tests want.
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and "status of" not in message.text
            else None
        ),
    )
    page.goto(shop.sandbox.page_url)
    page.get_by_role("heading", level=1).wait_for()
    yield page
    assert complaints == []
    assert [url for url in loaded if not url.startswith(shop.sandbox.url + "/_sandbox")] == []
    assert [url for url in loaded if shop.sandbox.management_key in url.partition("#")[0]] == []
