"""Audiences of the Management API: lists, members and their files."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def audience(api: Any) -> Any:
    """A new audience without members."""
    made = api.send("POST", "/v2/audiences", {"name": "VIP"})
    assert made.status == 201
    return made.json


def members(api: Any, audience: Any, query: str = "") -> list[str]:
    found = api.data(f"/v1/audiences/{audience['id']}/memberships{query}")
    return [each["integrationId"] for each in found]


def test_an_import_replaces_the_members(api: Any, audience: Any) -> None:
    target = f"/v1/audiences/{audience['id']}/memberships"
    reply = api.upload(f"{target}/import", "profileintegrationid\nanna\nbert\nanna\n")
    assert (reply.status, reply.json["amount"]) == (200, 2)
    assert members(api, audience) == ["anna", "bert"]
    assert members(api, audience, "?profileQuery=ANN") == ["anna"]
    api.upload(f"{target}/import", "profileintegrationid\ncarl\n")
    assert members(api, audience) == ["carl"]
    assert api.rows(f"{target}/export") == [{"profileintegrationid": "carl"}]
    assert api.upload(f"{target}/import", "profileintegrationid,x\ncarl,1\n").status == 400
    assert members(api, audience) == ["carl"]
    assert api.upload("/v1/audiences/99/memberships/import", "").status == 404


def test_audiences_are_listed_and_counted(api: Any, audience: Any) -> None:
    listed = api.send("GET", "/v1/audiences").json
    assert listed["hasMore"] is False
    assert audience in listed["data"]
    counted = api.send("GET", "/v1/audiences?withTotalResultSize=true&sort=-id").json
    assert counted["totalResultSize"] == len(listed["data"])
    assert counted["data"][0] == audience
    target = f"/v1/audiences/{audience['id']}/memberships/import"
    api.upload(target, "profileintegrationid\nanna\n")
    counts = api.data(f"/v1/audiences/analytics?audienceIds={audience['id']},999")
    assert counts == [{"audienceId": audience["id"], "membersCount": 1}]
    assert api.send("GET", "/v1/audiences/analytics?audienceIds=x").status == 400
    assert api.send("GET", "/v1/audiences/analytics").status == 400
