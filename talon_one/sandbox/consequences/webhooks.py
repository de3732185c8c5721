"""Webhooks that effects trigger: filled and queued here, sent by `delivery`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from talon_one.sandbox import json_text
from talon_one.sandbox.consequences.occasion import Occasion
from talon_one.sandbox.rules.compiled import EvaluationError
from talon_one.sandbox.rules.outcome import Consequence
from talon_one.sandbox.rules.payloads import fill
from talon_one.sandbox.state.documents import Document

PENDING: Final = "pending"
FAILED: Final = "failed"


def queue(occasion: Occasion, consequence: Consequence) -> Mapping[str, Any]:
    """Queue the request of a webhook, with the parameters of the rule in its placeholders.

    A webhook that does not exist or is switched off sends nothing.
    """
    call = occasion.call
    webhook = call.state.webhooks.get(int(consequence.target))
    if webhook is None or not webhook.get("enabled", True):
        return {}
    message = {
        "created": call.now,
        "webhookId": webhook["id"],
        "applicationId": call.application_id,
        "campaignId": consequence.campaign_id,
        "uuid": call.world.uuid(),
        "verb": webhook.get("verb") or "POST",
        "attempts": 0,
        **_request(webhook, consequence.details.get("params") or {}),
    }
    return {"messageId": call.state.messages.add(message)["id"]}


def _request(webhook: Document, params: Mapping[str, Any]) -> Document:
    payload = webhook.get("payload")
    try:
        return {
            "url": _text(webhook["url"], params),
            "headers": [_text(header, params) for header in webhook.get("headers") or ()],
            "body": json_text.write(fill(payload, params)).decode() if payload else "",
            "status": PENDING,
        }
    except EvaluationError as cause:
        # The rule has had its effect; what cannot be sent is seen in the log of messages.
        return {
            "url": webhook["url"],
            "headers": [],
            "body": "",
            "status": FAILED,
            "error": str(cause),
        }


def _text(template: str, params: Mapping[str, Any]) -> str:
    return str(fill(json.dumps(template), params))
