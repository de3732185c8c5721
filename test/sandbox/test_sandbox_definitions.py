"""Attributes, additional costs, webhooks and giveaways of the Management API."""

from __future__ import annotations

from typing import Any

import pytest

from talon_one.sandbox import Sandbox

ATTRIBUTE = {
    "entity": "CustomerProfile",
    "name": "Shoe",
    "title": "Shoe size",
    "type": "number",
    "description": "",
    "suggestions": [],
    "editable": True,
}
COST = {"name": "gift", "title": "Gift wrap", "description": "", "type": "session"}


@pytest.fixture
def strict(client_of: Any) -> Any:
    """A sandbox that refuses names nobody defined."""
    seed = {
        "applications": [{"id": 3, "name": "Shop", "keys": ["key"]}],
        "webhooks": [
            {"id": 7, "title": "Mail", "url": "http://127.0.0.1:9/", "applicationIds": [3]}
        ],
        "giveawayPools": [{"id": 5, "name": "Codes", "codes": ["ONE"]}],
    }
    with Sandbox(seed=seed) as running:
        api = client_of(running)
        api.integration = {"Authorization": "ApiKey-v1 key"}
        yield api


def test_an_attribute_can_be_used_once_it_is_defined(strict: Any) -> None:
    profile = {"attributes": {"Shoe": 43}}
    assert strict.send("PUT", "/v2/customer_profiles/anna", profile).status == 400
    made = strict.send("POST", "/v1/attributes", ATTRIBUTE)
    assert made.status == 201
    assert strict.send("PUT", "/v2/customer_profiles/anna", profile).status == 200
    wrong = strict.send("PUT", "/v2/customer_profiles/anna", {"attributes": {"Shoe": "L"}})
    assert wrong.json["errors"][0]["title"] == "Invalid type"
    twice = strict.send("POST", "/v1/attributes", ATTRIBUTE)
    assert twice.json["errors"][0]["source"] == {"pointer": "/name"}


def test_an_attribute_of_an_event_defines_its_type(strict: Any) -> None:
    event = {"profileId": "anna", "type": "reviewed", "attributes": {"stars": 5}}
    assert strict.send("POST", "/v2/events", event).status == 400
    definition = {**ATTRIBUTE, "entity": "Event", "eventType": "reviewed", "name": "stars"}
    assert strict.send("POST", "/v1/attributes", definition).status == 201
    assert strict.send("POST", "/v2/events", event).status == 204


def test_only_the_description_of_an_attribute_changes(strict: Any) -> None:
    made = strict.send("POST", "/v1/attributes", ATTRIBUTE).json
    change = {**ATTRIBUTE, "type": "string", "name": "Foot", "description": "In EU sizes"}
    changed = strict.send("PUT", f"/v1/attributes/{made['id']}", change).json
    assert changed == {**made, "description": "In EU sizes"}
    assert strict.send("GET", f"/v1/attributes/{made['id']}").json == changed
    assert strict.send("GET", "/v1/attributes/99").status == 404


def test_attributes_are_listed_and_filtered(strict: Any) -> None:
    shoe = strict.send("POST", "/v1/attributes", ATTRIBUTE).json
    city = {**ATTRIBUTE, "entity": "Store", "name": "City", "title": "Town", "type": "string"}
    town = strict.send("POST", "/v1/attributes", {**city, "subscribedApplicationsIds": [3]}).json
    assert strict.data("/v1/attributes") == [shoe, town]
    for query, found in (
        ("entity=Store", [town]),
        ("type=string,boolean", [town]),
        ("search=size", [shoe]),
        ("kind=builtin", []),
        ("kind=custom", [shoe, town]),
        ("applicationIds=3", [shoe, town]),
        ("applicationIds=4", [shoe]),
        ("loyaltyProgramIds=1", []),
        ("sort=name", [town, shoe]),
    ):
        assert strict.data(f"/v1/attributes?{query}") == found, query
    wrong = strict.send(
        "POST", "/v1/attributes", {**ATTRIBUTE, "name": "X", "subscribedApplicationsIds": [4]}
    )
    assert wrong.json["errors"][0]["source"] == {"pointer": "/subscribedApplicationsIds/0"}


