"""Calls of deprecated methods, for type checkers: each is to be reported; it is never run."""

from __future__ import annotations

from talon_one import IntegrationApi, aio

blocking = IntegrationApi()
awaited = aio.IntegrationApi()


async def main() -> None:
    blocking.update_customer_session("s", {})
    blocking.update_customer_session_with_http_info("s", {})
    await awaited.update_customer_session("s", {})
    await awaited.update_customer_session_without_preload_content("s", {})
    blocking.update_customer_session_v2("s", {})
