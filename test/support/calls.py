"""Calls of every kind that retries distinguish, and clients that do not wait between attempts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support import shells
from talon_one import NULL, ApiClient, Configuration, IntegrationApi, ManagementApi

KEYS = {"api_key_v1": "integration-secret", "management_key": "management-secret"}


@dataclass(frozen=True)
class Kind:
    """A call, and what may be done with it."""

    name: str
    make: Callable[..., Any]
    """Makes it, given a client and settings of the call."""
    safe: bool
    """Whether it may be retried after the server may have executed it."""
    keyed: bool = False
    """Whether it has an ``Idempotency-Key``."""

    def __call__(self, client: ApiClient, **settings: Any) -> Any:
        return self.make(client, **settings)

    def __str__(self) -> str:
        return self.name


def _session(client: ApiClient, **settings: Any) -> Any:
    return IntegrationApi(client).update_customer_session_v2(
        "order-1", {"customerSession": {}}, **settings
    )


READ = Kind(
    "GET",
    lambda client, **settings: IntegrationApi(client).get_customer_session("order-1", **settings),
    safe=True,
)
SEARCH = Kind(
    "POST that only searches",
    lambda client, **settings: ManagementApi(client).get_customers_by_attributes(
        {"attributes": {}}, **settings
    ),
    safe=True,
)
REPLACE = Kind(
    "PUT that replaces",
    lambda client, **settings: ManagementApi(client).update_campaign(
        3, 12, {"name": "a", "tags": [], "features": [], "limits": []}, **settings
    ),
    safe=True,
)
DELETE = Kind(
    "DELETE",
    lambda client, **settings: ManagementApi(client).delete_campaign(3, 12, **settings),
    safe=True,
)
CHECKOUT = Kind("PUT with a key", _session, safe=True, keyed=True)
EVENT = Kind(
    "POST with a key",
    lambda client, **settings: IntegrationApi(client).track_event_v2(
        {"profileId": "anna", "type": "a", "attributes": {}}, **settings
    ),
    safe=True,
    keyed=True,
)
KEYLESS = Kind(
    "PUT whose key was declined",
    lambda client, **settings: _session(client, idempotency_key=NULL, **settings),
    safe=False,
)
CREATE = Kind(
    "POST",
    lambda client, **settings: IntegrationApi(client).create_referral(
        {"campaignId": 12, "advocateProfileIntegrationId": "anna"}, **settings
    ),
    safe=False,
)
CREDIT = Kind(
    "PUT that adds",
    lambda client, **settings: ManagementApi(client).add_loyalty_points(
        "1", "anna", {"points": 10}, **settings
    ),
    safe=False,
)

KINDS = (READ, SEARCH, REPLACE, DELETE, CHECKOUT, EVENT, KEYLESS, CREATE, CREDIT)
SAFE = tuple(kind for kind in KINDS if kind.safe)
UNSAFE = tuple(kind for kind in KINDS if not kind.safe)


def make_client(host: str, pauses: list[float] | None = None, **settings: Any) -> ApiClient:
    """Return a client that makes no pauses, but notes them.

    It is one of the shell whose turn it is.

    Args:
        host: Address of the server.
        pauses: Where the pauses are noted.
        settings: Attributes of its configuration.
    """
    configuration = Configuration(host=host, api_key=KEYS)
    for name, value in settings.items():
        setattr(configuration, name, value)
    client = shells.new_client(configuration)
    client.clock = client.clock._replace(sleep=(pauses if pauses is not None else []).append)
    return client
