"""Credentials: sessions of users that renew themselves, and several Applications.

`Login` signs a user in for the Management API. `Applications` holds an `IntegrationApi` for each
Application of a shop. Their asyncio twins are in `talon_one.aio.credentials`.
"""

from talon_one.credentials.applications import Applications, Outcome
from talon_one.credentials.login import Login

__all__ = ["Applications", "Login", "Outcome"]
