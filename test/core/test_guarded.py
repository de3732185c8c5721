"""An argument whose own methods fail is named in the message, whatever its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support import hostile
from support.network import closed_port
from talon_one import ApiClient, Configuration, OpenApiException, effects
from talon_one import webhooks as hooks

# Some hostile values can be read, and are sent.
HOST = f"http://127.0.0.1:{closed_port()}"
CONFIGURATION = Configuration(host=HOST, retries=0)
CLIENT: Any = ApiClient(CONFIGURATION)


def default_set(value: Any) -> None:
    try:
        ApiClient.set_default(value)
    finally:
        ApiClient.set_default(None)


USES: dict[str, Callable[[Any], object]] = {
    "the list of effects": lambda v: effects.discounts(v),
    "the environment": lambda v: Configuration.from_env(v),
    "the default client": default_set,
    "the secret": lambda v: hooks.Receiver(secret_header="X-Key", secret=v),
    "the kind of notification": lambda v: hooks.Receiver(secret_header=None, secret=None).on(v),
    "the name of a credential": lambda v: CONFIGURATION.get_api_key_with_prefix(v),
    "an argument of get_host_from_settings": lambda v: CONFIGURATION.get_host_from_settings(v),
    "an argument of request": lambda v: CLIENT.rest_client.request("GET", HOST, headers=v),
    "an argument of call_api": lambda v: CLIENT.call_api("/v1/x", "GET", query_params=v),
    "an argument of ApiClient": lambda v: ApiClient(CONFIGURATION, "X-Shop", v),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", USES)
def test_the_message_names_what_cannot_be_read(what: str) -> None:
    messages = []
    for value in hostile.values(250):
        try:
            USES[what](value)
        except OpenApiException as refused:
            messages.append(str(refused))
    assert any(each.startswith(f"{what} cannot be read: ") for each in messages)
