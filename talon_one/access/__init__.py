"""Who calls: the session of a user, and several Applications with a key each."""

from talon_one.access.applications import Applications
from talon_one.access.outcomes import Outcome, Outcomes, SomeFailedError
from talon_one.access.user_session import LoginError, UserSession

__all__ = [
    "Applications",
    "LoginError",
    "Outcome",
    "Outcomes",
    "SomeFailedError",
    "UserSession",
]
