"""The sales of a profile: what its closed sessions add up to, less what came back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from talon_one.sandbox.consequences import Occasion
from talon_one.sandbox.profiles import sales_key, sessions_key
from talon_one.sandbox.sessions.totals import worth
from talon_one.sandbox.state.journal import Entry
from talon_one.sandbox.values import ZERO

SALE: Final = "sale"


def count_sale(occasion: Occasion) -> None:
    """Add a session that is being closed to the sales of its profile."""
    session = occasion.session
    assert session is not None  # noqa: S101  only sessions are closed
    _write(occasion, session, Decimal(1), worth(session))


def count_return(occasion: Occasion, amount: Decimal) -> None:
    """Take the price of returned items out of the sales of the profile of a session."""
    session = occasion.session
    assert session is not None  # noqa: S101  only sessions have returns
    _write(occasion, session, ZERO, -amount)


def _write(
    occasion: Occasion, session: Mapping[str, Any], sessions: Decimal, amount: Decimal
) -> None:
    profile_id = session["profileId"]
    if not profile_id:
        return
    counters = {sessions_key(profile_id): sessions, sales_key(profile_id): amount}
    occasion.call.state.journal.write(
        Entry(
            kind=SALE,
            target=profile_id,
            amount=amount,
            created=occasion.call.now,
            counters={key: moved for key, moved in counters.items() if moved},
            session_id=session["id"],
            profile_id=profile_id,
        )
    )
