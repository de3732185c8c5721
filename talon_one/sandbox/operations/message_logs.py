"""Logs of the messages that webhooks of rules were sent with."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.operations.lists import numbers, respond, within
from talon_one.sandbox.state.documents import Document

PAGE_SIZE: Final = 50
_PERIODS: Final = {"15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440, "2d": 2880}
"""Minutes of each period."""


def get_message_logs(call: Call) -> Result:
    """Handle getMessageLogs: oldest first, and webhooks alone, for there are no notifications."""
    query = call.query
    after = _read_cursor(query.get("cursor"))
    found = [each for each in _messages(call) if each["id"] > after and _passes(call, each)]
    body: Document = {"data": [_entry(call, each) for each in found[:PAGE_SIZE]]}
    if len(found) > PAGE_SIZE:
        body["nextCursor"] = _cursor(found[PAGE_SIZE - 1]["id"])
    return Result(200, body)


def _passes(call: Call, message: Document) -> bool:
    query = call.query
    status = _status(message)
    since = _beginning(call)
    successful = query.get("isSuccessful")
    return (
        query["entityType"] == "webhook"
        and not query.get("changeType")
        and not query.get("notificationIDs")
        and query.get("loyaltyProgramId") is None
        and query.get("messageID") in (None, "", message["uuid"])
        and query.get("responseCode") in (None, status)
        and (not query.get("webhookIDs") or message["webhookId"] in numbers(query["webhookIDs"]))
        and (since is None or message["created"] >= since)
        and (successful is None or (status is not None and (status < 300) is successful))
    )


def _entry(call: Call, message: Document) -> Document:
    webhook = call.state.webhooks.get(message["webhookId"]) or {}
    entry: Document = {
        "id": message["uuid"],
        "service": "WebhookService",
        "webhookId": message["webhookId"],
        "webhookName": webhook.get("title", ""),
        "createdAt": message["created"],
        "entityType": "webhook",
        "url": message["url"],
        "request": {"createdAt": message["created"], "request": _base64(message["body"])},
        **{name: message[name] for name in ("applicationId", "campaignId") if message.get(name)},
    }
    if message["attempts"]:
        entry["response"] = {"createdAt": message["created"], "response": ""}
        if _status(message) is not None:
            entry["response"]["status"] = _status(message)
        else:
            entry["response"]["response"] = _base64(message.get("response", ""))
    return entry


def _beginning(call: Call) -> str | None:
    """Return the moment at which the period of a query begins, if it has one."""
    period = call.query.get("period")
    if period is None:
        return None
    now = datetime.fromisoformat(call.now.removesuffix("Z"))
    return f"{(now - timedelta(minutes=_PERIODS[period])).isoformat('T', 'microseconds')}Z"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _cursor(number: int) -> str:
    return _base64(json.dumps({"id": number}))


def _read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(json.loads(base64.b64decode(text, validate=True))["id"])
    except (ValueError, TypeError, KeyError, RecursionError) as cause:
        raise invalid(Problem("Invalid", "cursor is none of a response", parameter="cursor")) from (
            cause
        )


def get_webhook_logs(call: Call) -> Result:
    """Handle getWebhookLogs, deprecated: oldest first."""
    wanted = call.query.get("status")
    found = []
    for message in _messages(call):
        entry = _legacy_entry(message)
        successful = "success" if 0 < (entry.get("status") or 0) < 400 else "error"
        if (
            call.query.get("webhookId") in (None, message["webhookId"])
            and call.query.get("requestUuid") in (None, "", message["uuid"])
            and wanted in (None, successful)
        ):
            found.append(entry)
    return respond(call, found)


def _legacy_entry(message: Document) -> Document:
    entry: dict[str, Any] = {
        "id": message["uuid"],
        "integrationRequestUuid": message["uuid"],
        "webhookId": message["webhookId"],
        "url": message["url"],
        "request": message["body"],
        "requestTime": message["created"],
    }
    if message.get("applicationId"):
        entry["applicationId"] = message["applicationId"]
    if message["attempts"]:
        status = _status(message)
        entry |= {"response": "", "responseTime": message["created"]}
        entry |= {"status": status} if status is not None else {"response": message["response"]}
    return entry


def _messages(call: Call) -> Iterator[Document]:
    """Yield the messages of an Application, a campaign and a time, oldest first."""
    query = call.query
    for message in call.state.messages.each():
        if (
            within(call, "created", message["created"])
            and query.get("applicationId") in (None, message.get("applicationId"))
            and query.get("campaignId") in (None, message.get("campaignId"))
        ):
            yield message


def _status(message: Document) -> int | None:
    """Return the status of the response, if there was one."""
    text = str(message.get("response", ""))
    return int(text) if text.isdecimal() else None


OPERATIONS: Final = {
    "getMessageLogs": get_message_logs,
    "getWebhookLogs": get_webhook_logs,
}
