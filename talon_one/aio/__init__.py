"""The asyncio client: the same APIs, models and exceptions as in `talon_one`, awaited.

Needs aiohttp, which ``pip install "talon_one[async]"`` brings.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

try:
    import aiohttp as _aiohttp  # noqa: F401  because all of this package stands on it
except ImportError as _cause:
    raise ImportError('talon_one.aio needs aiohttp: pip install "talon_one[async]"') from _cause

if TYPE_CHECKING:
    from talon_one.aio import bulk as bulk
    from talon_one.aio import checkout as checkout
    from talon_one.aio import credentials as credentials
    from talon_one.aio import download as download
    from talon_one.aio import pagination as pagination
    from talon_one.aio import tables as tables
    from talon_one.aio.api import IntegrationApi as IntegrationApi
    from talon_one.aio.api import ManagementApi as ManagementApi
    from talon_one.aio.client import ApiClient as ApiClient
    from talon_one.aio.endpoint import Api as Api
    from talon_one.aio.gathering import Gathered as Gathered
    from talon_one.aio.gathering import gather as gather
    from talon_one.aio.transport import Transport as Transport

HOME = {
    "Api": "endpoint",
    "ApiClient": "client",
    "Gathered": "gathering",
    "IntegrationApi": "api.integration_api",
    "ManagementApi": "api.management_api",
    "Transport": "transport",
    "gather": "gathering",
}
"""Public names, with the modules that hold them."""

SUBMODULES = frozenset({"bulk", "checkout", "credentials", "download", "pagination", "tables"})
"""Modules that are found as attributes without having been imported."""

__all__ = list(HOME)


def __getattr__(name: str) -> object:
    if name in SUBMODULES:
        return _import_module(f"{__name__}.{name}")
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(_import_module(f"{__name__}.{HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *HOME, *SUBMODULES})
