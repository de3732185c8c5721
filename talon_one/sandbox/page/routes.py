"""Routes of the page at the door of the sandbox: its files are open, its data take the key."""

from __future__ import annotations

from typing import Final

import talon_one
from talon_one.sandbox.call import Result
from talon_one.sandbox.door import ROOM, Route, Visit
from talon_one.sandbox.page import files, lists, requests
from talon_one.sandbox.page.explanation import explain, find_session
from talon_one.sandbox.page.lists import integer

ABOUT: Final = {"sandbox": "talon_one", "version": talon_one.__version__}
"""What a sandbox says of itself. A deployment has nothing at that path."""


def list_sessions(visit: Visit) -> Result:
    """Return a page of sessions, newest first."""
    return Result(200, lists.sessions(visit.state, visit.query))


def explain_session(visit: Visit) -> Result:
    """Return the explanation of a session."""
    application = integer(visit.query, "applicationId", 0) or None
    session = find_session(visit.state, visit.texts[0], application)
    return Result(200, explain(visit.state, visit.world, session))


def list_requests(visit: Visit) -> Result:
    """Return what was requested since a number."""
    return Result(200, requests.since(visit.world.exchanges, visit.query))


def get_request(visit: Visit) -> Result:
    """Return a request and its response."""
    return Result(200, requests.one(visit.world.exchanges, visit.ids[0]))


def list_coupons(visit: Visit) -> Result:
    """Return a page of coupons, newest first."""
    return Result(200, lists.coupons(visit.state, visit.world, visit.query))


def list_programs(visit: Visit) -> Result:
    """Return the loyalty programs."""
    return Result(200, lists.programs(visit.state))


def list_ledgers(visit: Visit) -> Result:
    """Return a page of the accounts of a loyalty program."""
    return Result(200, lists.ledgers(visit.state, visit.world, visit.ids[0], visit.query))


def get_ledger(visit: Visit) -> Result:
    """Return the balances and entries of an account."""
    return Result(200, lists.ledger(visit.state, visit.world, visit.ids[0], visit.texts[0]))


ROUTES: Final = (
    Route("GET", "sessions", list_sessions),
    Route("GET", "sessions/{sessionId}", explain_session),
    Route("GET", "requests", list_requests),
    Route("GET", "requests/{number:int}", get_request),
    Route("GET", "coupons", list_coupons),
    Route("GET", "programs", list_programs),
    Route("GET", "programs/{programId:int}/ledgers", list_ledgers),
    Route("GET", "programs/{programId:int}/ledgers/{holder}", get_ledger),
)
"""Routes of the data."""


def find_open(path: str) -> Result | None:
    """Return the response for a path that takes no key, None for any other path."""
    name = path.removeprefix(ROOM).removeprefix("/") or "index.html"
    if name in files.FILES:
        return files.file(name)
    return Result(200, ABOUT) if name == "about" else None
