"""Management operations on the account: signing in, its one user, exports, the audit log."""

from __future__ import annotations

from typing import Any, Final

from talon_one.sandbox.access import MANAGEMENT
from talon_one.sandbox.call import NO_CONTENT, Call, Result
from talon_one.sandbox.errors import Problem, invalid, not_found, unauthorized
from talon_one.sandbox.operations.entities import Kind, anywhere
from talon_one.sandbox.operations.lists import contains, respond, within
from talon_one.sandbox.profiles import ACCOUNT_ID, USER_ID
from talon_one.sandbox.shapes import frontend_state
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.values import hours_before
from talon_one.sandbox.world import ALPHABET

EMAIL: Final = "sandbox@example.com"
VALID_HOURS: Final = 90 * 24
TOKEN: Final = "#" * 48
SESSION: Final = "#" * 16
"""Patterns of tokens, and of what tells the sessions apart that they belong to."""


def create_session(call: Call) -> Result:
    """Handle createSession: the password is a Management key, the email address is any."""
    key = call.state.key(MANAGEMENT, call.body["password"])
    if key is None or key.document.get("expiryDate", call.now) < call.now:
        raise unauthorized()
    token, name = (call.world.code(pattern, ALPHABET) for pattern in (TOKEN, SESSION))
    expiry = hours_before(call.now, -VALID_HOURS)
    call.state.add_key(MANAGEMENT, token, document={"session": name, "expiryDate": expiry})
    return Result(201, {"userId": USER_ID, "token": token, "created": call.now})


def destroy_session(call: Call) -> Result:
    """Handle destroySession: the token of the request is no longer valid."""
    if "session" not in call.key.document:
        details = "the request carries a Management key, not the token of a session"
        raise invalid(Problem("Invalid", details, parameter="Authorization"))
    call.state.delete_keys(call.key.document)
    return NO_CONTENT


def _user(call: Call) -> Document:
    since = min((each["created"] for each in call.state.applications.each()), default=call.now)
    return {
        "id": USER_ID,
        "created": since,
        "modified": since,
        "email": EMAIL,
        "accountId": ACCOUNT_ID,
        "name": "Sandbox",
        "state": "active",
        "inviteToken": "",
        "isAdmin": True,
        "policy": {},
        "roles": [],
    }


def get_users(call: Call) -> Result:
    """Handle getUsers: there is one."""
    return respond(call, [_user(call)])


def get_user(call: Call) -> Result:
    """Handle getUser."""
    if call.ids["userId"] != USER_ID:
        raise not_found("User")
    return Result(200, _user(call))


def _export_passes(call: Call, export: Document) -> bool:
    made: dict[str, Any] = export["filter"]
    return all(
        call.query.get(name) in (None, value)
        for name, value in (
            ("entity", export["entity"]),
            ("applicationId", made.get("applicationId")),
            ("campaignId", made.get("campaignId")),
        )
    )


def get_account(call: Call) -> Result:
    """Handle getAccount."""
    if call.ids["accountId"] != ACCOUNT_ID:
        raise not_found("Account")
    states = [frontend_state(each, call.now) for each in call.state.campaigns.each()]
    since = _user(call)["created"]
    return Result(
        200,
        {
            "id": ACCOUNT_ID,
            "created": since,
            "modified": since,
            "companyName": "Sandbox",
            "domainName": "sandbox",
            "state": "active",
            "billingEmail": EMAIL,
            "applicationCount": call.state.applications.count(),
            "userCount": 1,
            "campaignsActiveCount": states.count("running"),
            "campaignsInactiveCount": len(states) - states.count("running"),
        },
    )


def _change_passes(call: Call, change: Document) -> bool:
    query = call.query
    return (
        query.get("applicationId") in (None, change["applicationId"])
        and contains(call, "entityPath", change["entity"])
        and query.get("userId") in (None, change["userId"])
        and within(call, "created", change["created"])
        # Keys of the sandbox have no IDs.
        and query.get("managementKeyId") is None
    )


def _change_view(call: Call, change: Document) -> Document:
    return {**change, "old": None} if call.query.get("includeOld") is False else change


CHANGES: Final = Kind(
    "changes", "Change", "changeId", owner=anywhere, passes=_change_passes, view=_change_view
)
EXPORTS: Final = Kind("exports", "Export", "exportId", owner=anywhere, passes=_export_passes)

OPERATIONS: Final = {
    "createSession": create_session,
    "destroySession": destroy_session,
    "getUsers": get_users,
    "getUser": get_user,
    "getAccount": get_account,
    "getExports": EXPORTS.list,
    "getChanges": CHANGES.list,
}
