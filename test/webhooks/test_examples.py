"""The examples for Flask and FastAPI receive notifications."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from docs.pages import ROOT
from webhooks.messages import message

_FOLDER = ROOT / "examples"


def application(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the application of an example, with secrets from the environment."""
    monkeypatch.setenv("WEBHOOK_SECRET", "old new")
    return runpy.run_path(str(_FOLDER / f"{name}_webhooks" / "app.py"))["create_app"]()


def post(app: Any, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """Post a webhook to an application, and return status and body of the response."""
    if isinstance(app, Flask):
        response = app.test_client().post("/talon-one", data=body, headers=dict(headers))
        return response.status_code, response.text
    return asyncio.run(_post_asgi(app, headers, body))


async def _post_asgi(app: Any, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    # The test client of Starlette depends on different HTTP clients in different releases.
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/talon-one",
        "raw_path": b"/talon-one",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 9),
    }
    # Two pieces, like a long body.
    pieces = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await app(scope, receive, send)
    start, *rest = sent
    return start["status"], b"".join(event.get("body", b"") for event in rest).decode()


def coupon() -> dict[str, Any]:
    found = message("CreateCouponData", "CouponCreated")
    found["data"] = [{**found["data"][0], "recipientIntegrationId": "ann", "value": "TEN-OFF"}]
    return found


def state_change() -> dict[str, Any]:
    found = message("CampaignStateChangedNotification", "CampaignNotification")
    found["Data"] = [{**found["Data"][0], "oldState": "disabled", "newState": "running"}]
    found["Data"][0]["campaign"]["name"] = "Sale"
    return found


def upgrade() -> dict[str, Any]:
    found = message("TierUpgradeNotification", "TierUpgrade")
    found["Data"] = [{**found["Data"][0], "CustomerProfileID": "ann", "CurrentTier": "Gold"}]
    return found


def points(type: str, operation: str) -> dict[str, Any]:
    found = message("AddedDeductedPointsNotification", type)
    return {**found, "ProfileIntegrationID": "ann", "Amount": 5.0, "Operation": operation}


FACTS = [
    ("flask", coupon(), "ann gets the coupon TEN-OFF\n"),
    ("flask", state_change(), "Sale: disabled -> running\n"),
    ("fastapi", upgrade(), "ann has reached Gold\n"),
    ("fastapi", points("LoyaltyPointsAdded", "addition"), "ann: +5 points\n"),
    ("fastapi", points("LoyaltyPointsDeducted", "subtraction"), "ann: -5 points\n"),
]


@pytest.mark.parametrize(("name", "sent", "printed"), FACTS)
def test_an_example_handles_a_notification_once(
    name: str,
    sent: dict[str, Any],
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = json.dumps(sent).encode()
    app = application(name, monkeypatch)
    for secret, reply in (("new", "handled"), ("old", "duplicate")):
        headers = {"x-webhook-secret": secret, "x-uuid": "1"}
        assert post(app, headers, body) == (200, reply)
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(("name", "sent", "printed"), FACTS)
def test_an_example_accepts_null_everywhere(
    name: str, sent: dict[str, Any], printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(name, monkeypatch)
    key = "Data" if "Data" in sent else "data"
    items = sent.get(key) or [{}]
    # Keep the property that identifies the class.
    nothing = {wire: value if wire == "Event" else None for wire, value in items[0].items()}
    envelope = {wire: value if wire == "NotificationType" else None for wire, value in sent.items()}
    for data in ([nothing], [], None):
        body = json.dumps({**envelope, key: data}).encode()
        response = post(app, {"x-webhook-secret": "new"}, body)
        assert response in ((200, "handled"), (200, "ignored"))


@pytest.mark.parametrize("name", ["flask", "fastapi"])
def test_an_example_refuses_wrong_secrets_and_malformed_bodies(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(name, monkeypatch)
    assert post(app, {}, b"{}") == (401, "unauthorized")
    assert post(app, {"X-Webhook-Secret": "old new"}, b"{}") == (401, "unauthorized")
    status, text = post(app, {"X-Webhook-Secret": "old"}, b"[]")
    assert (status, text) == (400, "the body of the webhook is a JSON array, not an object")
    assert post(app, {"X-Webhook-Secret": "old"}, b"{}") == (200, "ignored")


@pytest.mark.parametrize("name", ["flask", "fastapi"])
def test_an_example_does_not_start_without_a_secret(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"WEBHOOK_SECRET": ""})
    create_app = runpy.run_path(str(_FOLDER / f"{name}_webhooks" / "app.py"))["create_app"]
    with pytest.raises(ValueError, match="there is no secret for the header X-Webhook-Secret"):
        create_app()


def test_every_example_with_a_folder_is_tested() -> None:
    folders = {path.name for path in _FOLDER.iterdir() if path.is_dir()} - {"__pycache__"}
    assert {name for name in folders if name.endswith("_webhooks")} == {
        "flask_webhooks",
        "fastapi_webhooks",
    }
