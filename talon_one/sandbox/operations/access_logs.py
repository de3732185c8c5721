"""Logs of the calls of the Integration API, from the log of exchanges."""

from __future__ import annotations

import re
import uuid
from typing import Final

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.contract.operations import integration_methods
from talon_one.sandbox.errors import Problem, invalid
from talon_one.sandbox.exchanges import Exchange
from talon_one.sandbox.operations.lists import respond
from talon_one.sandbox.state.documents import Document


def get_access_logs(call: Call) -> Result:
    """Handle getAccessLogs and getAccessLogsWithoutTotalCount: oldest first."""
    query = call.query
    start, end = query["rangeStart"], query["rangeEnd"]
    path = _pattern(query.get("path") or "")
    log = call.world.exchanges
    found = []
    for each in log:
        succeeded = "success" if 0 < each.status < 400 else "error"
        if (
            each.status
            and each.operation in integration_methods()
            and start <= each.moment <= end
            and query.get("method") in (None, each.method.lower())
            and query.get("status") in (None, succeeded)
            and path.search(each.target)
        ):
            found.append(_entry(each, log.cleared))
    return respond(call, found)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as cause:
        details = "path is no regular expression"
        raise invalid(Problem("Invalid", details, parameter="path")) from cause


def _entry(exchange: Exchange, generation: int) -> Document:
    return {
        # The same each time that it is read.
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{generation}/{exchange.number}")),
        "status": exchange.status,
        "method": exchange.method,
        "requestUri": exchange.target,
        "time": exchange.moment,
        "requestPayload": exchange.content.decode("utf-8", "replace"),
        "responsePayload": exchange.response_content.decode("utf-8", "replace"),
    }


OPERATIONS: Final = {
    "getAccessLogs": get_access_logs,
    "getAccessLogsWithoutTotalCount": get_access_logs,
}
