"""The checkout guide is true: against the sandbox, and, beyond it, against scripted responses."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from docs.pages import DOCS, ROOT, Block, Page
from examples import guide
from support.server import Received, RecordingServer, Response
from talon_one.sandbox import Sandbox

_QUICKSTART = ROOT / "talon_one" / "cli" / "quickstart.py"

_BEYOND_THE_SANDBOX = {"Loyalty points", "Gift cards"}


def _effect(effect_type: str, **props: Any) -> dict[str, Any]:
    return {"campaignId": 12, "effectType": effect_type, "props": props}


_POINTS = {"programId": 5, "subLedgerId": "", "transactionUUID": "7d2c"}

# What the platform sends back; the examples of its documentation have this form.
_RESPONSES = {
    "PUT /v2/customer_sessions/order-8": {
        "effects": [
            _effect("addLoyaltyPoints", name="One point per euro", value=44, **_POINTS),
            _effect("deductLoyaltyPoints", name="Pay with points", value=100, **_POINTS),
        ],
        "loyalty": {
            "programs": {
                "5": {
                    "id": 5,
                    "name": "club",
                    "ledger": {"currentBalance": 250, "tentativeCurrentBalance": 194},
                }
            }
        },
    },
    "GET /v1/loyalty_programs/5/profile/anna/balances": {
        "balance": {"activePoints": 250, "pendingPoints": 30}
    },
    "POST /v1/applications/3/campaigns/12/coupons": {
        "totalResultSize": 1,
        "data": [{"id": 1, "value": "GIFT-4F7K2M9Q", "discountLimit": 50}],
    },
    "PUT /v2/customer_sessions/order-9": {
        "effects": [
            _effect("acceptCoupon", value="GIFT-4F7K2M9Q"),
            _effect("setDiscount", name="Gift card", value=50, desiredValue=57),
        ],
        "coupons": [
            {"id": 1, "value": "GIFT-4F7K2M9Q", "discountLimit": 50, "discountRemainder": 50}
        ],
    },
}


def _respond(request: Received) -> Response:
    return Response(body=_RESPONSES[f"{request.method} {request.path}"])


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "guides" / "checkout.md")


@pytest.fixture
def beyond() -> Iterator[RecordingServer]:
    """A server for what the sandbox does not imitate."""
    with RecordingServer(default=_respond) as server:
        yield server


def test_its_code_runs_and_prints_what_it_says(
    page: Page, shop: Sandbox, beyond: RecordingServer
) -> None:
    def prepare(block: Block, names: dict[str, Any]) -> None:
        if "api" in names:
            server = beyond if block.section in _BEYOND_THE_SANDBOX else shop
            names["api"].api_client.configuration.host = server.url

    assert page.sections.keys() >= _BEYOND_THE_SANDBOX
    assert guide.run(page, prepare) == []
    assert {f"{each.method} {each.path}" for each in beyond.requests} == set(_RESPONSES)


def test_its_passages_of_the_quickstart_are_in_the_source_in_this_order(page: Page) -> None:
    passages = re.findall(r"^```python part quickstart\n(.*?)^```$", page.text, re.M | re.S)
    # The statements stand in a function.
    quoted = [textwrap.indent(passage, " " * 4) for passage in passages]
    source = _QUICKSTART.read_text(encoding="utf-8")
    places = [source.find(f"\n{passage}") for passage in quoted]
    assert len(passages) == 5
    assert -1 not in places
    assert places == sorted(places)
