"""Whatever is handed to what stands beside the APIs, nothing but our own exceptions comes of it."""

from __future__ import annotations

from typing import Any

import talon_one
from support.hostile import assert_ours
from support.network import closed_port
from talon_one import ApiClient, Configuration, IntegrationApi, bulk, effects, tables, webhooks


def test_webhooks() -> None:
    receive: Any = webhooks.Receiver
    everything: Any = receive(secret_header=None, secret=None)
    guarded: Any = receive(secret_header="X-Secret", secret="a")
    assert_ours(
        {
            "parse": webhooks.parse,
            "parse a dict": lambda v: webhooks.parse({"NotificationType": v, "Data": v}),
            "parse with headers": lambda v: webhooks.parse(
                b"{}", v, secret_header="X-Secret", secret="a"
            ),
            "secret": lambda v: receive(secret_header="X-Secret", secret=v),
            "secret_header": lambda v: receive(secret_header=v, secret="a"),
            "handlers": lambda v: receive(secret_header=None, secret=None, handlers=v),
            "body": lambda v: everything({}, v),
            "headers": lambda v: guarded(v, b"{}"),
            "on": lambda v: everything.on(v),
        },
        count=300,
    )


def test_pages_effects_tables_and_bulk() -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    keys = {"api_key_v1": "i", "management_key": "m"}
    api: Any = talon_one.ManagementApi(ApiClient(Configuration(host, keys, retries=False)))
    integration: Any = IntegrationApi(api.api_client)
    handler: Any = effects.EffectHandler()
    assert_ours(
        {
            "iterate": lambda v: api.iterate(v),
            "pages": lambda v: api.pages(v),
            "arguments": lambda v: api.iterate(api.get_applications, page_size=v),
            "stream": lambda v: api.stream(v),
            "table": lambda v: api.table(v),
            "tables.check": lambda v: tables.check(v, []),
            "rows": lambda v: tables.check(api.import_coupons, v),
            "a row": lambda v: tables.check(api.import_coupons, [{"value": v, "startdate": v}]),
            "upload": lambda v: tables.upload(api.import_coupons, 1, 2, v),
            "codes": effects.codes,
            "discounts": effects.discounts,
            "rolled_back": effects.rolled_back,
            "difference": lambda v: effects.difference(v, []),
            "on": lambda v: handler.on(v),
            "dispatch": lambda v: handler.dispatch(v),
            "bulk": lambda v: bulk.upsert_profiles(integration, v),
            "a row of bulk": lambda v: bulk.upsert_profiles(integration, [v]),
        },
        count=250,
    )
