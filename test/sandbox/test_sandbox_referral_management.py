"""Referrals of the Management API: lists, changes and files."""

from __future__ import annotations

from typing import Any

CAMPAIGN = "/v1/applications/3/campaigns/12"
REFERRALS = f"{CAMPAIGN}/referrals"
IMPORT = f"{CAMPAIGN}/import_referrals"
EXPORT = "/v1/applications/3/export_referrals"


def codes(api: Any, query: str = "") -> list[str]:
    return [each["code"] for each in api.data(f"{REFERRALS}/no_total{query}")]


def test_referrals_are_listed_and_filtered(api: Any) -> None:
    first = api.new_referral(usageLimit=1)
    second = api.new_referral(
        advocateProfileIntegrationId="bert", expiryDate="2020-01-01T00:00:00Z"
    )
    assert api.send("GET", REFERRALS).json["totalResultSize"] == 2
    assert codes(api) == [first["code"], second["code"]]
    assert codes(api, "?advocate=bert") == codes(api, "?valid=expired") == [second["code"]]
    assert codes(api, f"?code={first['code'][1:].lower()}") == [first["code"]]
    assert codes(api, "?usable=false") == []
    api.session(profileId="carl", referralCode=first["code"], state="closed")
    assert codes(api, "?usable=false") == [first["code"]]
    assert codes(api, "?sort=-id") == [second["code"], first["code"]]


def test_a_referral_is_changed_and_deleted(api: Any) -> None:
    made = api.new_referral(attributes={"color": "red"})
    target = f"{REFERRALS}/{made['id']}"
    change = {"friendProfileIntegrationId": "bert", "usageLimit": 3, "attributes": {"size": 1}}
    reply = api.send("PUT", target, change)
    assert (reply.status, reply.json["friendProfileIntegrationId"]) == (200, "bert")
    assert reply.json["attributes"] == {"color": "red", "size": 1}
    early = {"startDate": "2026-02-01T00:00:00Z", "expiryDate": "2026-01-01T00:00:00Z"}
    assert api.send("PUT", target, early).status == 400
    rejected = api.session(profileId="carl", referralCode=made["code"]).json["effects"][0]
    assert rejected["effectType"] == "rejectReferral"
    assert api.send("DELETE", target).status == 204
    assert api.send("PUT", target, change).status == 404


def test_referrals_are_imported_for_known_advocates(api: Any) -> None:
    text = "code,advocateprofileintegrationid,limitval,attributes\n"
    refused = api.upload(IMPORT, f"{text}FRIEND-1,anna,,\n")
    assert refused.json["errors"][0]["source"] == {"line": "2"}
    api.session(profileId="anna")
    reply = api.upload(IMPORT, f'{text}FRIEND-1,anna,,\nFRIEND-2,anna,0,"{{""a"": 1}}"\n')
    assert (reply.status, reply.json["amount"], reply.json["entity"]) == (200, 2, "Referral")
    one, two = api.data(REFERRALS)
    assert (one["usageLimit"], two["usageLimit"], two["attributes"]) == (1, 0, {"a": 1})
    assert one["importId"] == reply.json["id"]
    twice = api.upload(IMPORT, f"{text}FRIEND-1,anna,,\n")
    assert twice.json["errors"][0]["title"] == "Duplicate"
    used = api.session("b", profileId="bert", referralCode="FRIEND-1", state="closed").json
    assert used["effects"][0]["effectType"] == "acceptReferral"


def test_referrals_are_exported_in_the_columns_of_the_import(api: Any) -> None:
    made = api.new_referral(expiryDate="2090-01-02T03:04:05Z")
    (row,) = api.rows(f"{EXPORT}?dateFormat=excel")
    assert list(row) == [
        "code",
        "advocateprofileintegrationid",
        "startdate",
        "expirydate",
        "limitval",
        "attributes",
    ]
    assert (row["code"], row["expirydate"]) == (made["code"], "2090-01-02 03:04:05")
    assert api.rows(f"{EXPORT}?campaignId=13") == api.rows(f"{EXPORT}?valid=expired") == []
    (export,) = [each for each in api.data("/v1/exports") if each["filter"].get("dateFormat")]
    assert (export["entity"], export["filter"]["applicationId"]) == ("Referral", 3)
