"""Every operation that the sandbox handles, by operation ID."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from talon_one.sandbox.call import Call, Result
from talon_one.sandbox.operations import (
    access_logs,
    account,
    achievement_definitions,
    achievements,
    analytics,
    audience_lists,
    audiences,
    campaigns,
    cards,
    catalogs,
    codes,
    collections,
    coupon_changes,
    coupon_files,
    coupons,
    customers,
    definitions,
    event_reads,
    events,
    legacy,
    loyalty,
    loyalty_files,
    loyalty_statistics,
    message_logs,
    profiles,
    referrals,
    reports,
    rulesets,
    session_reads,
    sessions,
    storefront,
    stores,
)

Handler: TypeAlias = Callable[[Call], Result]

_MODULES: Final = (
    access_logs,
    account,
    achievement_definitions,
    achievements,
    analytics,
    audience_lists,
    audiences,
    campaigns,
    cards,
    catalogs,
    codes,
    collections,
    coupon_changes,
    coupon_files,
    coupons,
    customers,
    definitions,
    event_reads,
    events,
    legacy,
    loyalty,
    loyalty_files,
    loyalty_statistics,
    message_logs,
    profiles,
    referrals,
    reports,
    rulesets,
    session_reads,
    sessions,
    storefront,
    stores,
)

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {name: handler for module in _MODULES for name, handler in module.OPERATIONS.items()}
)
