"""The account in the Management API: signing in, its user, exports, and what every list does."""

from __future__ import annotations

from typing import Any

from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.operations.table import HANDLERS

APPLICATIONS = "/v1/applications"
# Of platform.md 15.1: lists that always count, and lists whose pages have at most 50 items.
COUNTED = [
    "getApplications",
    "getCampaigns",
    "getRulesets",
    "getCampaignGroups",
    "getAttributes",
    "getAdditionalCosts",
    "getWebhooks",
    "getApplicationEventTypes",
    "getUsers",
    "getExports",
]
SMALL = ["listAchievements", "listApplicationCartItemFilters"]
EITHER = ["getApplicationCustomers", "getAudiences", "listStores", "listAccountCollections"]


def sign_in(api: Any, password: str) -> Any:
    body = {"email": "anna@example.com", "password": password}
    return api.send("POST", "/v1/sessions", body, headers={})


def test_a_token_works_until_it_is_signed_out(api: Any) -> None:
    reply = sign_in(api, api.sandbox.management_key)
    assert reply.status == 201
    other = sign_in(api, api.sandbox.management_key).json["token"]
    bearer = {"Authorization": f"Bearer {reply.json['token']}"}
    assert api.send("GET", APPLICATIONS, headers=bearer).status == 200
    assert api.send("DELETE", "/v1/sessions", headers=bearer).status == 204
    assert api.send("GET", APPLICATIONS, headers=bearer).status == 401
    still = {"Authorization": f"Bearer {other}"}
    assert api.send("GET", APPLICATIONS, headers=still).status == 200


def test_a_token_expires_after_three_months(api: Any) -> None:
    token = sign_in(api, api.sandbox.management_key).json["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    api.sandbox.clock.advance(days=89)
    assert api.send("GET", APPLICATIONS, headers=bearer).status == 200
    api.sandbox.clock.advance(days=2)
    assert api.send("GET", APPLICATIONS, headers=bearer).status == 401


def test_only_a_management_key_signs_in_and_cannot_sign_out(api: Any) -> None:
    assert sign_in(api, "wrong").status == 401
    assert sign_in(api, api.sandbox.api_key).status == 401
    assert api.send("DELETE", "/v1/sessions").status == 400
    assert api.send("GET", APPLICATIONS).status == 200


def test_the_account_has_one_user(api: Any) -> None:
    (user,) = api.data("/v1/users")
    assert api.send("GET", f"/v1/users/{user['id']}").json == user
    assert api.send("GET", "/v1/users/2").status == 404


def test_the_account_counts_what_it_has(api: Any) -> None:
    account = api.send("GET", "/v1/accounts/1").json
    assert (account["applicationCount"], account["campaignsActiveCount"]) == (1, 1)
    assert api.send("GET", "/v1/accounts/2").status == 404


def test_changes_of_definitions_are_logged(api: Any) -> None:
    made = api.send("POST", "/v1/collections", {"name": "Shoes"}).json
    target = f"/v1/collections/{made['id']}"
    api.send("PUT", target, {"description": "All"})
    api.send("DELETE", target)
    stores = f"{APPLICATIONS}/3/stores"
    api.send("POST", stores, {"name": "S", "description": "", "integrationId": "s"})
    created, changed, deleted, store = api.data("/v1/changes")
    assert {each["entity"] for each in (created, changed, deleted)} == {target}
    assert (created["old"], created["new"]["name"]) == (None, "Shoes")
    assert (changed["old"].get("description"), changed["new"]["description"]) == (None, "All")
    assert (deleted["old"]["description"], deleted["new"]) == ("All", None)
    assert api.data("/v1/changes?applicationId=3") == [store]
    assert api.data("/v1/changes?entityPath=STORES") == [store]
    assert api.data("/v1/changes?userId=2") == api.data("/v1/changes?managementKeyId=1") == []
    assert [each["old"] for each in api.data("/v1/changes?includeOld=false")] == [None] * 4
    assert api.send("GET", "/v1/changes?withTotalResultSize=true").json["totalResultSize"] == 4


def test_exports_are_listed(api: Any) -> None:
    assert api.data("/v1/exports") == []
    api.rows(f"{APPLICATIONS}/3/export_coupons?campaignId=12&valuesOnly=true")
    api.rows(f"{APPLICATIONS}/3/export_effects")
    listed = api.send("GET", "/v1/exports").json
    assert [each["entity"] for each in listed["data"]] == ["Coupon", "Effect"]
    assert listed["data"][0]["filter"] == {
        "applicationId": 3,
        "campaignId": 12,
        "valuesOnly": True,
    }
    assert len(api.data("/v1/exports?entity=Effect")) == 1
    assert len(api.data("/v1/exports?campaignId=12")) == 1
    assert api.data("/v1/exports?applicationId=4") == []


def test_every_list_has_the_documented_envelope_and_page_size(api: Any) -> None:
    wrong = []
    for name in (*COUNTED, *SMALL, *EITHER):
        path = operations_by_id()[name].path
        target = path.replace("{applicationId}", "3").replace("{campaignId}", "12")
        plain = api.send("GET", target).json
        total = api.send("GET", f"{target}?withTotalResultSize=true").json
        if ("totalResultSize" in plain) != (name in COUNTED):
            wrong.append(name)
        if ("totalResultSize" in total) != (name in COUNTED or name in EITHER):
            wrong.append(name)
        limit = 50 if name in SMALL else 1000
        statuses = [
            api.send("GET", f"{target}?pageSize={size}").status for size in (0, limit, limit + 1)
        ]
        statuses.append(api.send("GET", f"{target}?skip=-1").status)
        if statuses != [400, 200, 400, 400]:
            wrong.append(name)
        if any(each.wire == "sort" for each in operations_by_id()[name].parameters):
            refused = api.send("GET", f"{target}?sort=nonsense")
            if refused.status != 400 and name != "getApplicationEventTypes":
                wrong.append(name)
    assert wrong == []


def test_what_is_not_built_says_so(api: Any) -> None:
    wrong = []
    for operation in operations_by_id().values():
        if operation.id in HANDLERS or "management_key" not in operation.security:
            continue
        target = operation.path.replace("{", "").replace("}", "")
        reply = api.send(operation.method, target)
        if reply.status != 501 or operation.id not in reply.json["message"]:
            wrong.append(operation.id)
    assert wrong == []
