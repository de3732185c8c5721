"""A session is explained: its discounts per unit, its codes, and which block of a rule failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one
from sandbox.conftest import Client
from talon_one import effects as sdk_effects
from talon_one.sandbox import Sandbox
from talon_one.sandbox.page.effects import cart_of, codes_of, others_of
from talon_one.sandbox.page.explanation import MAX_EFFECTS, NO_RECORD
from talon_one.sandbox.page.reasons import EXCLUSIONS, REASONS, sentence_of
from talon_one.sandbox.state.state import State

COATS = {"sku": "COAT-7", "name": "Coat", "quantity": 3, "price": 40.0}


@pytest.fixture(scope="module")
def shop() -> Iterator[Client]:
    with Sandbox(seed="fashion", clock="2026-11-01T09:00:00Z") as running:
        client = Client(running)
        yield client
        client.close()


def explained(client: Client, session_id: str, query: str = "") -> Any:
    reply = client.send("GET", f"/_sandbox/sessions/{session_id}{query}")
    assert reply.status == 200, reply.json
    return reply.json


def change_campaign(client: Client, **change: Any) -> None:
    body = {"name": "Welcome", "tags": [], "features": ["coupons"], "limits": [], **change}
    reply = client.send("PUT", "/v1/applications/3/campaigns/12", body)
    assert reply.status == 200, reply.json


def rules(found: Any) -> dict[str, Any]:
    """Return the runs of rules by their titles."""
    return {run["title"]: run for each in found["rules"] for run in each["rules"]}


def test_a_session_is_explained_from_its_cart_to_its_points(shop: Client) -> None:
    reply = shop.session(
        "whole",
        profileId="cust-anna",
        cartItems=[COATS, {"sku": "HAT", "quantity": 1, "price": 12}],
        couponCodes=["WELCOME10", "NOPE"],
        additionalCosts={"shipping": {"price": 4.9}},
    )
    found = explained(shop, "whole")
    [coats, hat] = found["cart"]["items"]
    assert (coats["discount"], coats["discounts"][0]["units"]) == (36, [[0, 2]])
    assert coats["discounts"][0]["campaign"] == "Mid-season sale"
    assert (hat["total"], hat["discount"]) == (12, 0)
    [shipping] = found["cart"]["costs"]
    assert (shipping["name"], shipping["discount"]) == ("shipping", 4.9)
    assert [each["coupon"] for each in found["cart"]["session"]] == ["WELCOME10"]
    total = sdk_effects.discounts(talon_one.IntegrationStateV2.from_dict(reply.json)).total
    assert found["cart"]["totals"] == {
        "items": 132,
        "costs": 4.9,
        "total": 136.9,
        "discount": float(total),
        "payable": 86.4,
    }
    [welcome, nope] = found["codes"]
    assert (welcome["code"], welcome["accepted"]) == ("WELCOME10", True)
    assert (nope["reason"], nope["sentence"]) == ("CouponNotFound", REASONS["CouponNotFound"])
    assert found["evaluation"] == {
        "event": "talon_session_created",
        "created": "2026-11-01T09:00:00.000000Z",
    }
    assert rules(found)["Two points for each euro"]["finding"]["values"] == [
        {"name": "tier of the profile", "value": "Linen"}
    ]
    lost = next(each for each in found["rules"] if each.get("excluded"))
    assert lost["sentence"] == EXCLUSIONS["CampaignGaveLowerDiscount"]
    assert [each["reason"] for each in found["notEvaluated"]] == ["It runs in other stores only."]
    assert found["points"][0]["ledgers"][0]["activePoints"] == 800
    assert {"addLoyaltyPoints"} < {each["type"] for each in found["effects"]}


def test_a_dry_run_does_not_replace_the_explanation(shop: Client) -> None:
    shop.session("kept", cartItems=[COATS])
    before = explained(shop, "kept")
    shop.session("kept", query="?dry=true", cartItems=[])
    assert explained(shop, "kept") == before
    shop.session("kept", cartItems=[])
    assert explained(shop, "kept")["cart"]["items"] == []
    assert explained(shop, "kept")["evaluation"]["event"] == "talon_session_updated"


def test_what_closed_a_session_still_explains_it_when_it_is_cancelled(shop: Client) -> None:
    who = {"profileId": "cust-zoe"}
    shop.session("over", cartItems=[COATS], couponCodes=["WELCOME10"], state="closed", **who)
    shop.session("over", state="cancelled", **who)
    found = explained(shop, "over")
    assert found["session"]["state"] == "cancelled"
    assert found["codes"] == [{"kind": "coupon", "code": "WELCOME10", "accepted": None}]
    assert found["evaluation"]["event"] == "talon_session_closed"


def test_a_return_explains_the_campaigns_that_it_evaluates_again(api: Client) -> None:
    change_campaign(api, reevaluateOnReturn=True)
    api.session(
        "order-1",
        cartItems=[{"sku": "A", "quantity": 6, "price": 10}],
        state="closed",
        additionalCosts={"shipping": {"price": 4}},
    )
    assert rules(explained(api, "order-1"))["Free shipping"]["passed"] is True
    body = {"return": {"returnedCartItems": [{"position": 0, "quantity": 2}]}}
    returned = "/v2/customer_sessions/order-1/returns?runRuleEngine=true"
    assert api.send("POST", returned, body).status == 200
    found = explained(api, "order-1")
    assert found["evaluation"]["event"] == "talon_session_partially_returned"
    assert found["cart"]["items"][0]["returned"] == 2
    [value] = rules(found)["Free shipping"]["finding"]["values"]
    assert value == {"name": "$Session.CartItemTotal", "value": 40}


def test_campaigns_that_do_not_run_are_listed_with_the_reason(api: Client) -> None:
    sent: list[tuple[dict[str, Any], str]] = [
        ({"state": "disabled"}, "It is disabled."),
        ({"state": "enabled", "startTime": "2999-01-01T00:00:00Z"}, "It starts at 2999-01-01"),
        (
            {"startTime": "2001-01-01T00:00:00Z", "endTime": "2002-01-01T00:00:00Z"},
            "It ended at 2002",
        ),
    ]
    for change, reason in sent:
        change_campaign(api, **change)
        api.session("order-1", couponCodes=["TEN-OFF"])
        found = explained(api, "order-1")
        assert found["notEvaluated"][0]["reason"].startswith(reason)
        assert found["codes"][0]["reason"] == "CouponPartOfNotRunningCampaign"
        assert (found["rules"], found["notEvaluated"][0]["id"]) == ([], 12)
    change_campaign(api, startTime="2001-01-01T00:00:00Z", endTime="2998-01-01T00:00:00Z")
    assert "though it runs now" in explained(api, "order-1")["notEvaluated"][0]["reason"]


def forget(state: State) -> None:
    state._connection.execute("DELETE FROM evaluations")


def test_a_database_that_is_opened_again_still_explains_its_sessions(
    tmp_path: Path, client_of: Any
) -> None:
    file = tmp_path / "state.db"
    with Sandbox(database=file) as first:
        client_of(first).session("order-1", couponCodes=["TEN-OFF"])
        before = explained(client_of(first), "order-1")
    with Sandbox(database=file) as again:
        after = explained(client_of(again), "order-1")
        assert {**after, "now": ""} == {**before, "now": ""}
        again._change(forget)
        without = explained(client_of(again), "order-1")
    assert (without["evaluation"], without["note"], without["rules"]) == (None, NO_RECORD, [])
    assert without["codes"] == before["codes"]


def test_sessions_that_are_not_there_are_refused_in_a_sentence(api: Client) -> None:
    api.session("order-1")

    def refused(path: str) -> tuple[int, str]:
        reply = api.send("GET", f"/_sandbox/sessions/{path}")
        return reply.status, reply.json["message"]

    hint = "The sandbox has no session 'ordre-1'. Did you mean 'order-1'?"
    assert refused("ordre-1") == (404, hint)
    assert refused("x?applicationId=3")[1] == (
        "The sandbox has no session 'x' in the Application 3."
    )
    assert len(refused("y" * 1000)[1]) < 200


def test_of_sessions_with_one_id_the_application_decides(client_of: Any) -> None:
    keys = [{"name": "One", "keys": ["first"]}, {"name": "Two", "keys": ["second"]}]
    with Sandbox(seed={"applications": keys}) as running:
        client = client_of(running)
        for key in ("first", "second"):
            headers = {"Authorization": f"ApiKey-v1 {key}"}
            body = {"customerSession": {"profileId": key}}
            client.send("PUT", "/v2/customer_sessions/same", body, headers=headers)
        reply = client.send("GET", "/_sandbox/sessions/same")
        assert reply.status == 409
        assert "The Applications 1, 2 each have a session 'same'" in reply.json["message"]
        found = [explained(client, "same", f"?applicationId={each}") for each in (1, 2)]
        listed = client.send("GET", "/_sandbox/sessions").json["data"]
    assert [each["session"]["profileId"] for each in found] == ["first", "second"]
    assert [each["application"] for each in listed] == ["Two", "One"]


def test_a_cart_of_a_thousand_items_is_explained_as_a_whole(shop: Client) -> None:
    items = [{**COATS, "sku": f"COAT-{number}", "price": 5} for number in range(1000)]
    shop.session("large", profileId="cust-anna", cartItems=items, couponCodes=["WELCOME10"])
    found = explained(shop, "large")
    assert len(found["cart"]["items"]) == 1000
    assert len(found["effects"]) <= MAX_EFFECTS


def effect(kind: str, **props: Any) -> dict[str, Any]:
    return {"effectType": kind, "campaignId": 1, "ruleName": "R", "props": props}


def test_like_discounts_of_neighboring_units_become_one() -> None:
    def off(unit: int, value: float) -> dict[str, Any]:
        return effect("setDiscountPerItem", name="A", value=value, position=0, subPosition=unit)

    session = {"cartItems": [{"sku": "A", "quantity": 6, "price": 2}], "total": 12}
    found = cart_of(session, [off(0, 1), off(1, 1), off(2, 0.5), off(4, 1), off(5, 1)], {1: "C"})
    [item] = found["items"]
    assert [(each["value"], each["units"]) for each in item["discounts"]] == [
        (1, [[0, 1], [4, 5]]),
        (0.5, [[2, 2]]),
    ]
    assert (item["discount"], found["totals"]["payable"]) == (4.5, 7.5)


def test_every_reason_that_the_api_documents_has_a_sentence() -> None:
    documented = set()
    for model in (talon_one.CouponRejectionReason, talon_one.ReferralRejectionReason):
        documented |= set(get_args(get_args(_annotation(model, "reason"))[0]) or ())
        documented |= set(get_args(_annotation(model, "reason")))
    assert "CouponExpired" in documented
    assert documented - set(REASONS) == set()
    assert [each for each in REASONS.values() if not each.endswith(".")] == []
    assert "reason that this release does not know" in sentence_of("CouponIsBlue")
    both = sentence_of("CouponPartOfNotTriggeredCampaign", "CampaignIsNotFirst")
    assert both.endswith(EXCLUSIONS["CampaignIsNotFirst"])


def _annotation(model: Any, name: str) -> Any:
    from typing import get_type_hints

    return get_type_hints(model)[name]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
kinds = st.sampled_from(
    [
        "setDiscount",
        "setDiscountPerItem",
        "setDiscountPerAdditionalCost",
        "acceptCoupon",
        "rejectCoupon",
        "other",
    ]
)
props = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("value", "name", "position", "subPosition", "additionalCost", "rejectionReason"), anything
    ),
)
some_effects = st.lists(
    st.fixed_dictionaries(
        {"effectType": kinds | anything, "props": props | anything},
        optional={"campaignId": anything, "triggeredByCoupon": anything, "ruleName": anything},
    ),
    max_size=4,
)
sessions = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("cartItems", "additionalCosts", "total", "couponCodes", "referralCode"), anything
    ),
)


@given(sessions, some_effects)
def test_anything_that_a_server_sends_can_be_explained(session: Any, found: Any) -> None:
    for part in (cart_of, codes_of):
        json.dumps(part(session, found, {}))
    json.dumps(others_of(found, {}))
