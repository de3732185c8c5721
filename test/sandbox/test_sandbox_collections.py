"""Collections and value maps of the Management API."""

from __future__ import annotations

from typing import Any

import pytest

from talon_one.sandbox import Sandbox

ACCOUNT = "/v1/collections"
CAMPAIGN = "/v1/applications/3/campaigns/12/collections"
PLACES = pytest.mark.parametrize("place", [ACCOUNT, CAMPAIGN])


@PLACES
def test_a_collection_is_created_changed_and_deleted(api: Any, place: str) -> None:
    made = api.send("POST", place, {"name": "Shoes", "description": "All shoes"})
    assert made.status == 201
    target = f"{place}/{made.json['id']}"
    assert api.send("GET", target).json == made.json
    changed = api.send("PUT", target, {"description": "Some shoes"}).json
    assert (changed["name"], changed["description"]) == ("Shoes", "Some shoes")
    assert changed["modifiedBy"]
    assert [each["id"] for each in api.data(place)] == [changed["id"]]
    assert api.data(f"{place}?name=sho")
    assert api.data(f"{place}?name=hat") == []
    assert api.send("POST", place, {"name": "Shoes"}).status == 409
    assert api.send("DELETE", target).status == 204
    assert api.send("GET", target).status == 404


@PLACES
def test_an_import_replaces_the_items(api: Any, place: str) -> None:
    made = api.send("POST", place, {"name": "Shoes"}).json
    target = f"{place}/{made['id']}"
    assert api.upload(f"{target}/import", "item\nA\nB\nA\n").json["amount"] == 2
    assert api.upload(f"{target}/import", "item\nC\nD\n").json["amount"] == 2
    items = f"{ACCOUNT}/{made['id']}/items"
    assert api.data(items) == [{"item": "C"}, {"item": "D"}]
    assert api.send("GET", f"{items}?pageSize=1").json["hasMore"] is True
    assert api.rows(f"{target}/export") == [{"item": "C"}, {"item": "D"}]


def test_collections_stay_with_their_owners(api: Any) -> None:
    account = api.send("POST", ACCOUNT, {"name": "A", "subscribedApplicationsIds": [3]}).json
    other = api.send("POST", ACCOUNT, {"name": "B"}).json
    own = api.send("POST", CAMPAIGN, {"name": "A"}).json
    assert api.send("GET", f"{CAMPAIGN}/{account['id']}").status == 404
    assert api.send("GET", f"{ACCOUNT}/{own['id']}").status == 404
    ids = [each["id"] for each in api.data("/v1/applications/3/collections")]
    assert ids == [own["id"], account["id"]]
    assert {each["id"] for each in api.data(ACCOUNT)} == {account["id"], other["id"]}
    wrong = api.send("POST", ACCOUNT, {"name": "C", "subscribedApplicationsIds": [3, 4]})
    assert wrong.json["errors"][0]["source"] == {"pointer": "/subscribedApplicationsIds/1"}


def test_a_value_map_is_exported(client_of: Any) -> None:
    value_map = {"id": 4, "values": {"SKU-1": 5, "SKU-2": 7.5}}
    campaign = {"id": 1, "name": "First", "valueMaps": [value_map]}
    with Sandbox(seed={"applications": [{"id": 1, "name": "A", "campaigns": [campaign]}]}) as box:
        api = client_of(box)
        maps = "/v1/applications/1/campaigns/1/value_maps"
        assert api.rows(f"{maps}/4/export") == [
            {"identifier": "SKU-1", "value": "5"},
            {"identifier": "SKU-2", "value": "7.5"},
        ]
        assert api.send("GET", f"{maps}/5/export").status == 404