def test_a_restricted_attribute_accepts_suggestions_and_an_imported_list(strict: Any) -> None:
    restricted = {"type": "(list string)", "suggestions": ["red"], "restrictedBySuggestions": True}
    made = strict.send("POST", "/v1/attributes", {**ATTRIBUTE, **restricted}).json
    target = f"/v1/attributes/{made['id']}/allowed_list/import"
    assert strict.upload(target, "item\nblue\nblue\n").json["amount"] == 1
    assert strict.send("GET", f"/v1/attributes/{made['id']}").json["hasAllowedList"] is True

    def status(*colors: str) -> int:
        profile = {"attributes": {"Shoe": list(colors)}}
        return int(strict.send("PUT", "/v2/customer_profiles/anna", profile).status)

    assert [status("red", "blue"), status("red", "green")] == [200, 400]
    strict.upload(target, "item\ngreen\n")
    assert [status("red", "green"), status("blue")] == [200, 400]
    assert strict.upload("/v1/attributes/99/allowed_list/import", "item\n").status == 404


def test_an_additional_cost_can_be_used_once_it_is_defined(strict: Any) -> None:
    content = {"additionalCosts": {"gift": {"price": 3}}}
    assert strict.session(**content).status == 400
    made = strict.send("POST", "/v1/additional_costs", COST)
    assert made.status == 201
    assert strict.session(**content).status == 200
    target = f"/v1/additional_costs/{made.json['id']}"
    changed = strict.send("PUT", target, {**COST, "type": "item"}).json
    assert (strict.send("GET", target).json, changed["type"]) == (changed, "item")
    assert strict.session("b", **content).status == 400
    assert strict.send("PUT", target, {**COST, "name": "wrap"}).status == 400
    assert strict.send("POST", "/v1/additional_costs", COST).status == 409
    assert strict.send("GET", "/v1/additional_costs").json["totalResultSize"] == 1


def test_webhooks_are_read(strict: Any) -> None:
    (webhook,) = strict.data("/v1/webhooks")
    assert (webhook["title"], webhook["draft"], webhook["verb"]) == ("Mail", False, "POST")
    assert strict.send("GET", "/v1/webhooks/7").json == webhook
    assert strict.send("GET", "/v1/webhooks/8").status == 404
    for query, found in (
        ("applicationIds=3,4", 1),
        ("applicationIds=4", 0),
        ("title=mai", 1),
        ("visibility=hidden", 0),
        ("creationType=templateWebhooks", 0),
    ):
        assert len(strict.data(f"/v1/webhooks?{query}")) == found, query


def test_giveaways_are_imported_and_exported(strict: Any) -> None:
    pool = "/v1/giveaways/pools/5"
    text = 'code,startdate,enddate,attributes\nTWO,,2090-01-01T00:00:00Z,"{""a"": 1}"\nTWO,,,\n'
    reply = strict.upload(f"{pool}/import", text)
    assert (reply.status, reply.json["amount"]) == (200, 2)
    rows = strict.rows(f"{pool}/export")
    assert [(row["code"], row["used"], row["importid"]) for row in rows] == [
        ("ONE", "false", ""),
        ("TWO", "false", "1"),
        ("TWO", "false", "1"),
    ]
    assert (rows[1]["enddate"], rows[1]["attributes"]) == (
        "2090-01-01T00:00:00.000000Z",
        '{"a":1}',
    )
    assert strict.rows(f"{pool}/export?createdBefore=2020-01-01T00:00:00Z") == []
    turned = "code,startdate,enddate\nX,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\n"
    assert strict.upload(f"{pool}/import", turned).json["errors"][0]["source"] == {"line": "2"}
    assert strict.upload("/v1/giveaways/pools/6/import", text).status == 404
